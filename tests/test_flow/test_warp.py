"""Maps and states warped along flow, in PyTorch and in OpenCV."""

import numpy as np
import pytest
import torch

from mmseg_video.flow.images import warp_image
from mmseg_video.flow.previous import FlowToPrevious
from mmseg_video.flow.warp import resize_flow, warp, warp_state
from tests.frames import as_tensor, moving, textured

INNER = (..., slice(12, -12), slice(12, -12))


def field(dx=0.0, dy=0.0, weight=1.0, size=(4, 6)):
    """A flow field (1, 3, h, w), the same everywhere."""
    return torch.tensor([dx, dy, weight]).view(1, 3, 1, 1).expand(1, 3, *size)


def test_warp_follows_the_flow_and_is_zero_outside():
    maps = torch.arange(24.0).view(1, 1, 4, 6)
    torch.testing.assert_close(warp(maps, field()[:, :2]), maps)
    got = warp(maps, field(2, 1)[:, :2])
    torch.testing.assert_close(got[..., :3, :4], maps[..., 1:, 2:])
    assert (got[..., 3, :] == 0).all()
    assert (got[..., 4:] == 0).all()
    got = warp(maps, field(2, 1)[:, :2], 'border')
    torch.testing.assert_close(got[0, 0, 3, 5], maps[0, 0, 3, 5])
    # Between two pixels it is their mean.
    got = warp(maps, field(0.5, 0)[:, :2])
    torch.testing.assert_close(got[..., :5], maps[..., :5] + 0.5)


def test_opencv_and_pytorch_have_one_geometry():
    rng = np.random.default_rng(0)
    frame = textured()
    flow = rng.normal(0, 3, (64, 96, 2)).astype(np.float32)
    want = warp_image(frame.astype(np.float32), flow)
    got = warp(
        as_tensor(frame),
        torch.from_numpy(flow.transpose(2, 0, 1).copy())[None],
        'border',
    )
    # OpenCV counts in 1/32 of a pixel.
    error = (got[0].permute(1, 2, 0).numpy() - want)[12:-12, 12:-12]
    assert np.abs(error).max() < 6
    assert np.abs(error).mean() < 0.5


@pytest.mark.parametrize('scale', [1, 2])
@pytest.mark.parametrize(('dx', 'dy'), [(4, 0), (0, 4), (4, -4)])
def test_a_state_is_read_where_its_place_was(scale, dx, dy):
    then, now = moving(2, dx, dy)
    flow = torch.from_numpy(FlowToPrevious()(now, then))[None]
    assert flow.shape == (1, 3, 64, 96)
    for axis, want in enumerate((-dx, -dy)):
        assert (flow[:, axis][INNER] - want).abs().mean() < 0.3
    # At half of the size the motion is half as long.
    state = as_tensor(then)[..., ::scale, ::scale]
    want = as_tensor(now)[..., ::scale, ::scale]
    (warped,) = warp_state((state,), flow)
    inner = (..., slice(8, -8), slice(8, -8))
    still = (state - want)[inner].abs().mean()
    assert (warped - want)[inner].abs().mean() < 0.2 * still


def test_all_maps_of_a_state_are_warped_alike_and_keep_their_type():
    state = (
        torch.arange(24.0).view(1, 1, 4, 6),
        torch.ones(1, 2, 4, 6, dtype=torch.bfloat16),
    )
    first, second = warp_state(state, field(2))
    torch.testing.assert_close(first[..., :4], state[0][..., 2:])
    assert second.dtype == torch.bfloat16
    assert second.shape == (1, 2, 4, 6)
    assert (second[..., :4] == 1).all()
    # Nothing is known of what was outside of the frame before.
    assert (first[..., 4:] == 0).all()
    assert (second[..., 4:] == 0).all()
    first, _ = warp_state(state, field(2, weight=0.25))
    torch.testing.assert_close(first[..., :4], state[0][..., 2:] / 4)


@pytest.mark.parametrize('mode', ['bilinear', 'area'])
def test_flow_is_in_pixels_of_the_maps(mode):
    got = resize_flow(field(1, 1, 0.5, size=(8, 8)), (4, 2), mode)
    assert got.shape == (1, 3, 4, 2)
    assert (got[:, 0] == 0.25).all()
    assert (got[:, 1] == 0.5).all()
    assert (got[:, 2] == 0.5).all()


def test_states_are_warped_by_the_flow_of_reduced_frames():
    flow = FlowToPrevious(min_size=64)
    then, now = moving(2, 8, height=128, width=192)
    reduced = torch.from_numpy(flow(flow.reduce(now), flow.reduce(then)))[None]
    assert reduced.shape == (1, 3, 64, 96)
    then, now = as_tensor(then), as_tensor(now)
    (warped,) = warp_state((then,), reduced)
    inner = (..., slice(24, -24), slice(24, -24))
    still = (then - now)[inner].abs().mean()
    assert (warped - now)[inner].abs().mean() < 0.25 * still
