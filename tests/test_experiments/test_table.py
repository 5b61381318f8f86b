"""The figures of the table, by hand, and its pictures."""

import csv
import io

import pytest
from PIL import Image

from mmseg_video.experiments.plot import draw_costs, draw_flicker, draw_matrix
from mmseg_video.experiments.table import (
    Figure,
    Row,
    as_csv,
    as_markdown,
    collect,
    matrix,
    matrix_as_markdown,
)
from tests.test_experiments.specs import FRAMEWISE, Fake, entries, plan
from tests.test_experiments.test_plan import do

T5, T12 = ('t5', 'mIoU'), ('t12', 'mIoU')
BASE = {T5: Figure({0: 27.54, 1: 27.92, 2: 26.83})}
OURS = {
    T5: Figure({0: 30.11, 1: 31.47, 2: 28.76}),
    T12: Figure({0: 28.72}),
}
ROWS = [
    Row(
        'framewise',
        3,
        BASE,
        cost=dict(parameters=14_280_000, latency_ms=130.0, ratio=1.0),
        is_baseline=True,
    ),
    Row(
        'gru',
        3,
        OURS,
        {T5: OURS[T5].minus(BASE[T5])},
        dict(parameters=15_630_000, latency_ms=143.0, ratio=1.1),
    ),
]


def test_mean_spread_and_difference_by_hand():
    figure = Figure({0: 1.0, 1: 3.0, 2: 8.0})
    assert figure.mean == 4.0
    assert figure.std == pytest.approx(13**0.5)  # (9 + 1 + 16) / 2
    paired = figure.minus(Figure({2: 2.0, 0: 0.0, 5: 9.0}))
    assert paired.values == {0: 1.0, 2: 6.0}
    assert (paired.mean, paired.std) == (3.5, pytest.approx(12.5**0.5))
    assert Figure({0: 2.0}).std is None
    assert Figure({}).mean is None
    assert Figure({}).text() == ''


def test_the_table_says_how_many_seeds_there_are():
    head, _, base, ours = as_markdown(ROWS).splitlines()
    assert head == (
        '|  | seeds | mIoU, t5 | difference | mIoU, t12 | difference | '
        'parameters (M) | latency (ms) | ratio |'
    )
    assert base == (
        '| **framewise** | 3 | 27.43 ± 0.55 |  |  |  | 14.28 | 130.00 | 1.00 |'
    )
    assert ours == (
        '| gru | 1 of 3 | 30.11 ± 1.36 | +2.68 ± 0.82 | 28.72 |  | '
        '15.63 | 143.00 | 1.10 |'
    )


def test_the_table_says_what_latencies_are_of():
    def row(threads):
        on = f'CPU, {threads} threads'
        return Row('a', 1, BASE, cost=dict(latency_ms=1.0, latency_on=on))

    text = as_markdown([row(2), row(1), Row('b', 1, BASE)])
    assert text.endswith('\n\nLatency on CPU, 1 threads or CPU, 2 threads.\n')


def test_without_a_baseline_there_are_no_differences():
    text = as_markdown([Row('a', 1, OURS)])
    assert 'difference' not in text
    assert 'ratio' not in text


def test_csv_has_a_number_in_each_cell():
    base, ours = csv.DictReader(io.StringIO(as_csv(ROWS)))
    assert float(ours['t5 mIoU mean']) == pytest.approx(30.1133, abs=1e-4)
    assert float(ours['t5 mIoU difference']) == pytest.approx(2.6833, abs=1e-4)
    assert ours['t12 mIoU n'] == '1'
    assert ours['t12 mIoU std'] == base['t5 mIoU difference'] == ''
    assert ours['parameters'] == '15630000'


def test_the_matrix_lays_out_one_figure():
    metric, protocols = matrix(ROWS)
    assert (metric, protocols) == ('mIoU', ['t5', 't12'])
    text = matrix_as_markdown(ROWS, metric, protocols)
    assert '| gru | **30.11 ± 1.36** | **28.72** |' in text
    assert matrix(ROWS[:1]) is None
    low = Row('calm', 1, {('a', 'flicker'): Figure({0: 1.0})})
    high = Row('wild', 1, {('a', 'flicker'): Figure({0: 2.0})})
    text = matrix_as_markdown([low, high], 'flicker', ['a'])
    assert '**1.00**' in text  # less of it is better
    assert '**2.00**' not in text


def test_collects_what_is_there(tmp_path):
    class NoCosts:
        def get(self, cfg, baseline):
            return {}

    fake = Fake(
        mious=dict(framewise=20.0, gru=22.0), broken=['gru, seed 1, t5']
    )
    ours = plan(tmp_path)
    base, gru = collect(ours, NoCosts())
    assert (base.seeds_done, gru.seeds_done) == (0, 0)
    do(ours, fake)
    base, gru = collect(ours, NoCosts())
    assert base.is_baseline
    assert base.differences == {}
    assert base.figures['t5', 'mIoU'].values == {0: 20.0, 1: 21.0}
    assert gru.figures['t5', 'mIoU'].values == {0: 22.0}
    assert gru.differences['t3', 'mIoU'].values == {0: 2.0, 1: 2.0}
    assert gru.seeds_done == 1


def test_an_entry_may_have_a_baseline_of_its_own(tmp_path):
    class NoCosts:
        def get(self, cfg, baseline):
            return {}

    own = {'config': FRAMEWISE, 'baseline': 'alone'}
    other = dict(own, overrides={'train_cfg.max_iters': 3})
    ours = plan(tmp_path, entries=dict(entries(), alone=own, other=other))
    do(
        ours,
        Fake(mious=dict(framewise=20.0, gru=22.0, alone=30.0, other=31.0)),
    )
    rows = {row.name: row for row in collect(ours, NoCosts())}
    assert [r.name for r in rows.values() if r.is_baseline] == [
        'framewise',
        'alone',
    ]
    t3 = 't3', 'mIoU'
    assert rows['gru'].differences[t3].mean == 2.0
    assert rows['other'].differences[t3].mean == 1.0
    assert rows['alone'].differences == {}


def test_pictures(tmp_path):
    assert draw_costs(ROWS, tmp_path / 'cost.png')
    draw_matrix(ROWS, 'mIoU', ['t5', 't12'], tmp_path / 'matrix.png')
    for path in (tmp_path / 'cost.png', tmp_path / 'matrix.png'):
        image = Image.open(path).convert('L')
        assert image.width > 400
        assert len(set(image.getdata())) > 10
    # Nothing to draw: no cost, or no figure.
    assert not draw_costs([Row('a', 1, BASE)], tmp_path / 'none.png')
    empty = Row('a', 1, {T5: Figure({})}, cost=ROWS[0].cost)
    assert not draw_costs([empty], tmp_path / 'none.png')
    assert not (tmp_path / 'none.png').exists()


def test_accuracy_against_flicker(monkeypatch, tmp_path):
    from mmseg_video.experiments import plot

    shown = []

    def keep(figure, path):
        for axis in figure.axes:
            points = [
                tuple(map(float, line.get_xydata()[0]))
                for bar in axis.containers
                for line in bar.lines[:1]
            ]
            shown.append((axis.get_title(), axis.get_xlabel(), points))

    monkeypatch.setattr(plot, 'save_figure', keep)

    def row(name, miou, **flicker):
        figures = dict(mIoU=miou, **flicker)
        return Row(
            name,
            1,
            {('stream', k): Figure({0: v}) for k, v in figures.items()},
        )

    rows = [
        row('framewise', 30.0, flicker=9.0, flicker_static=7.0),
        row('average', 31.0, flicker=8.0, flicker_static=3.0),
        row('unfinished', 32.0),
    ]
    assert draw_flicker(rows, tmp_path / 'flicker.png')
    title, label, points = shown.pop()
    assert (title, label) == ('mIoU, stream', 'static-label flicker (%)')
    assert points == [(7.0, 30.0), (3.0, 31.0)]
    # Where nothing is labelled between the key frames, the raw one.
    assert draw_flicker([row('a', 30.0, flicker=9.0)], tmp_path / 'x.png')
    assert shown.pop()[1:] == ('flicker (%)', [(9.0, 30.0)])
    assert not draw_flicker(ROWS, tmp_path / 'x.png')


def test_labels_lie_apart(monkeypatch, tmp_path):
    from mmseg_video.experiments import plot

    boxes = []

    def keep(figure, path):
        figure.canvas.draw()
        for axis in figure.axes:
            boxes.append([text.get_window_extent() for text in axis.texts])

    monkeypatch.setattr(plot, 'save_figure', keep)
    rows = [
        Row(
            f'an_entry_{i}',
            2,
            {T5: Figure({0: 30 + i % 3 / 4, 1: 30.5})},
            cost=dict(latency_ms=100 + 4 * (i // 2)),
        )
        for i in range(8)
    ]
    draw_costs(rows, tmp_path / 'cost.png')
    (labels,) = boxes
    assert len(labels) >= 8
    shown = [box for box in labels if box.width > 30]
    for i, one in enumerate(shown):
        assert not any(one.overlaps(other) for other in shown[i + 1 :])
