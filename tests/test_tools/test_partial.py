"""A checkpoint that lacks parameters, in every command that loads one."""

import logging
import sys

import pytest
import torch

from mmseg_video.apis.segmentors import load_segmentor
from mmseg_video.cli import main as command
from mmseg_video.engine.partial import ALLOW_PARTIAL
from tests.bright import levels, write_video
from tests.commands import follow_here, forget_instances


@pytest.fixture(scope='module')
def partial(framewise):
    """Without the classifier."""
    checkpoint = torch.load(framewise / 'iter_2.pth')
    for name in list(checkpoint['state_dict']):
        if 'conv_seg' in name:
            del checkpoint['state_dict'][name]
    path = framewise / 'partial.pth'
    torch.save(checkpoint, path)
    return path


def video(folder):
    return write_video(folder / 'video.mp4', levels(0, 90, size=(64, 128)))


# Name -> what is typed behind it, of a config, a checkpoint and a folder.
COMMANDS = {
    'test': lambda c, k, out: [c, k, '--work-dir', out],
    'train': lambda c, k, out: [
        *(c, '--load-from', k, '--work-dir', out),
        *('--cfg-options', 'train_cfg.max_iters=1'),
    ],
    'run': lambda c, k, out: [
        *(video(out), c, k, '--out', out / 'out.mp4', '--device', 'cpu'),
    ],
    'pseudo-label': lambda c, k, out: [
        *(c, k, '--out', out / 'labels', '--scales', 1, '--no-flip'),
        *('--workers', 0, '--device', 'cpu', '--every', 20),
    ],
    'compare': lambda c, k, out: [
        *(c, k, '--baseline', c, c.parent / 'iter_2.pth'),
        *('--out', out / 'comparison', '--num-frames', 1),
    ],
}
REFUSED = {
    **COMMANDS,
    # What is accepted takes long here, or does not end.
    'export': lambda c, k, out: [c, k, out / 'net.onnx', '--check', 0],
    'app': lambda c, k, out: [
        *('--config', c, '--checkpoint', k, '--samples', video(out)),
    ],
}


@pytest.fixture
def type_in(framewise, partial, tmp_path, monkeypatch):
    """Run a command on the partial checkpoint, in this process."""
    monkeypatch.setenv(ALLOW_PARTIAL, '0')
    monkeypatch.chdir(tmp_path)
    # Of a logger that still has the stream of another test.
    monkeypatch.setattr(logging, 'raiseExceptions', False)
    monkeypatch.setattr('mmseg_video.experiments.launch.follow', follow_here)

    def run(name, *options):
        parts = (framewise / 'unet_street.py', partial, tmp_path)
        arguments = [*REFUSED[name](*parts), *options]
        argv = ['mmseg-video', name, *map(str, arguments)]
        monkeypatch.setattr(sys, 'argv', argv)
        forget_instances()
        command.main()

    return run


@pytest.mark.parametrize('name', REFUSED)
def test_it_is_refused_in_one_sentence(name, type_in, capfd):
    with pytest.raises(SystemExit) as end:
        type_in(name)
    output, errors = capfd.readouterr()
    assert end.value.code == 1
    assert 'Traceback' not in output + errors
    said = output + errors if name == 'compare' else errors.splitlines()[-1]
    assert 'its random initialisation (decode_head (2)): take' in said
    assert '--allow-partial accepts it' in said


@pytest.mark.parametrize('name', COMMANDS)
def test_it_is_accepted_and_said(name, type_in, capfd):
    type_in(name, '--allow-partial')
    said = ''.join(capfd.readouterr())
    if name != 'compare':  # its tests have logs of their own
        assert 'not in the checkpoint: decode_head (2)' in said


def test_what_matches_nowhere_is_refused_even_so(type_in, partial, capfd):
    whole = torch.load(partial)
    torch.save(dict(state_dict=dict(a=torch.zeros(1))), partial)
    try:
        with pytest.raises(SystemExit):
            type_in('export', '--allow-partial')
    finally:
        torch.save(whole, partial)
    assert 'Nothing matches' in capfd.readouterr().err


def test_tensors_of_another_shape_stay_as_they_were(framewise, tmp_path):
    """As in a test, by whoever loads."""
    config = framewise / 'unet_street.py'
    whole = torch.load(framewise / 'iter_2.pth')
    bias = whole['state_dict']['decode_head.conv_seg.bias']
    whole['state_dict']['decode_head.conv_seg.bias'] = bias[:5]
    path = tmp_path / 'other.pth'
    torch.save(whole, path)
    with pytest.raises(RuntimeError, match='of another shape: decode_head'):
        load_segmentor(str(config), str(path))
    loaded = load_segmentor(str(config), str(path), allow_partial=True)
    assert len(loaded.model.decode_head.conv_seg.bias) == len(bias)
