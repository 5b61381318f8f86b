import json

import pytest

from mmseg_video.experiments.benchmark_results import (
    BenchmarkResults,
    Column,
    ResultsError,
)


def row(entry, value, figure='mIoU', **more):
    return dict(
        data='clean',
        split='test',
        protocol='stream',
        subset='all',
        entry=entry,
        figure=figure,
        value=value,
        **more,
    )


@pytest.fixture
def path(tmp_path):
    path = tmp_path / 'street_scenes/results.json'
    path.parent.mkdir()
    gain = dict(difference=1.25, low=0.4, high=2.1)
    content = dict(
        benchmark='street scenes 1.0',
        baseline='base',
        best='ours',
        entries=dict(ours=dict(title='gated EMA'), base={}, other={}),
        rows=[
            row('base', 40.0, difference=None, low=None, high=None),
            row('ours', 41.25, **gain),
            row('ours', 3.0, 'flicker_static'),
        ],
    )
    path.write_text(json.dumps(content))
    return path


def test_a_row_for_each_entry_that_was_measured(path):
    results = BenchmarkResults(path)
    head, rows = results.table(
        {
            'mIoU': Column('clean', 'stream'),
            'not measured': Column('bursts', 't5'),
            'flicker': Column('clean', 'stream', 'flicker_static'),
        }
    )
    assert head == ['', 'mIoU', 'flicker']
    assert rows == [
        ['base', '40.0', ''],
        ['**gated EMA**', '41.2 (+1.2: +0.4 to +2.1)', '3.0'],
    ]


def test_an_entry_by_its_name_or_by_what_it_is(path):
    results = BenchmarkResults(path, {'ours': 'short'})
    column = Column('clean', 'stream')
    assert results.row('best', column) is results.row('ours', column)
    assert results.title('best') == 'short'
    assert results.title('baseline') == 'base'
    assert results.baseline_first == ['base', 'ours', 'other']
    assert results.row('other', column) is None
    assert not results.measured(Column('clean', 'stream', split='val'))
    for name in ('none', 'best_without_laterals'):
        with pytest.raises(ResultsError, match=f"no entry '{name}' in '.*bas"):
            results.row(name, column)


def test_none_and_other_files_are_refused_with_the_command(path):
    missing = path.with_name('none.json')
    with pytest.raises(FileNotFoundError, match=r'reproduce\.sh makes them'):
        BenchmarkResults(missing)
    path.write_text('{"benchmark": "x"}')
    with pytest.raises(ResultsError, match='holds no results of a benchmark'):
        BenchmarkResults(path)


def test_entries_are_compared_in_the_runs_of_both(path):
    content = json.loads(path.read_text())
    column = Column('clean', 'stream')
    assert BenchmarkResults(path).common_differences(['ours'], column) == [
        1.25
    ]
    each = {'0/0': 1.0, '0/1': 2.0, '1/0': 5.0}
    content['rows'][1]['each'] = each
    other = row('other', 40.0, difference=9.0, low=8.0, high=10.0)
    content['rows'].append(other | dict(each={'0/0': 3.0, '1/0': 4.0}))
    path.write_text(json.dumps(content))
    results = BenchmarkResults(path)
    both = results.common_differences(['ours', 'other'], column)
    assert both == [3.0, 3.5]
    # Data sets count as much, however many trainings they have.
    assert results.common_differences(['ours'], column) == [3.25]
    content['rows'][-1]['each'] = {'2/0': 1.0}
    path.write_text(json.dumps(content))
    with pytest.raises(ResultsError, match='no run in common of ours and oth'):
        BenchmarkResults(path).common_differences(['ours', 'other'], column)


def test_an_entry_over_another_has_rows_of_its_own(path):
    content = json.loads(path.read_text())
    over = row('ours', 41.25, difference=0.3, low=-0.2, high=0.9)
    content['over'] = dict(other=[over])
    path.write_text(json.dumps(content))
    results = BenchmarkResults(path)
    column = Column('clean', 'stream')
    assert results.row('best/other', column)['difference'] == 0.3
    assert results.row('best', column)['difference'] == 1.25
    assert results.row('best/base', column) is None
