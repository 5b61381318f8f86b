"""The committed figures are those of the committed runs.

A run belongs to a config by the hash of all that decides its weights or
figures: a config that changed has no runs in the archive, and its results are
to be made anew (tools/reproduce.sh).
"""

import json

import pytest

from mmseg_video.experiments.evidence import gather
from tests.commands import ROOT, TOOLS, call_here

UNPACK = TOOLS / 'dev/unpack_runs.py'
SAME = ('value', 'sd', 'runs', 'difference')


def key(row: dict) -> tuple:
    names = ('data', 'split', 'protocol', 'entry', 'subset', 'figure')
    return tuple(row[name] for name in names)


@pytest.mark.parametrize(
    ('name', 'seeds'), [('street_scenes', (0, 1, 2)), ('survey', (0,))]
)
def test_figures_come_from_the_runs(name, seeds, tmp_path, monkeypatch):
    folder = ROOT / 'work_dirs/results' / name
    results = json.loads((folder / 'results.json').read_text())
    code = call_here(UNPACK, folder / 'runs.tar.xz', tmp_path)
    assert code == 0
    monkeypatch.chdir(tmp_path)  # where no data are
    pooled = gather(
        [('bursts', 'test', str(ROOT / f'configs/ablations/{name}.yml'))],
        [tmp_path / f'seed{seed}' for seed in seeds],
        [f'data/street_scenes/seed{seed}' for seed in seeds],
        resamples=0,
    )
    found = {key(row): [row[s] for s in SAME] for row in pooled['rows']}
    assert found == {
        key(row): [row[s] for s in SAME]
        for row in results['rows']
        if (row['data'], row['split']) == ('bursts', 'test')
    }
    assert pooled['trainings'] == results['trainings']
    assert pooled['per_class'] == results['per_class']
    for entry, said in results['entries'].items():
        # Not what was measured beside the runs.
        assert said.items() >= pooled['entries'][entry].items()
