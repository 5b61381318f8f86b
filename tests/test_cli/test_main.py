"""``mmseg-video``: its table, and what it does with a name."""

import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine import Config

from mmseg_video.cli import main as command
from mmseg_video.version import __version__

TOOLS_AND_DEMOS = [
    *('tools/train', 'tools/test', 'tools/compare', 'tools/ablate'),
    *('tools/pseudo_label', 'tools/quickstart', 'tools/export_onnx'),
    *('tools/dataset_converters/street_scenes', 'demo/app', 'demo/onnx_demo'),
    *('tools/dataset_converters/cityscapes', 'demo/video_demo'),
    *('tools/dataset_converters/coco_semantic',),
    *('tools/dataset_converters/pack_sequences',),
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


HELP = """
import sys
from mmseg_video.cli.main import COMMANDS, main

def typed(*arguments):
    sys.argv = ['mmseg-video', *arguments]
    try:
        main()
    except SystemExit as end:
        return end.code

typed()
for name in COMMANDS:
    assert typed(name, '--help') == 0, name
    assert typed(name, '--no-such-option') == 2, name
    heavy = {'torch', 'mmengine', 'mmcv', 'mmseg', 'cv2', 'numpy'}
    assert not heavy & set(sys.modules), name
"""


def test_help_and_usage_errors_are_light():
    """They are there before torch could be imported."""
    subprocess.run([sys.executable, '-c', HELP], check=True, cwd=ROOT)


INTERRUPTED = """
import sys
from mmseg_video.cli.main import main

class Interrupt:
    def find_spec(self, name, *_):
        if name == 'torch':
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupt())
sys.argv = ['mmseg-video', *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize('name', ['run', 'compare'])
def test_ctrl_c_during_the_imports_is_one_line(name):
    arguments = ['x', '--baseline', 'y', '--out', 'z']
    ended = subprocess.run(
        [sys.executable, '-c', INTERRUPTED, name, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert ended.returncode == -signal.SIGINT
    assert ended.stderr == 'stopped by Ctrl-C\n'


@pytest.mark.parametrize('arguments', [['--help'], ['configs']])
def test_a_reader_that_has_enough_ends_it_in_silence(arguments):
    code = 'from mmseg_video.cli.main import main; main()'
    reads, writes = os.pipe()
    os.close(reads)
    with open(writes, 'wb') as nobody:
        ended = subprocess.run(
            [sys.executable, '-c', code, *arguments],
            stdout=nobody,
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )
    assert (ended.returncode, ended.stderr) == (command.NO_READER, b'')


@pytest.mark.parametrize('name', command.COMMANDS)
def test_every_command_has_its_own_help(name, run):
    code, output, _ = run(name, '--help')
    assert code == 0
    assert output.startswith(f'usage: mmseg-video {name} ')


@pytest.mark.parametrize('name', command.COMMANDS)
def test_a_usage_error_is_one_sentence(name, run):
    code, output, errors = run(name, '--no-such-option')
    assert (code, output) == (2, '')
    assert errors.startswith('error: ')
    assert errors.endswith(f'; see mmseg-video {name} --help\n')
    assert errors.count('\n') == 1


@pytest.mark.parametrize(
    ('arguments', 'says'),
    [
        (['train', ''], 'an argument is empty; see'),
        (['train', 'unet', '--work-dir', ' '], 'is empty after --work-dir;'),
        (['run', 'x.mp4', '--model', 'a', '--out', ''], 'after --out;'),
    ],
)
def test_what_is_empty_names_nothing(arguments, says, run):
    code, _, errors = run(*arguments)
    assert code == 2
    assert says in errors


def test_all_parsers_say_it_so():
    for folder in ('mmseg_video', 'tools', 'demo'):
        for path in (ROOT / folder).rglob('*.py'):
            if path.name != 'arguments.py':
                assert 'ArgumentParser(' not in path.read_text(), path


def test_arguments_reach_the_command(run):
    code, _, errors = run('test', 'a', 'b', '--num-frames', '0')
    assert code == 2
    assert errors == (
        'error: argument --num-frames: must be >= 1, got 0; see mmseg-video '
        'test --help\n'
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
    text = (ROOT / f'{name}.py').read_text()
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
    printed = "written to 'configs'\n"
    assert run('configs', '--copy', 'configs') == (0, printed, '')
    (tmp_path / 'configs/mine.py').write_text(
        "_base_ = ['_base_/models/rnn_unet_efficientnet_lite0.py', "
        "'_base_/datasets/frame_folders_t3.py', "
        "'_base_/schedules/schedule_camvid.py']\n"
    )
    assert Config.fromfile('configs/mine.py').model.type == 'RecurrentUNet'
    code, _, _ = run('configs', '--copy', 'configs')
    assert code == "error: 'configs' exists: name a new folder"
