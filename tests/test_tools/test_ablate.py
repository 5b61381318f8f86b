"""tools/ablate.py: tiny trainings, and what goes wrong."""

import re
import runpy
import shutil
import sys
from pathlib import Path

import pytest
import torch
from mmengine import Config
from PIL import Image

from mmseg_video.io.locks import FolderLock
from tests.commands import TOOLS, follow_here
from tests.runs import options
from tests.test_experiments.specs import FRAMEWISE, content, entries, write


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
    monkeypatch.setattr('mmseg_video.experiments.launch.follow', follow_here)
    ours = entries()
    ours['broken'] = {
        'config': FRAMEWISE,
        'overrides': {'train_dataloader.dataset.pipeline.0.type': 'NoSuch'},
    }
    ours['after_it'] = {'config': FRAMEWISE, 'load_from': 'broken'}
    spec = write(
        tmp_path,
        content(root, seeds=[0], entries=ours, protocols={'t3': ['mIoU']}),
    )
    out = tmp_path / 'out'
    assert ablate(monkeypatch, spec, '--out', out) == 1
    shown = capfd.readouterr()
    assert 'gru        seed 0 from first: train, t3' in shown.out
    assert '5 trainings and 4 tests to do; 0 of 9' in shown.out
    assert 'framewise, seed 0, train: ' in shown.out
    assert re.search('framewise, seed 0, t1: .*; 6 left, about ', shown.out)
    assert 'FAILED: broken, seed 0, train: ' in shown.out
    said = shown.out.split('FAILED: broken, seed 0, train: ')[1]
    assert 'NoSuch' in said.split('FAILED')[0]
    assert "not begun: 'broken, seed 0, train' failed" in shown.out
    assert shown.err.strip().splitlines()[-1] == (
        'error: 4 failed, see above; the same command does them again, and '
        'only them'
    )
    folder = out / 'spec'
    table = (folder / 'table.md').read_text()
    assert table in shown.out
    rows = {
        row.split('|')[1].strip(): [c.strip() for c in row.split('|')[2:-1]]
        for row in table.splitlines()
        if row.startswith('|')
    }
    seeds, miou, difference, parameters, latency, ratio = rows['gru']
    baseline = rows['**framewise**']
    gain = float(miou) - float(baseline[1])
    assert float(difference) == pytest.approx(gain, abs=0.011)
    assert (seeds, baseline[-1]) == ('1', '1.00')
    assert float(parameters) > float(baseline[3])
    assert float(latency) > 0
    assert float(ratio) > 0
    assert rows['broken'][:3] == ['0 of 1', '', '']
    assert Image.open(folder / 'cost.png').width > 400

    # A run by hand needs its config alone.
    path = folder / 'gru/seed0/config.py'
    cfg = Config.fromfile(path)
    assert cfg.train_cfg.max_iters == 2
    assert cfg.train_dataloader.dataset.data_root == str(root)
    assert Path(cfg.load_from).samefile(
        folder / 'first/seed0/train/iter_2.pth'
    )
    log = folder / 'broken/seed0/train.log'
    assert 'error: ' in log.read_text()

    # Nothing that is done is done again.
    only = (spec, '--out', out, '--only', 'gru', 'framewise')
    assert ablate(monkeypatch, *only) == 0
    assert '0 trainings and 0 tests to do; 5 of 5' in capfd.readouterr().out
    assert (folder / 'table.md').read_text() == table


def test_lists_and_reports_without_running(root, tmp_path, monkeypatch, capfd):
    spec = write(tmp_path, content(root))
    out = tmp_path / 'out'
    assert ablate(monkeypatch, spec, '--out', out, '--dry-run') == 0
    shown = capfd.readouterr().out
    assert 'gru        seed 1 from first: train, t3, t5' in shown
    assert not out.exists()
    some = ('--dry-run', '--seeds', 1)
    assert ablate(monkeypatch, spec, '--out', out, *some) == 0
    shown = capfd.readouterr().out
    assert 'gru        seed 1 from first: train, t3, t5' in shown
    assert 'seed 0' not in shown
    assert '3 trainings and 3 tests to do; 0 of 6' in shown
    assert ablate(monkeypatch, spec, '--out', out, '--report') == 0
    assert '| gru | 0 of 2 |' in capfd.readouterr().out


def test_a_dry_run_names_the_weights_that_are_missing(
    root, tmp_path, monkeypatch, capfd
):
    there, files = tmp_path / '0.pth', f'{tmp_path}/{{seed}}.pth'
    torch.save(dict(state_dict={}), there)
    values = {'config': FRAMEWISE, 'protocols': {'t3': ['mIoU']}}
    spec = write(
        tmp_path,
        content(
            root,
            baseline=None,
            entries={
                'brought': {**values, 'checkpoint_of': files},
                'more': {**values, 'load_from': files},
                'none': {**values, 'load_from': 'no/such.pth', 'seeds': [0]},
                'last': {**values, 'checkpoint_of': 'more'},
            },
        ),
    )
    out = tmp_path / 'out'
    assert ablate(monkeypatch, spec, '--out', out, '--dry-run') == 0
    shown = capfd.readouterr().out
    assert '3 trainings and 7 tests to do; 0 of 10 stages' in shown
    weights = shown.split('weights that are not there yet:\n')[1]
    why = 'which nothing in this spec makes: bring it'
    assert weights.splitlines() == [
        '  last, seed 0: more, seed 0 makes them',
        '  last, seed 1: more, seed 1 makes them',
        f"  none, seed 0: 'no/such.pth', {why}",
        f"  brought, seed 1: '{tmp_path}/1.pth', {why}",
        f"  more, seed 1: '{tmp_path}/1.pth', {why}",
    ]
    only = ('--dry-run', '--only', 'brought', '--seeds', 0)
    assert ablate(monkeypatch, spec, '--out', out, *only) == 0
    assert 'not there yet' not in capfd.readouterr().out
    # What is carried out needs them.
    assert ablate(monkeypatch, spec, '--out', out) == 1
    last = capfd.readouterr().err.strip().splitlines()[-1]
    assert "'none': load_from 'no/such.pth' is not there, and noth" in last
    assert not out.exists()
    # But only of the entries and seeds that are asked for.
    asked = ('--only', 'brought', '--report', '--seeds')
    assert ablate(monkeypatch, spec, '--out', out, *asked, 0) == 0
    assert '| brought | 0 of 2 |' in capfd.readouterr().out
    assert ablate(monkeypatch, spec, '--out', out, *asked, 1) == 1
    last = capfd.readouterr().err.strip().splitlines()[-1]
    assert f"'brought': checkpoint_of '{tmp_path}/1.pth' is not" in last


def test_one_seed_of_many_nets_is_run_without_the_others(
    root, framewise, tmp_path, monkeypatch, capfd
):
    monkeypatch.setattr('mmseg_video.experiments.launch.follow', follow_here)
    shutil.copy(framewise / 'iter_2.pth', tmp_path / '1.pth')
    ours = {'config': FRAMEWISE, 'checkpoint_of': f'{tmp_path}/{{seed}}.pth'}
    values = content(root, baseline=None, protocols={'t3': ['mIoU']})
    spec = write(tmp_path, {**values, 'entries': {'brought': ours}})
    out = ('--out', tmp_path / 'out', '--no-costs', '--seeds')
    assert ablate(monkeypatch, spec, *out, 1) == 0
    assert '| brought | 1 of 2 |' in capfd.readouterr().out
    links = [path.name for path in (tmp_path / 'out/spec/brought').iterdir()]
    assert links == ['seed1']


def broken(**changes):
    return {**entries(), 'gru': {**entries()['gru'], **changes}}


@pytest.mark.parametrize(
    ('changes', 'arguments', 'sentence'),
    [
        (
            {'entries': broken(overrides={'model.neck.levels': [9]})},
            [],
            "entry 'gru' does not build: levels=[9]",
        ),
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
    spec = write(tmp_path, content(root))
    with FolderLock(out, 'command', '--out'):
        assert ablate(monkeypatch, spec, '--out', out) == 1
    assert 'in use by another command' in capfd.readouterr().err
