"""tools/compare.py, and what it says of two models that it knows."""

import copy
import json
import os
import sys

import numpy as np
import pytest
from mmseg.registry import METRICS
from PIL import Image

from mmseg_video.datasets.corruptions import CORRUPTIONS, SEVERITIES
from mmseg_video.experiments.comparison import (
    bootstrap,
    significance,
    write_robustness,
)
from tests.commands import TOOLS, call

CLASSES = ['a', 'b', 'c']


@pytest.fixture
def metric():
    metric = METRICS.build(dict(type='SequenceIoUMetric'))
    metric.dataset_meta = dict(classes=CLASSES)
    return metric


def sequences(num=20, seed=0):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 100, (num, 3, 3)) + 200 * np.eye(3, dtype=int)
    return [dict(sequence=f's{i}', counts=c) for i, c in enumerate(counts)]


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


def test_robustness_is_a_row_for_each_kind_and_strength(tmp_path):
    values = dict(baseline=30, model=31, difference=1, low=0.5, high=1.5)
    report = dict(figures=dict(mIoU=values, flicker=values))
    reports = {
        kind: dict.fromkeys((0, *SEVERITIES), report) for kind in CORRUPTIONS
    }
    text = write_robustness(reports, tmp_path)
    assert len(text.splitlines()) == 2 + 6 * 4
    assert '| jpeg | 2 | 30.00 | 31.00 | +1.00 | +0.50 to +1.50 |' in text
    assert Image.open(tmp_path / 'robustness.png').width > 500
    figures = json.loads((tmp_path / 'robustness.json').read_text())
    assert figures['dark']['3']['mIoU'] == values
    # Of clips in one sequence: no flicker, no interval.
    values = dict(values, low=np.nan, high=np.nan)
    report = dict(figures=dict(mIoU=values))
    reports = {
        kind: dict.fromkeys((0, *SEVERITIES), report) for kind in CORRUPTIONS
    }
    text = write_robustness(reports, tmp_path)
    assert '| jpeg | 2 | 30.00 | 31.00 | +1.00 |  | | |' in text
    assert 'NaN' not in (tmp_path / 'robustness.json').read_text()


def test_writes_the_comparison(framewise, awake, tmp_path):
    out = tmp_path / 'comparison'
    recurrent = awake.parent / 'rnn_unet_street.py'
    command = [
        *(sys.executable, TOOLS / 'compare.py', recurrent, awake),
        *('--baseline', framewise / 'unet_street.py'),
        *(framewise / 'iter_2.pth', '--out', out, '--degrade', 0, 0.5),
    ]
    code, output = call(*command)
    assert code == 0, output[-2000:]
    report = json.loads((out / 'comparison.json').read_text())
    figures = report['figures']
    assert {'mIoU', 'TC_ETC', 'flicker', 'parameters (M)'} <= set(figures)
    assert figures['flicker']['low'] <= figures['flicker']['high']
    assert figures['parameters (M)']['difference'] > 0
    assert len(report['classes']) == 19
    assert (out / 'comparison.md').read_text() in output
    degraded = json.loads((out / 'degraded.json').read_text())
    assert degraded['0.0']['mIoU'] != degraded['0.5']['mIoU']
    for name in ('comparison.png', 'degraded.png'):
        assert Image.open(out / name).width > 500
    # Not tested anew.
    code, output = call(*command)
    assert code == 0
    assert output.count('done before') == 4
    # But for a checkpoint that is trained anew.
    later = (out / 'recurrent_0.done').stat().st_mtime + 1000
    os.utime(awake, (later, later))
    code, output = call(*command)
    assert code == 0
    assert output.count('done before') == 2
