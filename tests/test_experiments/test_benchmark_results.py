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
