"""tools/ablate.py, for real but tiny: one that works and one that breaks."""

import fcntl
import runpy
import sys

import pytest
from mmengine import Config
from PIL import Image

from tests.commands import TOOLS
from tests.runs import options
from tests.test_ablation.specs import FRAMEWISE, content, entries, write


def ablate(monkeypatch, *arguments):
    """Run the tool in this process; returns its exit status."""
    monkeypatch.setattr(
        sys, 'argv', ['ablate.py', *(str(argument) for argument in arguments)]
    )
    try:
        runpy.run_path(str(TOOLS / 'ablate.py'))['main']()
    except SystemExit as end:
        return end.code
    return 0


def test_trains_tests_measures_and_reports(root, tmp_path, monkeypatch, capfd):
    ours = {
        'framewise': {'config': FRAMEWISE},
        'broken': {
            'config': FRAMEWISE,
            # Finite until the first step.
            'overrides': {'optim_wrapper.optimizer.lr': 1e30},
        },
        'after it': {'config': FRAMEWISE, 'load_from': 'broken'},
    }
    ours['after_it'] = ours.pop('after it')
    spec = write(tmp_path, content(root, seeds=[0], entries=ours))
    out = tmp_path / 'out'
    assert ablate(monkeypatch, spec, '--out', out) == 1
    shown = capfd.readouterr()
    assert 'framewise  seed 0: train, t1' in shown.out
    assert '3 trainings and 3 tests to do; 0 of 6' in shown.out
    assert 'FAILED: broken, seed 0, train: ' in shown.out
    assert "train.log'" in shown.out or 'train.log' in shown.out
    assert "not begun: 'broken, seed 0, train' failed" in shown.out
    assert shown.err.strip().splitlines()[-1] == (
        'error: 4 failed, see above; the same command does them again, and '
        'only them'
    )
    folder = out / 'spec'
    table = (folder / 'table.md').read_text()
    assert table in shown.out
    row = next(r for r in table.splitlines() if '**framewise**' in r)
    assert row.count('|') == 10
    assert '' not in [cell.strip() for cell in row.split('|')[2:4]]
    assert '| 1.00 |' in row  # its latency against itself
    for name in ('cost.png', 'matrix.png'):
        assert Image.open(folder / name).width > 400

    # A run by hand needs its config alone.
    cfg = Config.fromfile(folder / 'framewise/seed0/config.py')
    assert cfg.train_cfg.max_iters == 2
    assert cfg.train_dataloader.dataset.data_root == str(root)
    log = folder / 'broken/seed0/train.log'
    assert 'error: ' in log.read_text()

    # Nothing that is done is done again, and nothing needs to be there.
    only = (spec, '--out', out, '--only', 'framewise')
    assert ablate(monkeypatch, *only) == 0
    assert '0 trainings and 0 tests to do; 2 of 2' in capfd.readouterr().out
    assert (folder / 'table.md').read_text() == table


def test_lists_and_reports_without_running(root, tmp_path, monkeypatch, capfd):
    spec = write(tmp_path, content(root))
    out = tmp_path / 'out'
    assert ablate(monkeypatch, spec, '--out', out, '--dry-run') == 0
    shown = capfd.readouterr().out
    assert 'gru        seed 1 from first: train, t3, t5' in shown
    assert not out.exists()
    assert ablate(monkeypatch, spec, '--out', out, '--report') == 0
    assert '| gru | 0 of 2 |' in capfd.readouterr().out


def broken(**changes):
    return {**entries(), 'gru': {**entries()['gru'], **changes}}


@pytest.mark.parametrize(
    ('changes', 'arguments', 'sentence'),
    [
        ({'entries': broken(overrides={})}, [], "'gru' does not build: "),
        ({'data_root': 'no/such'}, [], "'first': there is no 'no/such'"),
        ({}, ['--only', 'grus'], "no entry 'grus': choose of first, framew"),
        ({}, ['--gpus', 2], '2 GPUs for each run need --launcher'),
        ({'seed': 1}, [], "unknown key 'seed'"),
    ],
)
def test_bad_input_ends_before_anything_runs(
    changes, arguments, sentence, root, tmp_path, monkeypatch, capfd
):
    values = content(root)
    if 'data_root' in changes:
        values['overrides'] = {
            key: value
            for key, value in options(root).items()
            if 'data_root' not in key
        }
    spec = write(tmp_path, {**values, **changes})
    out = tmp_path / 'out'
    assert ablate(monkeypatch, spec, '--out', out, *arguments) == 1
    last = capfd.readouterr().err.strip().splitlines()[-1]
    assert last.startswith('error: ')
    assert sentence in last
    assert not list(out.rglob('*.log'))


def test_one_at_a_time_in_a_folder(root, tmp_path, monkeypatch, capfd):
    out = tmp_path / 'out'
    out.mkdir()
    with open(out / '.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        spec = write(tmp_path, content(root))
        assert ablate(monkeypatch, spec, '--out', out) == 1
    assert 'another tools/ablate.py is at work' in capfd.readouterr().err
