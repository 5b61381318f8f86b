"""The figures of mmseg's IoUMetric, kept apart by sequence."""

import numpy as np
import pytest
import torch
from mmseg.registry import METRICS

from .videos import feed, result

H, W, CLASSES = 12, 16, 4
META = dict(classes=[str(i) for i in range(CLASSES)])


def build(name):
    metric = METRICS.build(dict(type=name))
    metric.dataset_meta = META
    return metric


def video(num_frames, seed):
    """Frames, predictions and labels, of which some pixels are ignored and
    class 3 is rare."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(
        [0, 1, 2, 3, 255], (num_frames, H, W), p=[0.4, *[0.2] * 2, 0.05, 0.15]
    )
    labels = labels.astype(np.uint8)
    wrong = rng.integers(0, CLASSES, labels.shape, np.uint8)
    hit = (rng.random(labels.shape) < 0.7) & (labels != 255)
    frames = np.zeros((num_frames, H, W, 3), np.uint8)
    return list(frames), list(np.where(hit, labels, wrong)), list(labels)


def test_agrees_with_mmseg():
    ours, theirs = build('SequenceIoUMetric'), build('IoUMetric')
    for name, length in (('a', 3), ('b', 5)):
        frames, predictions, labels = video(length, length)
        feed(ours, frames, predictions, labels, sequence=name)
        for predicted, label in zip(predictions, labels, strict=True):
            sample = dict(
                pred_sem_seg=dict(data=torch.from_numpy(predicted)[None]),
                gt_sem_seg=dict(data=torch.from_numpy(label)[None]),
            )
            theirs.process({}, [sample])
    got, want = result(ours), theirs.evaluate(8)
    assert {k.split('/')[1] for k in got} == want.keys()
    for name, value in want.items():
        assert got[f'sequences/{name}'] == pytest.approx(value, abs=0.011)
    assert len({*want.values()}) == 3


def test_a_sequence_has_its_own_confusion():
    metric = build('SequenceIoUMetric')
    for name in 'ab':
        feed(metric, *video(2, 0), sequence=name)
    first, second = (result['counts'] for result in metric.results)
    np.testing.assert_array_equal(first, second)
    assert metric.summarise(metric.results) == metric.summarise(
        metric.results[:1]
    )


def test_without_labels_there_is_no_figure():
    metric = build('SequenceIoUMetric')
    frames, predictions, labels = video(2, 0)
    feed(metric, frames, predictions, [np.full_like(x, 255) for x in labels])
    with pytest.raises(ValueError, match='no frame has one'):
        result(metric)


def test_clean_and_degraded_frames_have_figures_of_their_own():
    whole, clean, degraded = (build('SequenceIoUMetric') for _ in range(3))
    frames, predictions, labels = video(6, 0)
    for t in range(6):
        kind = 'dark' if t in (1, 4) else None
        own = frames[t : t + 1], predictions[t : t + 1], labels[t : t + 1]
        feed(whole, *own, sequence=f's{t}', degraded=kind)
        feed(degraded if kind else clean, *own, sequence=f's{t}')
    got = result(whole)
    for name, apart in (('clean', clean), ('degraded', degraded)):
        own = result(apart)
        assert not any('_clean' in figure for figure in own)
        for figure, value in own.items():
            assert got[f'{figure}_{name}'] == value
