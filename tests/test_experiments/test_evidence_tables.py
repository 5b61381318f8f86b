"""The documentation's tables say what the results say."""

import json
from pathlib import Path

import pytest

from mmseg_video.experiments import evidence_tables
from mmseg_video.experiments.evidence_tables import (
    BENCHMARK_TABLES,
    fill_tables,
)
from mmseg_video.experiments.model_table import fill_costs
from mmseg_video.experiments.survey_table import fill_surveys

ROOT = Path(__file__).resolve().parents[2]
COSTS = ROOT / 'work_dirs/results/model_table/model_table.json'
METHODS = sorted(ROOT.glob('configs/*/README.md'))
PAGES = [ROOT / 'README.md', *sorted(ROOT.glob('docs/en/**/*.md'))]


def results():
    keys = ('entry', 'figure', 'value', 'sd', 'difference', 'low', 'high')
    where = dict(data='bursts', split='test', protocol='stream', subset='all')
    where |= dict(runs=2)
    rows = [
        dict(where, **dict(zip(keys, row, strict=True)))
        for row in (
            ('base', 'mIoU', 40.0, 1.0, 0, None, None),
            ('past', 'mIoU', 41.234, 0.5, 1.234, 0.2, 2.0),
            ('past', 'flicker_static', 3.0, 0.1, -1.0, -1.2, -0.9),
        )
    ]
    entries = dict(
        base=dict(title='alone', config='a.py', iterations=3000, seconds=9.7),
        past=dict(title='with a past', config='b.py', latency_ratio=1.05),
    )
    return dict(baseline='base', entries=entries, rows=rows)


def page(name):
    return (
        f'before\n<!-- table: r.json {name} -->\n| old |\n'
        '<!-- end of table -->\nafter\n'
    )


def test_a_table_is_filled_and_filled_again_is_the_same(tmp_path):
    (tmp_path / 'r.json').write_text(json.dumps(results()))
    once = fill_tables(page('streamed'), tmp_path)
    assert '| old |' not in once
    assert once.startswith('before\n')
    assert once.endswith('-->\nafter\n')
    assert '| **baseline:** alone | 40.00 ± 1.00 |  |' in once
    assert '| 41.23 ± 0.50 | +1.23 (+0.20 to +2.00) |' in once
    assert '| 3.00 ± 0.10 | -25 % | 2 |' in once
    assert fill_tables(once, tmp_path) == once


@pytest.mark.parametrize('name', BENCHMARK_TABLES)
def test_every_table_can_be_made_of_what_there_is(name, tmp_path):
    (tmp_path / 'r.json').write_text(json.dumps(results()))
    assert '|---|' in fill_tables(page(name), tmp_path)


def test_conditions_stand_side_by_side(tmp_path):
    content = results()
    first, past, _ = content['rows']
    dark = dict(data='darkness', subset='degraded')
    content['rows'] = [
        *(first | dark, past | dark | dict(runs=3)),
        past | dict(data='far'),
    ]
    (tmp_path / 'r.json').write_text(json.dumps(content))
    table = fill_tables(page('conditions'), tmp_path)
    gain = '| 41.23 ± 0.50 | +1.23 (+0.20 to +2.00) '
    assert f'| with a past |{"  |" * 4} {gain[2:]}|  |  {gain}| 3 |' in table
    assert '| **baseline:** alone |' in table


def test_what_the_same_time_gains_is_beside_what_memory_gains(tmp_path):
    content = results()
    past = content['rows'][1]
    content['rows'].append(past | dict(entry='framewise_longer'))
    content['entries']['framewise_longer'] = dict(title='longer')
    content['entries']['joint_flow'] = dict(title='joint', iterations=600)
    content['rows'].append(past | dict(entry='joint_flow', value=42.0))
    over = past | dict(entry='joint_flow', difference=0.7, low=-0.1, high=1.4)
    content['over'] = dict(framewise_longer=[over])
    (tmp_path / 'r.json').write_text(json.dumps(content))
    front = fill_tables(page('front'), tmp_path)
    assert '| the same, over "longer" | +0.70 (-0.10 to +1.40) |' in front
    assert front.count('the same, over') == 1
    table = fill_tables(page('equal_time'), tmp_path)
    assert '| joint | +0.70 (-0.10 to +1.40; 2) |  |' in table
    assert '| with a past |' not in table


def test_the_front_has_for_each_what_took_the_same_time(tmp_path):
    content = results()
    past = content['rows'][1]
    names = ('longer_flow_ema_hold', 'joint_flow_ema_hold')
    for name in names:
        content['entries'][name] = dict(title=name.replace('_', ' '))
        content['rows'].append(past | dict(entry=name))
    over = past | dict(entry=names[1], difference=0.3, low=0.1, high=0.5)
    flicker = over | dict(figure='flicker_static', difference=1.0)
    content['over'] = {names[0]: [over, flicker]}
    (tmp_path / 'r.json').write_text(json.dumps(content))
    front = fill_tables(page('front'), tmp_path)
    assert (
        '| the same, over "longer flow ema hold" | +0.30 (+0.10 to ' in front
    )
    table = fill_tables(page('equally_steadied'), tmp_path)
    row = next(line for line in table.splitlines() if 'joint' in line)
    gain = '+0.30 (+0.10 to +0.50; 2)'
    assert row.startswith(f'| joint flow ema hold | {gain} | ')
    assert '| +1.00 (' in row


def test_nothing_is_less_than_nothing(tmp_path):
    row = dict(value=10.0, difference=-0.01, low=-0.1, high=0.1)
    assert evidence_tables.relative(row) == '0 %'
    assert evidence_tables.relative(row | dict(difference=-0.1)) == '-1 %'


def test_steps_of_several_lengths_stand_side_by_side(tmp_path):
    def row(network, num_frames, ratio, mebibytes):
        return dict(
            **dict(network=network, way='all', num_frames=num_frames),
            **dict(ratio=ratio, mebibytes=mebibytes, per_frame=59.6),
            mebibytes_ratio=mebibytes / 200,
        )

    rows = [row('framewise', 5, 1, 200), row('rnn', 5, 0.626, 500)]
    rows += [row('rnn', 12, 0.7, 900), row('other', 5, 0.8, 300)]
    (tmp_path / 'r.json').write_text(json.dumps(dict(rows=rows)))
    table = fill_tables(page('steps'), tmp_path)
    alone = '| framewise, one step |  | 1.00 | 200 MiB | 1.00 | 200 MiB |  |'
    assert alone in table
    assert '| rnn | all | 0.63 | 2.50 | 0.70 | 4.50 | 60 |' in table
    assert '| other | all | 0.80 | 1.50 |  |  | 60 |' in table


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'bash tools/reproduce'):
        fill_tables(page('streamed'), tmp_path)
    with pytest.raises(ValueError, match="no table 'x': choose of front"):
        fill_tables(page('x'), tmp_path)


@pytest.mark.parametrize('path', PAGES, ids=lambda path: path.stem)
def test_the_pages_have_what_the_results_say(path):
    text = path.read_text()
    assert fill_surveys(fill_tables(text, ROOT), ROOT) == text


def test_costs_are_filled_where_they_were_measured():
    page = (
        '| [`a.py`](a.py) | **one** | of `two` | 1.00 | 2.00 |\n'
        '| [`b.py`](b.py) | | text |  |  |\n'
        '| [`a.py`](a.py) | 1.0 | no costs here | x |\n'
    )
    rows = dict(b=dict(parameters_m=3.456, gflops=10.0))
    want = page.replace('|  |  |', '| 3.46 | 10.00 |')
    assert fill_costs(page, rows) == want
    rows['a'] = dict(parameters_m=5.0, gflops=6.0)
    want = want.replace('| 1.00 | 2.00 |', '| 5.00 | 6.00 |')
    assert fill_costs(page, rows) == want


def test_the_methods_pages_have_the_costs_of_the_model_table():
    rows = {
        row['name']: row for row in json.loads(COSTS.read_text())['models']
    }
    filled = 0
    for path in METHODS:
        text = path.read_text()
        assert fill_costs(text, rows) == text, 'tools/dev/results_tables.py'
        other = {name: dict(parameters_m=0.0, gflops=0.0) for name in rows}
        filled += fill_costs(text, other) != text
    assert filled > 15
