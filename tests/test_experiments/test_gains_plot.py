"""The figure of gains: numbers at the points, and a legend of them."""

import json

import pytest
from matplotlib.colors import to_hex

from mmseg_video.experiments.benchmark_results import BenchmarkResults
from mmseg_video.experiments.gains_plot import draw_gains, measured_panels
from mmseg_video.experiments.output import subplots
from tests import evidence

PANELS = {'all': ('bursts', 'all'), 'clean': ('bursts', 'clean')}


@pytest.fixture
def benchmark(tmp_path):
    """A function that changes the made-up results, and reads them."""

    def read(alter=lambda content: None):
        path = evidence.write(tmp_path) / 'street_scenes/results.json'
        content = json.loads(path.read_text())
        del content['entries']['hold']['iterations']
        content['entries']['hold']['starts_from'] = 'framewise'
        alter(content)
        path.write_text(json.dumps(content))
        return BenchmarkResults(path)

    return read


def drawn(benchmark):
    figure, axes = subplots(1, len(PANELS), (8, 4))
    draw_gains(figure, axes[0], benchmark, PANELS, fontsize=6)
    (legend,) = figure.legends
    return axes[0], legend


def test_every_system_but_the_baseline_has_a_number(benchmark):
    axes, legend = drawn(benchmark())
    systems = [name for name in evidence.TITLES if name != 'framewise']
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels == [
        f'{i}  {evidence.TITLES[name]}' for i, name in enumerate(systems, 1)
    ]
    for axis, title in zip(axes, PANELS, strict=True):
        assert axis.get_title() == title
        numbers = {text.get_text() for text in axis.texts}
        assert numbers >= {str(i) for i in range(1, len(systems) + 1)}


def test_marks_say_what_was_trained_and_what_holds(benchmark):
    _, legend = drawn(benchmark())
    marks = dict(
        zip(evidence.TITLES, [None, *legend.legend_handles], strict=True)
    )
    assert marks['framewise_longer'].get_marker() == 'D'
    assert marks['gated_ema'].get_marker() == 'o'
    assert marks['hold'].get_marker() == 's'
    assert to_hex(marks['hold'].get_markerfacecolor()) == '#ffffff'


def test_a_system_that_a_panel_lacks_has_no_point_there(benchmark):
    def alter(content):
        content['rows'] = [
            row
            for row in content['rows']
            if (row['entry'], row['subset']) != ('laterals', 'clean')
        ]

    (whole, clean), legend = drawn(benchmark(alter))
    number = next(
        text.get_text().split()[0]
        for text in legend.get_texts()
        if text.get_text().endswith(evidence.TITLES['laterals'])
    )
    assert number in {text.get_text() for text in whole.texts}
    assert number not in {text.get_text() for text in clean.texts}


def test_panels_that_were_not_measured_are_left_out(benchmark):
    panels = {'a': ('clean', 'all'), 'b': ('clean', 'degraded')}
    assert list(measured_panels(benchmark(), panels)) == ['a']
