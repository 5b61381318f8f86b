from itertools import pairwise

import cv2
import numpy as np
import pytest
import torch
from mmseg.registry import METRICS

from .videos import blocks, feed, panned, result, texture

H, W, T, STEP = 96, 160, 5, 4
CLASSES = 4


def build(name, **kwargs):
    metric = METRICS.build(dict(type=name, **kwargs))
    metric.dataset_meta = dict(classes=[str(i) for i in range(CLASSES)])
    return metric


def tc(**kwargs):
    return build('TemporalConsistencyMetric', **kwargs)


def flicker(**kwargs):
    return build('FlickerMetric', **kwargs)


@pytest.fixture(scope='module')
def pan():
    """Frames of a moving camera, and the labels that move with it."""
    width = W + T * STEP
    return (
        panned(texture(H, width), T, STEP, W),
        panned(blocks(H, width, CLASSES), T, STEP, W),
    )


def figures(make, frames, predictions):
    metric = make()
    feed(metric, frames, predictions)
    return result(metric)


def test_a_constant_prediction_is_fully_consistent(pan):
    frames, _ = pan
    constant = [np.full((H, W), 2, np.uint8)] * T
    assert figures(tc, frames, constant)['TC_ETC'] == 100
    assert figures(flicker, frames, constant) == dict(
        flicker=0, flicker_compensated=0
    )


def test_flicker_beside_that_of_the_labels(pan):
    frames, moving = pan
    metric = flicker()
    feed(metric, frames, moving, moving)
    got = result(metric)
    assert got['flicker_static'] == 0
    assert got['flicker_labels'] == got['flicker'] > 0
    # Labels that stay: all that changes is static-label, the half that is
    # labelled alone.
    still = np.zeros((H, W), np.uint8)
    still[:, W // 2 :] = 255
    on_and_off = [np.full((H, W), t % 2, np.uint8) for t in range(T)]
    metric = flicker()
    feed(metric, frames, on_and_off, [still] * T)
    got = result(metric)
    assert got['flicker_static'] == got['flicker'] == 100
    assert got['flicker_labels'] == 0
    metric = flicker()
    on_and_off = [np.where(still == 255, x, 0) for x in on_and_off]
    feed(metric, frames, on_and_off, [still] * T)
    got = result(metric)
    assert got['flicker_static'] == 0
    assert got['flicker'] == 50


def test_flicker_of_pairs_of_clean_frames(pan):
    """A pair with a degraded frame in it is left out."""
    frames, _ = pan
    labels = [np.zeros((H, W), np.uint8) for _ in frames]
    predictions = [label.copy() for label in labels]
    predictions[1][:] = 1  # wrong where the frame is bad
    predictions[-1][: H // 2] = 1
    metric = flicker()
    for t in range(T):
        feed(
            metric,
            frames[t : t + 1],
            predictions[t : t + 1],
            labels[t : t + 1],
            first=t,
            degraded='dark' if t == 1 else None,
        )
    got = result(metric)
    pairs = T - 1
    assert got['flicker_static'] == round(100 * 2.5 / pairs, 2)
    assert got['flicker_static_clean'] == round(100 * 0.5 / (pairs - 2), 2)


def test_ignored_pixels_flicker_in_no_figure(pan):
    frames, _ = pan
    labels = [np.zeros((H, W), np.uint8) for _ in frames]
    predictions = [label.copy() for label in labels]
    for t in range(T):
        predictions[t][:, :40] = t % 2
        # A quarter changes, another is labelled in every other frame.
        labels[t][:, 80:120] = t % 2
        labels[t][:, 120:] = (1, 255)[t % 2]
    metric = flicker()
    feed(metric, frames, predictions, labels)
    got = result(metric)
    assert got['flicker'] == 25
    assert got['flicker_static'] == 50  # of the two quarters that stay
    assert got['flicker_labels'] == 33.33  # of the three that are labelled


def test_flicker_of_single_labels_is_that_of_none(pan):
    frames, moving = pan
    nothing = np.full((H, W), 255, np.uint8)
    metric = flicker()
    feed(metric, frames, moving, [moving[0]] + [nothing] * (T - 1))
    assert set(result(metric)) == {'flicker', 'flicker_compensated'}


def test_a_prediction_that_moves_with_the_image_is_consistent(pan):
    frames, moving = pan
    assert figures(tc, frames, moving)['TC_ETC'] > 90
    metric = tc(occlusion_mask=True)
    feed(metric, frames, moving)
    assert result(metric)['TC_ETC'] > 97
    got = figures(flicker, frames, moving)
    # A block's edges sweep over STEP of its 16 columns; a quarter of the
    # neighbours have the same class.
    assert got['flicker'] == pytest.approx(75 * STEP / 16, rel=0.25)
    assert got['flicker_compensated'] < 2


def test_a_prediction_that_stays_while_the_image_moves_is_not(pan):
    frames, moving = pan
    stays = [moving[0]] * T
    assert figures(tc, frames, stays)['TC_ETC'] < 75
    got = figures(flicker, frames, stays)
    assert got['flicker'] == 0
    assert got['flicker_compensated'] > 10


def test_random_predictions_score_what_chance_gives(pan):
    frames, _ = pan
    rng = np.random.default_rng(0)
    chance = [rng.integers(0, CLASSES, (H, W), np.uint8) for _ in range(T)]
    got = figures(tc, frames, chance)
    # IoU of two independent maps of K classes: (1/K^2) / (2/K - 1/K^2).
    expected = 100 / (2 * CLASSES - 1)
    assert got['TC_ETC'] == pytest.approx(expected, abs=1)
    assert figures(flicker, frames, chance)['flicker'] == pytest.approx(
        75, abs=1
    )


def test_still_video_agrees_with_counting_by_hand():
    """No motion: the pairs meet where they are."""
    rng = np.random.default_rng(1)
    frames = [texture(H, W)] * T
    maps = [rng.integers(0, CLASSES, (H, W), np.uint8) for _ in range(T)]
    overlap, either = np.zeros(CLASSES), np.zeros(CLASSES)
    for a, b in pairwise(maps):
        for c in range(CLASSES):
            overlap[c] += ((a == c) & (b == c)).sum()
            either[c] += ((a == c) | (b == c)).sum()
    got = figures(tc, frames, maps)
    expected = pytest.approx(100 * (overlap / either).mean(), abs=0.01)
    assert got['TC_ETC'] == expected
    assert got['TC_VSPW'] == expected


def test_the_definitions_differ_beyond_the_frame_and_in_lost_classes():
    frames = [texture(H, W)] * 2
    first = np.zeros((H, W), np.uint8)
    second = first.copy()
    second[:, 80:] = 1  # a class that the earlier map does not have
    got = figures(tc, frames, [first, second])
    assert got['TC_ETC'] == 25  # mean of 1/2 and 0
    assert got['TC_VSPW'] == 50  # of class 0 alone


@pytest.mark.parametrize('make', [tc, flicker])
def test_a_cache_keeps_the_flow_of_degraded_frames_apart(make, pan, tmp_path):
    frames, moving = pan
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, f.shape, np.uint8) for f in frames]
    flow = dict(type='DISFlow', cache_dir=str(tmp_path))
    for shown in (noise, frames, noise):
        want = figures(lambda: make(occlusion_mask=True), shown, moving)
        cached = figures(
            lambda: make(occlusion_mask=True, flow=flow), shown, moving
        )
        assert cached == want
    # Forth and back of each pair, clean and degraded: all were kept once.
    assert len(list(tmp_path.rglob('*.flo'))) == 4 * (T - 1)


def given_flow(folder, forth, back):
    """A config of flow between frames 0 and 1 of the sequence 'a'."""
    (folder / 'a').mkdir()
    for name, flow in (('000000_000001', forth), ('000001_000000', back)):
        cv2.writeOpticalFlow(str(folder / 'a' / f'{name}.flo'), flow)
    return dict(type='PrecomputedFlow', cache_dir=str(folder))


def test_beyond_the_frame_its_edge_goes_on_or_class_0_is(tmp_path):
    flow = np.zeros((H, W, 2), np.float32)
    flow[..., 0] = W // 4
    cfg = given_flow(tmp_path, flow, -flow)
    ones = [np.ones((H, W), np.uint8)] * 2
    got = figures(lambda: tc(flow=cfg), [texture(H, W)] * 2, ones)
    assert got == dict(TC_ETC=100, TC_VSPW=75)


def test_what_the_flow_back_contradicts_is_left_out(tmp_path):
    still, back = np.zeros((2, H, W, 2), np.float32)
    back[: H // 4, :, 0] = 9
    cfg = given_flow(tmp_path, still, back)
    maps = np.zeros((2, H, W), np.uint8)
    maps[1, : H // 4] = 1
    for mask, want in ((True, 0), (False, 25)):
        got = figures(
            lambda mask=mask: flicker(flow=cfg, occlusion_mask=mask),
            *([texture(H, W)] * 2, list(maps)),
        )
        assert got['flicker_compensated'] == want


def test_nothing_of_one_sequence_reaches_the_next(pan):
    frames, moving = pan
    together = tc()
    feed(together, frames, moving, sequence='a')
    # The same numbers again: only the name tells that it is another video.
    other = [3 - m for m in moving]
    feed(together, frames, other, sequence='b', first=T)
    assert [r['pairs'] for r in together.results] == [T - 1, T - 1]
    parts = [tc(), tc()]
    feed(parts[0], frames, moving)
    feed(parts[1], frames, other)
    pooled = sum(p.results[0]['etc'] for p in parts)
    np.testing.assert_array_equal(
        sum(r['etc'] for r in together.results), pooled
    )
    # And a video that starts again is another sequence too.
    again = tc()
    feed(again, frames, moving)
    feed(again, frames, moving)
    assert len(again.results) == 2


def test_of_a_clip_the_key_frame_moves(pan):
    frames, moving = pan
    metric = flicker()
    feed(metric, frames, moving, ref=frames[0])
    assert result(metric) == figures(flicker, frames, moving)


def test_predictions_of_another_size_than_the_frames(pan):
    """As after Resize: labels at full size, frames at half of it."""
    frames, moving = pan
    big = [np.kron(m, np.ones((2, 2), np.uint8)) for m in moving]
    assert figures(tc, frames, big)['TC_ETC'] > 90


def test_single_frames_are_no_video():
    for metric in (tc(), flicker()):
        for name in 'abc':
            frame = [np.zeros((H, W, 3), np.uint8)]
            feed(metric, frame, [np.zeros((H, W), np.uint8)], sequence=name)
        with pytest.raises(ValueError, match='no sequence has two'):
            metric.compute_metrics(metric.results)
        metric.on_missing = 'skip'
        assert result(metric) == {}


def test_a_sequence_that_changes_size(pan):
    frames, moving = pan
    metric = tc()
    feed(metric, frames[:2], moving[:2])
    small = [frame[:, :80] for frame in frames]
    feed(metric, small[2:4], [m[:, :80] for m in moving[2:4]], first=2)
    # As streams have it: it begins anew there, and is one sequence still.
    assert [(r['frames'], r['pairs']) for r in metric.results] == [(4, 2)]


@pytest.mark.parametrize('make', [tc, flicker])
@pytest.mark.parametrize(
    ('max_gap', 'numbers', 'pairs'),
    [
        (1, (0, 1, 2, 3), 3),
        (1, (0, 1, 5, 6), 2),
        (30, (0, 30, 60, 91), 2),
        (None, (0, 1, 5, 6), 3),
    ],
)
def test_frames_over_a_gap_are_no_neighbours(
    make, max_gap, numbers, pairs, pan
):
    metric = make()
    for number, frame, label in zip(numbers, *pan, strict=False):
        feed(
            *(metric, [frame], [label], [label]),
            first=number,
            max_gap=max_gap,
        )
    assert [r['pairs'] for r in metric.results] == [pairs]
    if make is flicker:  # of the labels that are compared, too
        assert metric.results[0]['labelled'] == pairs * H * W


def test_samples_must_say_where_they_come_from():
    sample = dict(pred_sem_seg=dict(data=torch.zeros(1, 4, 4)))
    with pytest.raises(ValueError, match="'sequence' and 'frame_id'"):
        tc().process(dict(inputs=[torch.zeros(1, 3, 4, 4)]), [sample])
