"""Pooled runs: means, and intervals that hold what they should."""

import numpy as np
import pytest

from mmseg_video.evaluation.sequence_results import write_results
from mmseg_video.experiments.pooled import RunResults, pool

CLASSES = ('a', 'b')


def run(folder, rng, right, sequences=6, names=None, degraded=0.0):
    """A run whose pixels are right with this probability."""
    results = []
    for i in range(sequences):
        # Rows: true; columns: predicted.
        hits = rng.binomial(1000, right, 2)
        counts = np.array(
            [[hits[0], 1000 - hits[0]], [1000 - hits[1], hits[1]]]
        )
        results.append(
            dict(
                sequence=names[i] if names else f's{i}',
                frames=3,
                counts=counts,
                degraded_counts=(counts * degraded).astype(int),
            )
        )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / 'SequenceIoUMetric.sequences.json'
    write_results(path, CLASSES, results)
    return RunResults.read(path)


def runs(tmp_path, right, seed=0, **kwargs):
    rng = np.random.default_rng(seed)
    return {
        (data, training): run(
            tmp_path / f'{right}_{data}_{training}', rng, right, **kwargs
        )
        for data in range(2)
        for training in range(2)
    }


def test_figures_are_the_metrics_own(tmp_path):
    one = run(tmp_path, np.random.default_rng(0), 0.8)
    counts = one.kept['counts'].sum(0)
    iou = np.diag(counts) / (counts.sum(0) + counts.sum(1) - np.diag(counts))
    assert one.figures()['mIoU'] == pytest.approx(100 * iou.mean())
    # A sequence that counts twice is there twice; one of weight 0 is not.
    weights = np.array([2, 0, 0, 0, 0, 1])
    counts = 2 * one.kept['counts'][0] + one.kept['counts'][5]
    recall = np.diag(counts) / counts.sum(1)
    assert one.figures(weights)['mAcc'] == pytest.approx(100 * recall.mean())


def test_a_difference_that_is_there_is_found(tmp_path):
    worse, better = runs(tmp_path, 0.7), runs(tmp_path, 0.8, seed=1)
    pooled = pool(worse, better, resamples=200)['mIoU']
    assert pooled['runs'] == 4
    assert pooled['low'] > 0
    assert pooled['low'] < pooled['difference'] < pooled['high']
    own = [results.figures()['mIoU'] for results in better.values()]
    assert pooled['value'] == pytest.approx(np.mean(own))
    assert pooled['sd'] == pytest.approx(np.std(own, ddof=1))
    assert pooled['each'] == {
        f'{data}/{training}': model - worse[data, training].figures()['mIoU']
        for (data, training), model in zip(better, own, strict=True)
    }


def test_of_one_model_twice_there_is_no_difference(tmp_path):
    same = runs(tmp_path, 0.7)
    pooled = pool(same, same, resamples=50)
    for values in pooled.values():
        assert values['difference'] == values['low'] == values['high'] == 0


def test_the_interval_grows_with_the_spread_over_data_sets(tmp_path):
    rng = np.random.default_rng(0)
    base = {(d, 0): run(tmp_path / f'b{d}', rng, 0.7) for d in range(3)}
    even = {(d, 0): run(tmp_path / f'e{d}', rng, 0.75) for d in range(3)}
    uneven = {
        (d, 0): run(tmp_path / f'u{d}', rng, right)
        for d, right in enumerate((0.65, 0.75, 0.85))
    }

    def width(model):
        pooled = pool(base, model, resamples=200)['mIoU']
        return pooled['high'] - pooled['low']

    assert width(uneven) > 2 * width(even)


def test_clean_and_degraded_frames_apart(tmp_path):
    one = run(tmp_path, np.random.default_rng(0), 0.8, degraded=0.25)
    assert {'mIoU', 'mIoU_clean', 'mIoU_degraded'} <= one.figures().keys()


def test_other_sequences_are_refused(tmp_path):
    rng = np.random.default_rng(0)
    base = {(0, 0): run(tmp_path / 'a', rng, 0.7)}
    other = {(0, 0): run(tmp_path / 'b', rng, 0.7, 2, ['s0', 'x'])}
    with pytest.raises(ValueError, match='different sequences: 6 and 2'):
        pool(base, other)
    with pytest.raises(ValueError, match='other runs'):
        pool(base, {(1, 0): base[0, 0]})


def test_one_run_has_an_interval_over_its_sequences(tmp_path):
    rng = np.random.default_rng(0)
    base = {(0, 0): run(tmp_path / 'a', rng, 0.7)}
    model = {(0, 0): run(tmp_path / 'b', rng, 0.75)}
    pooled = pool(base, model, resamples=50)['mIoU']
    assert pooled['sd'] is None
    assert pooled['low'] < pooled['difference'] < pooled['high']


def test_trainings_of_a_data_set_share_its_sequences(tmp_path):
    """So more of them, all alike, narrow no interval."""
    base, model = runs_alike(tmp_path, 1)
    one = pool(base, model, resamples=400)['mIoU']
    base, model = runs_alike(tmp_path, 5)
    five = pool(base, model, resamples=400)['mIoU']
    widths = [r['high'] - r['low'] for r in (one, five)]
    assert widths[1] == pytest.approx(widths[0], rel=0.2)


def runs_alike(tmp_path, trainings):
    base = run(tmp_path / 'a', np.random.default_rng(0), 0.7)
    model = run(tmp_path / 'b', np.random.default_rng(1), 0.75)
    keys = [(0, training) for training in range(trainings)]
    return dict.fromkeys(keys, base), dict.fromkeys(keys, model)


def test_a_data_set_without_degraded_frames_has_no_figure_of_them(tmp_path):
    rng = np.random.default_rng(0)
    some = run(tmp_path / 'a', rng, 0.7, degraded=0.2)
    none = run(tmp_path / 'b', rng, 0.7)
    both = {(0, 0): none, (1, 0): some}
    pooled = pool(both, both, resamples=20)
    assert pooled['mIoU']['runs'] == 2
    assert pooled['mIoU_degraded']['runs'] == 1
    value = some.figures()['mIoU_degraded']
    assert pooled['mIoU_degraded']['value'] == pytest.approx(value)


def test_each_data_set_counts_as_much_however_many_trainings_it_has(tmp_path):
    rng = np.random.default_rng(0)
    base = run(tmp_path / 'base', rng, 0.6)
    better = run(tmp_path / 'better', rng, 0.9)
    # Data set 1 gains, 0 does not.
    even = pool(
        {(0, 0): base, (1, 0): base},
        {(0, 0): base, (1, 0): better},
        resamples=200,
    )['mIoU']
    trainings = {(0, t): base for t in range(3)}
    uneven = pool(
        {**trainings, (1, 0): base},
        {**trainings, (1, 0): better},
        resamples=200,
    )['mIoU']
    assert (even['runs'], uneven['runs']) == (2, 4)
    for name in ('value', 'difference'):
        assert uneven[name] == pytest.approx(even[name])
    assert uneven['low'] == even['low'] == 0  # data set 0 drawn twice
    assert uneven['high'] == pytest.approx(even['high'], rel=0.1)
