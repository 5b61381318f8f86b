"""Bad input on the command line ends in one sentence."""

import shutil

import pytest

from mmseg_video.engine.launch import load_config
from tests.commands import ROOT, TOOLS, tiny

BAD = {
    'no config': (
        ['train.py', 'no/such.py'],
        "no config 'no/such.py'",
    ),
    'no checkpoint': (
        ['test.py', ROOT / 'configs/unet_street.py', 'no/such.pth'],
        "no checkpoint 'no/such.pth'",
    ),
    'no data': (
        [
            'train.py',
            ROOT / 'configs/unet_street.py',
            *('--work-dir', '{tmp}', '--cfg-options'),
            'train_dataloader.dataset.data_root=no/such',
        ],
        'no/such',
    ),
    'a key that no class knows': (
        [
            'train.py',
            ROOT / 'configs/rnn_unet_street.py',
            *('--work-dir', '{tmp}', '--cfg-options'),
            'model.neck.hidden_ration=0.5',
        ],
        'hidden_ration',
    ),
    'a checkpoint for a config': (
        ['test.py', 'iter_1.pth', ROOT / 'configs/unet_street.py'],
        'no config',
    ),
    'a config for a checkpoint': (
        [
            'test.py',
            ROOT / 'configs/unet_street.py',
            ROOT / 'configs/unet_street.py',
        ],
        'is a config, not a checkpoint',
    ),
    'a street too small': (
        ['dataset_converters/street_scenes.py', '{tmp}', '--size', 32, 64],
        '32x64 is too small for a street',
    ),
}


@pytest.mark.parametrize('text', ['a = nan', 'a = dict().b'])
def test_a_config_that_says_something_wrong(text, tmp_path):
    path = tmp_path / 'config.py'
    path.write_text(text)
    with pytest.raises(ValueError, match=r'config\.py. cannot be read: '):
        load_config(str(path))


@pytest.mark.parametrize('case', BAD)
def test_bad_input_ends_in_one_sentence(run_tool, case, tmp_path):
    command, sentence = BAD[case]
    command = [str(part).replace('{tmp}', str(tmp_path)) for part in command]
    code, output = run_tool(TOOLS / command[0], *command[1:])
    assert code == 1
    last = output.strip().splitlines()[-1]
    assert last.startswith('error: ')
    assert sentence in last
    assert 'Traceback' not in output
    assert '0frame' not in output


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (['--num-frames', 0], '--num-frames: must be >= 1, got 0'),
        (['--cfg-options', 'foo'], "'foo' is not of the form KEY=VALUE"),
        (['--stream', '--tta'], '--stream goes with none of'),
        (['--temporal', '--tta'], '--temporal does not go with --tta'),
        (['--sequences'], 'add --temporal'),
        (['--corrupt', 'jpeg', 'x'], 'a severity of 1, 2, 3'),
        (['--degrade', 2], 'a part of the frames, 0 to 1'),
    ],
)
def test_bad_arguments(run_tool, arguments, sentence):
    tool = TOOLS / 'test.py'
    code, output = run_tool(tool, 'config.py', 'k.pth', *arguments)
    assert code == 2
    assert sentence in output
    assert output.startswith('error: ')
    assert output.endswith('; see test.py --help\n')
    assert output.count('\n') == 1


def test_an_error_in_a_loader_process_is_one_sentence_too(
    run_tool, root, tmp_path
):
    scenes = tmp_path / 'scenes'
    shutil.copytree(root, scenes)
    label = next(scenes.glob('gtFine/train/*/*.png'))
    label.write_bytes(label.read_bytes()[:50])
    code, output = run_tool(
        TOOLS / 'train.py',
        *(ROOT / 'configs/unet_street.py', '--work-dir', tmp_path / 'run'),
        *(*tiny(scenes), 'train_dataloader.num_workers=1'),
    )
    assert code == 1
    last = output.strip().splitlines()[-1]
    assert last.startswith('error: ')
    assert label.name in last
    assert 'Traceback' not in output
