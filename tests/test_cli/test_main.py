"""``mmseg-video``: its table, and what it does with a name."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine import Config

from mmseg_video.cli import main as command
from mmseg_video.version import __version__

TOOLS_AND_DEMOS = [
    *('train', 'test', 'compare', 'ablate', 'pseudo_label', 'quickstart'),
    *('export_onnx', 'dataset_converters/street_scenes'),
    *('dataset_converters/cityscapes', 'dataset_converters/coco_semantic'),
]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(monkeypatch, capsys):
    """Types ``mmseg-video ...``; its exit status, output and errors."""

    def type_it(*arguments):
        monkeypatch.setattr(sys, 'argv', ['mmseg-video', *arguments])
        try:
            command.main()
            code = 0
        except SystemExit as end:
            code = end.code
        return (code, *capsys.readouterr())

    return type_it


def test_help_names_every_command(run):
    code, output, _ = run('--help')
    assert code == 0
    assert run() == (0, output, '')
    named = {
        line.split()[0] for line in output.splitlines() if line[:2] == '  '
    }
    assert named == set(command.COMMANDS)
    assert run('--version') == (0, f'mmseg-video {__version__}\n', '')


def test_help_is_light():
    """It starts before torch could be imported."""
    code = (
        'import sys; sys.argv[1:] = []; from mmseg_video.cli.main import main;'
        ' main(); assert not {"torch", "mmengine", "cv2"} & set(sys.modules)'
    )
    subprocess.run([sys.executable, '-c', code], check=True, cwd=ROOT)


@pytest.mark.parametrize('name', command.COMMANDS)
def test_every_command_has_its_own_help(name, run):
    code, output, _ = run(name, '--help')
    assert code == 0
    assert output.startswith(f'usage: mmseg-video {name} ')


def test_arguments_reach_the_command(run):
    code, _, errors = run('test', 'a', 'b', '--num-frames', '0')
    assert code == 2
    assert errors.splitlines()[-1] == (
        'mmseg-video test: error: argument --num-frames: must be >= 1, got 0'
    )


def test_an_unknown_command_is_one_sentence_with_the_nearest(run):
    assert run('trai') == (
        2,
        '',
        "error: no command 'trai'; close to it are train. mmseg-video --help "
        'names all\n',
    )


@pytest.mark.parametrize('name', TOOLS_AND_DEMOS)
def test_a_tool_is_the_command(name):
    text = (ROOT / f'tools/{name}.py').read_text()
    module = text.split('from mmseg_video.cli.')[1].split()[0]
    assert module in {each.module for each in command.COMMANDS.values()}
    assert callable(importlib.import_module(f'mmseg_video.cli.{module}').main)


def test_configs_lists_names(run):
    _, output, _ = run('configs', 'rnn_unet_street')
    name, path = output.splitlines()[0].split()
    assert name == 'rnn_unet_street'
    assert Path(path) == ROOT / 'configs/rnn_unet_street.py'
    code, _, _ = run('configs', 'rnn_unet_steet')
    assert code.startswith(
        "error: no config has 'rnn_unet_steet' in its name; close to it are "
        'rnn_unet_street, '
    )


def test_configs_are_copied_for_ones_own(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run('configs', '--copy', 'configs') == (0, "'configs'\n", '')
    (tmp_path / 'configs/mine.py').write_text(
        "_base_ = ['_base_/models/rnn_unet_efficientnet_lite0.py', "
        "'_base_/datasets/frame_folders_t3.py', "
        "'_base_/schedules/schedule_camvid.py']\n"
    )
    assert Config.fromfile('configs/mine.py').model.type == 'RecurrentUNet'
    code, _, _ = run('configs', '--copy', 'configs')
    assert code == "error: 'configs' exists: name a new folder"
