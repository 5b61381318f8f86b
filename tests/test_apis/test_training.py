"""What a training goes on from."""

import uuid

import pytest
import torch

from mmseg_video.apis.training import train
from mmseg_video.engine.launch import load_config
from mmseg_video.engine.published import find_checkpoint
from mmseg_video.engine.weights import read_checkpoint
from tests.runs import leaf, options


@pytest.fixture(scope='module')
def settings(root):
    changes = options(root)
    # Not of a validation, and there is none.
    changes = {k: v for k, v in changes.items() if not k.startswith('val_')}
    none = dict.fromkeys(('val_dataloader', 'val_cfg', 'val_evaluator'))
    return {**changes, **none, 'visualizer.vis_backends': []}


def run(
    settings,
    work_dir,
    iterations=2,
    resume=None,
    name='unet_street',
    **kwargs,
):
    changes = {
        **settings,
        'train_cfg.max_iters': iterations,
        'experiment_name': uuid.uuid4().hex,
    }
    train(
        *(str(leaf(name)), str(work_dir)),
        resume=resume,
        cfg_options=changes,
        **kwargs,
    )
    return torch.load(work_dir / f'iter_{iterations}.pth')


def test_what_a_training_goes_on_from(settings, tmp_path, capfd, monkeypatch):
    with pytest.raises(ValueError, match='must: there is nothing to resume'):
        run(settings, tmp_path, resume='must')
    first = run(settings, tmp_path, seed=7)
    # The seed is the checkpoint's; another one would be another training.
    second = run(settings, tmp_path, 3, resume='must')
    assert second['meta']['seed'] == 7
    assert second['meta']['run'] == first['meta']['run']
    with pytest.raises(ValueError, match='resumed has the seed 7; leave'):
        run(settings, tmp_path, resume='auto', seed=8)
    # torchrun --max-restarts calls again with the arguments of the start.
    monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', '1')
    assert run(settings, tmp_path, 4)['meta']['run'] == first['meta']['run']
    monkeypatch.delenv('TORCHELASTIC_RESTART_COUNT')
    # One that begins anew leaves those files, and does not go on from them.
    third = run(settings, tmp_path, 1)
    assert third['meta']['run'] != first['meta']['run']
    assert (tmp_path / 'iter_4.pth').exists()
    capfd.readouterr()
    run(settings, tmp_path, 2, resume='auto')
    output = ''.join(capfd.readouterr())
    assert "iter_4.pth' is not used: another training wrote it" in output
    assert 'goes on after iteration 1' in output
    run(settings, tmp_path, 2, resume='auto')
    output = ''.join(capfd.readouterr())
    assert 'nothing is left to train: 2 of 2 iterations are done' in output
    assert 'goes on' not in output


def test_a_config_that_says_nothing_of_randomness(
    settings, tmp_path, monkeypatch
):
    """As mmseg's own: with a seed, and resumed."""

    def load(*args):
        cfg = load_config(*args)
        cfg.pop('randomness')
        return cfg

    monkeypatch.setattr('mmseg_video.apis.training.load_config', load)
    first = run(settings, tmp_path, 1, seed=3)
    second = run(settings, tmp_path, 2, resume='must')
    assert first['meta']['seed'] == second['meta']['seed'] == 3


def test_whatever_the_config_says_of_hooks(settings, tmp_path, capfd):
    """Its hooks are those that it names, and those that keep the promises of
    a training."""
    changes = {
        **settings,
        'custom_hooks': [],
        'default_hooks.checkpoint': None,
        'default_hooks.speed': None,
        'optim_wrapper.optimizer.lr': 1e30,
    }
    with pytest.raises(RuntimeError, match='not finite'):
        run(changes, tmp_path, 3)
    assert 'this training keeps no checkpoint' in ''.join(capfd.readouterr())


def test_a_name_stands_for_its_published_weights(settings, tmp_path, capfd):
    whole = {k: v for k, v in settings.items() if not k.startswith('model.')}
    # So slow that the weights stay.
    whole['optim_wrapper.optimizer.lr'] = 1e-9
    result = run(whole, tmp_path, 1, load_from='unet_street')
    published = read_checkpoint(find_checkpoint(None, 'unet_street'), 'cpu')
    for name in ('backbone.conv1.weight', 'decode_head.conv_seg.weight'):
        theirs = published['state_dict'][name].float()
        assert torch.allclose(result['state_dict'][name], theirs, atol=1e-3)
    with pytest.raises(ValueError, match='no weights are published for'):
        run(settings, tmp_path / 'b', load_from='rnn_unet_cityscapes')


def test_laterals_without_a_framewise_net_warn(settings, tmp_path, capfd):
    laterals = {**settings, 'model.neck.in_channels': [8, 16, 32, 64]}
    run(laterals, tmp_path / 'a', 1, name='rnn_unet_street')
    output = ''.join(capfd.readouterr())
    assert 'no --load-from: net and recurrent modules start' in output
    path = str(tmp_path / 'a/iter_1.pth')
    run(laterals, tmp_path / 'b', 1, name='rnn_unet_street', load_from=path)
    run(settings, tmp_path / 'c', 1)
    assert 'no --load-from' not in ''.join(capfd.readouterr())
