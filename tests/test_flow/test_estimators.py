import cv2
import numpy as np
import pytest
import torch
from torchvision.models.optical_flow import raft_small

from mmseg_video.flow.codec import CodecFlow
from mmseg_video.flow.estimators import OPTICAL_FLOWS
from mmseg_video.flow.images import resize_flow, warp_labels
from mmseg_video.flow.opencv import DISFlow
from mmseg_video.flow.reliability import is_consistent
from tests.test_evaluation.videos import blocks, texture

H, W, SHIFT = 96, 160, 6


@pytest.fixture(scope='module')
def pair():
    picture = texture(H, W + SHIFT)
    return picture[:, :W].copy(), picture[:, SHIFT:].copy()


def inner(flow):
    """Away from the edge, where the content leaves the frame."""
    return flow[8:-8, 16:-8]


@pytest.mark.parametrize('name', ['DISFlow', 'FarnebackFlow'])
def test_a_known_motion(name, pair):
    flow = OPTICAL_FLOWS.build(dict(type=name))(*pair)
    assert flow.shape == (H, W, 2)
    assert flow.dtype == np.float32
    # The camera moves right: what is at x is at x - SHIFT next.
    np.testing.assert_allclose(np.median(inner(flow)[..., 0]), -SHIFT, atol=1)
    np.testing.assert_allclose(np.median(inner(flow)[..., 1]), 0, atol=0.5)


@pytest.mark.parametrize('preset', ['fast', 'medium'])
@pytest.mark.parametrize('size', [(1, 1), (8, 64), (3, 5), (31, 500)])
def test_frames_that_dis_cannot_take_by_itself(size, preset):
    rng = np.random.default_rng(0)
    pair = rng.integers(0, 256, (2, *size, 3), np.uint8)
    flow = DISFlow(preset)(*pair)
    assert flow.shape == (*size, 2)
    assert np.isfinite(flow).all()


def test_raft_with_weights_of_ones_own(pair, tmp_path):
    torch.manual_seed(0)
    path = tmp_path / 'raft.pth'
    torch.save(raft_small(weights=None).state_dict(), path)
    raft = OPTICAL_FLOWS.build(
        dict(type='RAFTFlow', weights=str(path), size='small', device='cpu')
    )
    flow = raft(*pair)
    assert flow.shape == (H, W, 2)
    assert np.isfinite(flow).all()
    with pytest.raises(FileNotFoundError, match='no RAFT weights'):
        OPTICAL_FLOWS.build(dict(type='RAFTFlow', weights='none.pth'))


def test_a_cache_is_read_back(pair, tmp_path):
    cfg = dict(type='DISFlow', cache_dir=str(tmp_path))
    first = OPTICAL_FLOWS.build(cfg)(*pair, 'video/000000_000001')
    assert [p.name for p in (tmp_path / 'video').iterdir()] == [
        '000000_000001.flo'
    ]
    kept = OPTICAL_FLOWS.build(
        dict(type='PrecomputedFlow', cache_dir=str(tmp_path))
    )
    black = np.zeros_like(pair[0])
    np.testing.assert_array_equal(
        kept(black, black, 'video/000000_000001'), first
    )
    with pytest.raises(FileNotFoundError, match=r'000001_000002\.flo'):
        kept(black, black, 'video/000001_000002')


def test_a_cache_of_another_size_is_refused(pair, tmp_path):
    flow = OPTICAL_FLOWS.build(dict(type='DISFlow', cache_dir=str(tmp_path)))
    flow(*pair, 'a/0_1')
    small = [cv2.resize(f, (W // 2, H // 2)) for f in pair]
    with pytest.raises(ValueError, match='made at another size'):
        flow(*small, 'a/0_1')


def test_frames_of_two_sizes(pair):
    with pytest.raises(ValueError, match='two frames of one size'):
        OPTICAL_FLOWS.build(dict(type='DISFlow'))(pair[0], pair[1][:, :80])


def test_warping_brings_the_next_map_back():
    labels = blocks(H, W + SHIFT)
    first, second = labels[:, :W], labels[:, SHIFT:]
    flow = np.zeros((H, W, 2), np.float32)
    flow[..., 0] = -SHIFT
    back = warp_labels(second, flow, outside=255)
    np.testing.assert_array_equal(back[:, SHIFT:], first[:, SHIFT:])
    assert (back[:, :SHIFT] == 255).all()
    edge = warp_labels(second, flow)
    np.testing.assert_array_equal(edge[:, 0], second[:, 0])


def test_flow_grows_with_the_frame():
    flow = np.ones((4, 8, 2), np.float32)
    big = resize_flow(flow, (8, 24))
    assert big.shape == (8, 24, 2)
    assert np.allclose(big, [3, 2])


def test_pixels_that_leave_or_are_covered_are_not_seen_again():
    flow = np.zeros((H, W, 2), np.float32)
    flow[..., 0] = -SHIFT
    seen = is_consistent(flow, -flow)
    assert not seen[:, :SHIFT].any()
    assert seen[:, 2 * SHIFT : -SHIFT].all()
    back = -flow
    back[40:60, 40:80] = 0  # something else is there in the second frame
    assert not is_consistent(flow, back)[42:58, 50:80].any()


def test_half_a_pixel_beyond_the_frame_is_outside():
    flow = np.zeros((H, W, 2), np.float32)
    flow[..., 0] = -0.5
    seen = is_consistent(flow, -flow)
    assert not seen[:, 0].any()
    assert seen[:, 1:-1].all()


def test_a_cache_of_values_that_are_not_finite_is_refused(pair, tmp_path):
    flow = np.full((H, W, 2), np.nan, np.float32)
    (tmp_path / 'a').mkdir()
    cv2.writeOpticalFlow(str(tmp_path / 'a' / '0_1.flo'), flow)
    cached = OPTICAL_FLOWS.build(dict(type='DISFlow', cache_dir=str(tmp_path)))
    with pytest.raises(ValueError, match='not finite'):
        cached(*pair, 'a/0_1')


def test_names_tell_frames_apart_where_flow_is_kept(pair, tmp_path):
    kept = DISFlow(cache_dir=str(tmp_path))
    for flow in (kept, CodecFlow(kept)):
        names = {
            flow.name_of('a/0_1', *frames)
            for frames in (pair, pair[::-1], (pair[0], pair[0]), pair)
        }
        assert len(names) == 3
        assert all(name.startswith('a/0_1_') for name in names)
    given = OPTICAL_FLOWS.build(
        dict(type='PrecomputedFlow', cache_dir=str(tmp_path))
    )
    for flow in (given, DISFlow(), CodecFlow()):
        assert flow.name_of('a/0_1', *pair) == 'a/0_1'
