"""The figure of every run: a point for each, a row for each system."""

import json

import pytest

from mmseg_video.experiments.benchmark_results import (
    BenchmarkResults,
    Column,
    ResultsError,
)
from mmseg_video.experiments.output import subplots
from mmseg_video.experiments.runs_plot import draw_runs
from tests import evidence

COLUMNS = {
    'all': Column('bursts', 'stream'),
    'clean': Column('bursts', 'stream', subset='clean'),
}
EACH = {'0/0': 1.0, '0/1': 1.5, '2/0': -0.5}


@pytest.fixture
def benchmark(tmp_path):
    path = evidence.write(tmp_path) / 'street_scenes/results.json'
    content = json.loads(path.read_text())
    for row in content['rows']:
        if row['entry'] != 'laterals':  # of which only the means are known
            row['each'] = EACH
    path.write_text(json.dumps(content))
    return BenchmarkResults(path)


def test_results_without_single_runs_are_refused(benchmark):
    for row in benchmark.content['rows']:
        row.pop('each', None)
    figure, axes = subplots(1, len(COLUMNS), (8, 4))
    with pytest.raises(ResultsError, match='no single runs: bash tools/'):
        draw_runs(figure, axes[0], benchmark, COLUMNS)


def test_each_run_of_each_system_is_a_point(benchmark):
    figure, axes = subplots(1, len(COLUMNS), (8, 4))
    draw_runs(figure, axes[0], benchmark, COLUMNS)
    labels = [text.get_text() for text in axes[0][0].get_yticklabels()]
    assert labels == [
        title
        for name, title in evidence.TITLES.items()
        if name not in ('framewise', 'laterals')
    ]
    for axis in axes[0]:
        points = [
            line.get_xdata()[0]
            for line in axis.lines
            if line.get_marker() == 'o'
        ]
        assert sorted(points) == sorted([*EACH.values()] * len(labels))
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ['data set 0', 'data set 2']
