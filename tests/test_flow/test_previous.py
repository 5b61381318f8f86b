"""The flow from a frame to the one before, and when it is used."""

import numpy as np
import pytest

from mmseg_video.datasets.degradations import NOISE_SIGMA, degrade
from mmseg_video.flow.opencv import FarnebackFlow, OpticalFlow
from mmseg_video.flow.previous import FlowToPrevious
from mmseg_video.flow.reliability import is_reliable
from tests.frames import moving, textured

ANY = FlowToPrevious(max_error_ratio=None)


class Given(OpticalFlow):
    """An estimator that gives what it was given."""

    def __init__(self, flow):
        self.flow = flow

    def __call__(self, first, second, name=None):
        return self.flow


def bad(frame, kind):
    rng = np.random.default_rng(0)
    noise = rng.normal(0, NOISE_SIGMA, frame.shape).astype(np.int16)
    return degrade(frame, kind, rng, noise)


@pytest.mark.parametrize('kind', ['dropped', 'dark', 'noisy'])
@pytest.mark.parametrize('which', ['now', 'before'])
def test_the_flow_of_a_bad_frame_is_right_or_not_used(kind, which):
    then, now = moving(2, 4)
    assert FlowToPrevious()(now, then)[:2].any()
    pair = (bad(now, kind), then) if which == 'now' else (now, bad(then, kind))
    assert ANY(*pair)[:2].any() or kind == 'dropped'
    flow = FlowToPrevious()(*pair)
    if kind == 'dropped':
        assert not flow[:2].any()
    elif flow[:2].any():
        assert np.abs(flow[0, 12:-12, 12:-12] + 4).mean() < 1


def test_noise_is_no_motion():
    """A warp between pixels smooths noise, which must not pass for a lower
    error."""
    frame = textured(256, 512)
    noisy = bad(frame, 'noisy')
    assert ANY(frame, noisy)[:2].any()
    assert not FlowToPrevious()(frame, noisy)[:2].any()


@pytest.mark.parametrize(('contrast', 'bright'), [(1, 0), (0.3, 160)])
@pytest.mark.parametrize(('dx', 'dy'), [(4, 0), (0, 4)])
def test_a_right_flow_is_reliable_in_fog_too(contrast, bright, dx, dy):
    then, now = (
        (frame * contrast + bright).astype(np.uint8)
        for frame in moving(2, dx, dy)
    )
    flow = np.zeros((64, 96, 2), np.float32)
    flow[:] = (-dx, -dy)
    assert is_reliable(now, then, flow, 0.7)
    assert not is_reliable(now, then, -flow, 0.7)
    assert not is_reliable(now, then, flow[..., ::-1], 0.7)


@pytest.mark.parametrize(
    ('size', 'reduced'),
    [
        ((128, 256), (128, 256)),
        ((360, 480), (180, 240)),
        ((1024, 2050), (204, 410)),
    ],
)
def test_large_frames_are_reduced(size, reduced):
    frame = np.zeros((*size, 3), np.uint8)
    assert FlowToPrevious().reduce(frame).shape[:2] == reduced
    assert FlowToPrevious(min_size=None).reduce(frame).shape[:2] == size


def test_a_sequence_begins_without_motion_and_with_the_full_weight():
    then, now = moving(2)
    for flow in (FlowToPrevious(), FlowToPrevious(photometric_scale=5.0)):
        first = flow(now, None)
        assert first.shape == (3, 64, 96)
        assert not first[:2].any()
        assert (first[2] == 1).all()
    assert (FlowToPrevious()(now, then)[2] == 1).all()


def test_the_weight_falls_where_the_warped_frame_differs():
    then, now = moving(2, 4)
    now = now.copy()
    now[:, 48:] = 255 - now[:, 48:]
    still = np.zeros((64, 96, 2), np.float32)
    still[..., 0] = -4
    flow = FlowToPrevious(
        Given(still), max_error_ratio=None, photometric_scale=5.0
    )
    weight = flow(now, then)[2]
    assert weight[:, 8:44].min() > 0.99
    assert weight[:, 52:].mean() < 0.2
    # exp(-|dI| / scale), the mean of the colours.
    grey, brighter = np.full((8, 8, 3), 100, np.uint8), 110
    other = grey.copy()
    other[..., 0] = brighter + 20  # by 30 in one of three colours
    flow = FlowToPrevious(
        Given(np.zeros((8, 8, 2), np.float32)),
        max_error_ratio=None,
        photometric_scale=20.0,
    )
    np.testing.assert_allclose(flow(grey, other)[2], np.exp(-0.5), rtol=1e-5)


@pytest.mark.parametrize('noise', [1, 3])
def test_the_weight_is_relative_to_the_noise(noise):
    """A covered part is forgotten, and the rest kept, however noisy."""
    rng = np.random.default_rng(0)
    frame = textured(128, 192) // 2 + 60

    def noisy(frame):
        noisy = frame + rng.normal(0, 5 * noise, frame.shape)
        return noisy.clip(0, 255).astype(np.uint8)

    then, now = noisy(frame), noisy(frame)
    now[:, 184:] = 255 - now[:, 184:]
    still = Given(np.zeros((128, 192, 2), np.float32))
    flow = FlowToPrevious(still, max_error_ratio=None, noise_scale=4.0)
    weight = flow(now, then)[2]
    assert 0.65 < weight[:, :150].mean() < 0.85
    assert weight[:, 187:].mean() < 0.3


def test_a_cut_ends_the_past_and_a_blank_frame_does_not():
    flow = FlowToPrevious(noise_scale=4.0)
    then, now = moving(2, 3)
    assert flow(now, then)[2].mean() > 0.7
    assert not flow(textured(seed=5), then)[2].any()
    blank = np.zeros_like(now)
    for pair in ((blank, then), (now, blank)):
        assert 0.1 < flow(*pair)[2].mean() < 0.5
    dark = (now * 0.2).astype(np.uint8)
    assert flow(dark, then)[2].mean() > 0.5


def test_sensor_noise_hardly_lowers_the_weight():
    frame = textured(128, 192)
    rng = np.random.default_rng(0)
    noisy = frame + rng.normal(0, 12, frame.shape)
    noisy = noisy.clip(0, 255).astype(np.uint8)
    still = Given(np.zeros((128, 192, 2), np.float32))
    flow = FlowToPrevious(still, max_error_ratio=None, photometric_scale=9.0)
    assert flow(frame, noisy)[2].mean() > 0.75


def test_the_weight_is_that_of_the_flow_that_is_used():
    """An unreliable flow is none, and the frames are compared in place."""
    frame = textured()
    wrong = np.full((64, 96, 2), 9, np.float32)
    flow = FlowToPrevious(Given(wrong), photometric_scale=5.0)
    field = flow(frame, np.minimum(frame, 254) + np.uint8(1))
    assert not field[:2].any()
    assert field[2].min() > 0.5


def test_a_stream_has_a_flow_for_each_frame():
    frames = [*moving(3), *moving(2, height=32)]
    pairs = list(FlowToPrevious().with_previous(frames))
    assert [frame is f for (frame, _), f in zip(pairs, frames, strict=True)]
    used = [bool(flow[:2].any()) for _, flow in pairs]
    assert used == [False, True, True, False, True]
    want = FlowToPrevious()(frames[2], frames[1])
    np.testing.assert_array_equal(pairs[2][1], want)


@pytest.mark.parametrize('estimator', [None, FarnebackFlow()])
def test_settings_make_the_same_flow(estimator):
    flow = FlowToPrevious(estimator, min_size=32, photometric_scale=9.0)
    again = FlowToPrevious.from_settings(flow.settings)
    assert again.settings == flow.settings
    then, now = moving(2)
    np.testing.assert_array_equal(again(now, then), flow(now, then))
    with pytest.raises(ValueError, match='Given, which needs more than OpenC'):
        FlowToPrevious.from_settings(FlowToPrevious(Given(None)).settings)


@pytest.mark.parametrize(
    ('options', 'sentence'),
    [
        (dict(max_error_ratio=0), 'max_error_ratio must be above 0'),
        (dict(min_size=0), 'min_size must be at least 1'),
        (dict(photometric_scale=0), 'photometric_scale must be above 0'),
        (dict(noise_scale=0), 'noise_scale must be above 0'),
        (dict(blur=0), 'blur must be at least 1'),
        (dict(photometric_scale=5, noise_scale=4), 'give one of them'),
    ],
)
def test_bad_settings_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        FlowToPrevious(**options)


def test_bad_flow_and_bad_frames_are_refused():
    then, now = moving(2)
    flow = np.full((64, 96, 2), np.nan, np.float32)
    with pytest.raises(ValueError, match='Given gave a flow that is not fin'):
        FlowToPrevious(Given(flow))(now, then)
    with pytest.raises(ValueError, match='two frames of one size'):
        FlowToPrevious()(now, then[:32])
