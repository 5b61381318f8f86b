"""A survey's table has every row of its spec, run or not."""

import json
from pathlib import Path

import pytest
import yaml

from mmseg_video.experiments.benchmark_results import ResultsError
from mmseg_video.experiments.spec import read_spec
from mmseg_video.experiments.survey_table import fill_surveys, survey_table

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = {
    name: f'configs/{name}.py' for name in ('unet_street', 'rnn_unet_street')
}
SPEC = dict(
    protocols=dict(stream=['mIoU', 'flicker_static']),
    baseline='alone',
    entries=dict(
        first=dict(config=CONFIGS['unet_street'], protocols={}),
        gru=dict(config=CONFIGS['rnn_unet_street'], title='a past'),
        alone=dict(config=CONFIGS['unet_street'], title='no past'),
        other=dict(config=CONFIGS['unet_street'], baseline='other'),
        other_past=dict(config=CONFIGS['rnn_unet_street'], baseline='other'),
    ),
)
PAGE = (
    'before\n<!-- survey: s.yml r.json -->\n| old |\n'
    '<!-- end of survey -->\nafter\n'
)


@pytest.fixture
def root(tmp_path):
    (tmp_path / 's.yml').write_text(yaml.safe_dump(SPEC, sort_keys=False))
    return tmp_path


def write_results(root, **rows):
    """Entry -> mIoU, difference, and flicker and its difference."""
    where = dict(data='bursts', split='test', protocol='stream', subset='all')
    found = []
    for entry, (miou, gain, flicker, less) in rows.items():
        for figure, value, change in (
            ('mIoU', miou, gain),
            ('flicker_static', flicker, less),
        ):
            own = dict(entry=entry, figure=figure, value=value, sd=None)
            bounds = dict(low=None, high=None)
            if change is not None:
                bounds = dict(low=change - 0.5, high=change + 0.5)
            found.append(
                dict(where, runs=3, difference=change, **own, **bounds)
            )
    content = dict(
        baseline='alone',
        entries={name: dict(title=name) for name in SPEC['entries']},
        rows=found,
    )
    (root / 'r.json').write_text(json.dumps(content))


def lines(root):
    filled = fill_surveys(PAGE, root)
    assert fill_surveys(filled, root) == filled
    assert filled.startswith('before\n')
    assert filled.endswith('-->\nafter\n')
    return filled.splitlines()


def test_without_results_every_row_was_not_run(root):
    found = lines(root)
    assert '0 of 4 rows were run.' in found
    assert sum('| not run |' in line for line in found) == 4


def test_what_was_run_has_figures_and_the_rest_says_so(root):
    write_results(
        root,
        alone=(40, None, 8, None),
        gru=(41.5, 1.5, 6, -2.0),
        first=(1, 1, 1, 1),
    )
    found = lines(root)
    assert '2 of 4 rows were run.' in found
    rows = [line for line in found if line.startswith('| ') and '`' in line]
    # Baselines first; what is only started from has no row.
    assert [row.split(' | ')[0].strip('| ') for row in rows] == [
        *('**no past**', 'a past', '**other**', 'other past')
    ]
    assert 'configs/unet_street.py` | 40.00 |  | 8.00 |  | 3 |' in rows[0]
    assert '| 41.50 | +1.50 (+1.00 to +2.00) | 6.00 | -25 % | 3 |' in rows[1]
    assert all('| not run |  |  |  |  |' in row for row in rows[2:])


def test_an_entry_that_the_results_do_not_know_was_not_run(root):
    write_results(root, alone=(40, None, 8, None))
    content = json.loads((root / 'r.json').read_text())
    del content['entries']['gru']
    (root / 'r.json').write_text(json.dumps(content))
    assert '1 of 4 rows were run.' in lines(root)


def test_results_that_are_none_are_refused(root):
    (root / 'r.json').write_text('[1]')
    with pytest.raises(ResultsError, match='holds no results of a benchmark'):
        fill_surveys(PAGE, root)


def test_the_survey_asks_for_each_system_beside_its_own_baseline():
    spec = read_spec('survey')
    assert {'dru_from_scratch', 'icnet_v6', 'ohem', 'bptt'} <= set(
        spec.entries
    )
    for entry in spec.rows:
        assert entry.baseline in spec.entries, entry.name
    assert str(ROOT) not in survey_table(spec, None, ROOT)
