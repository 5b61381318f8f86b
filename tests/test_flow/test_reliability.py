"""What agrees along a flow, and when a flow is reliable."""

import numpy as np
import pytest

from mmseg_video.flow.images import warp_image
from mmseg_video.flow.reliability import is_reliable, photometric_agreement
from tests.frames import moving, textured


def everywhere(dx, dy, size=(64, 96)):
    flow = np.zeros((*size, 2), np.float32)
    flow[:] = (dx, dy)
    return flow


@pytest.mark.parametrize(
    ('dx', 'dy', 'outside'),
    [
        (5, 0, np.s_[:, -5:]),
        (-5, 0, np.s_[:, :5]),
        (0, 5, np.s_[-5:]),
        (0, -5, np.s_[:5]),
    ],
)
def test_nothing_agrees_with_what_left_the_frame(dx, dy, outside):
    grey = np.full((64, 96, 3), 100, np.uint8)
    want = np.ones((64, 96))
    want[outside] = 0
    got = photometric_agreement(grey, grey, everywhere(dx, dy))
    np.testing.assert_array_equal(got, want)


def test_beyond_an_image_its_edge_is_read():
    frame = textured()
    far = warp_image(frame, everywhere(500, 0))
    np.testing.assert_array_equal(far, np.repeat(frame[:, -1:], 96, axis=1))


def test_another_exposure_is_no_motion():
    then, now = (frame // 2 for frame in moving(2, 4))
    assert is_reliable(now + 60, then, everywhere(-4, 0), 0.7)
    assert not is_reliable(now + 60, then, everywhere(4, 0), 0.7)


def test_what_left_the_frame_says_nothing_of_a_flow():
    wide = textured(64, 144)
    then, now = wide[:, 48:], wide[:, :96]
    assert is_reliable(now, then, everywhere(-48, 0), 0.2)
    assert not is_reliable(now, then, everywhere(-24, 0), 0.2)
