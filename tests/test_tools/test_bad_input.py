"""Bad input on the command line ends in one sentence."""

import sys

import pytest

from tests.commands import ROOT, TOOLS, call

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
}


@pytest.mark.parametrize('case', BAD)
def test_bad_input_ends_in_one_sentence(case, tmp_path):
    command, sentence = BAD[case]
    command = [str(part).replace('{tmp}', str(tmp_path)) for part in command]
    code, output = call(sys.executable, TOOLS / command[0], *command[1:])
    assert code == 1
    last = output.strip().splitlines()[-1]
    assert last.startswith('error: ')
    assert sentence in last
    assert 'Traceback' not in output
