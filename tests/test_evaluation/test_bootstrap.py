"""What the bootstrap says of two models that it knows."""

import copy

import numpy as np
import pytest
from mmseg.registry import METRICS

from mmseg_video.evaluation.bootstrap import (
    bootstrap,
    compare,
    significance,
)
from mmseg_video.evaluation.sequence_results import (
    read_results,
    write_results,
)

CLASSES = ['a', 'b', 'c']


@pytest.fixture
def metric():
    metric = METRICS.build(dict(type='SequenceIoUMetric'))
    metric.dataset_meta = dict(classes=CLASSES)
    return metric


def sequences(num=20, seed=0):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 100, (num, 3, 3)) + 200 * np.eye(3, dtype=int)
    return [
        dict(sequence=f's{i}', counts=c, degraded_counts=0 * c)
        for i, c in enumerate(counts)
    ]


def improved(results, wrong_becomes_right=0.5):
    """Part of what was wrong is right, in every sequence."""
    better = copy.deepcopy(results)
    for result in better:
        counts = result['counts']
        wrong = counts * (1 - np.eye(3, dtype=int))
        gained = (wrong * wrong_becomes_right).astype(int)
        result['counts'] = counts - gained + np.diag(gained.sum(1))
    return better


def test_a_model_does_not_differ_from_itself(metric):
    for values in bootstrap(metric, sequences(), sequences(), 50).values():
        assert values['difference'] == values['low'] == values['high'] == 0
        assert significance('mIoU', values) == 'not sure'


def test_what_is_better_everywhere_is_surely_better(metric):
    base = sequences()
    got = bootstrap(metric, base, improved(base), 200)
    for values in got.values():
        assert 0 < values['low'] <= values['difference'] <= values['high']
        assert significance('mIoU', values) == 'better'
        assert significance('flicker', values) == 'worse'
        assert significance('flicker_static_clean', values) == 'worse'
        assert significance('flicker_degraded', values) == 'worse'
        assert significance('mIoU_clean', values) == 'better'


def test_what_is_drawn_by_chance_is_not(metric):
    """Two models alike: the interval misses 0 about once in twenty."""
    missed = 0
    for seed in range(40):
        pair = sequences(seed=2 * seed), sequences(seed=2 * seed + 1)
        values = bootstrap(metric, *pair, 200)['mIoU']
        missed += significance('mIoU', values) != 'not sure'
    assert missed <= 8


def test_the_order_of_sequences_does_not_matter(metric):
    base, ours = sequences(), sequences(seed=1)
    assert bootstrap(metric, base, ours, 50) == bootstrap(
        metric, base[::-1], ours, 50
    )


def test_other_sequences_are_refused(metric):
    with pytest.raises(ValueError, match='different sequences: 20 and 19'):
        bootstrap(metric, sequences(), sequences(19))
    twice = [*sequences(), sequences()[0]]
    with pytest.raises(ValueError, match='in several pieces'):
        bootstrap(metric, twice, twice)


def test_the_same_sequences_are_drawn_for_both(metric):
    """Sequences that differ a lot, of which the model gains little in each:
    only a paired interval is narrow."""
    base = sequences()
    for i, result in enumerate(base):  # from easy to hard
        result['counts'] += 20 * i * (1 - np.eye(3, dtype=int))
    values = bootstrap(metric, base, improved(base, 0.05), 400)['mIoU']
    assert significance('mIoU', values) == 'better'
    paired = values['high'] - values['low']
    rng = np.random.default_rng(0)
    means = []
    for _ in range(400):
        drawn = [base[i] for i in rng.integers(len(base), size=len(base))]
        means.append(100 * metric.summarise(drawn)['mIoU'])
    low, high = np.percentile(means, [2.5, 97.5])
    assert paired < (high - low) / 4


def test_what_two_tests_kept_is_compared(metric, tmp_path):
    base = sequences()
    for name, results in (('base', base), ('ours', improved(base))):
        (tmp_path / name).mkdir()
        path = tmp_path / name / 'SequenceIoUMetric.sequences.json'
        write_results(path, CLASSES, results)
    got = compare(tmp_path / 'base', tmp_path / 'ours', 50)
    assert got['figures'] == bootstrap(metric, base, improved(base), 50)
    assert list(got['classes']) == CLASSES
    assert all(ours > base for base, ours in got['classes'].values())


def test_kept_results_are_read_as_they_were_written(tmp_path):
    path = tmp_path / 'a.json'
    results = [
        dict(
            sequence='a',
            frames=np.int64(3),
            counts=np.arange(4).reshape(2, 2),
            VC8=dict(sum=np.float64(0.1) + 0.2, windows=7),
        )
    ]
    write_results(path, CLASSES, results)
    classes, (got,) = read_results(path)
    assert classes == CLASSES
    np.testing.assert_array_equal(got.pop('counts'), results[0]['counts'])
    assert got == dict(
        sequence='a', frames=3, VC8=dict(sum=0.1 + 0.2, windows=7)
    )
    with pytest.raises(TypeError, match='object is neither a number nor'):
        write_results(path, CLASSES, [dict(what=object())])


@pytest.mark.parametrize('content', [b'\x80\x04N.', b'[1]', b'{"classes": 1}'])
def test_a_file_of_a_stranger_does_not_run(tmp_path, content):
    path = tmp_path / 'a.json'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r'a\.json. holds no results of seq'):
        read_results(path)
