"""Averages over past and future."""

import numpy as np
import pytest
import torch

from mmseg_video.flow.previous import FlowToPrevious
from mmseg_video.flow.stream_frames import stream_frames
from mmseg_video.models import EMAFilter
from mmseg_video.models.two_sided import TwoSidedFilter
from tests.frames import as_tensor, moving


def both_ways(frames):
    items = stream_frames(frames, FlowToPrevious(), both_ways=True)
    return [(item.field, item.field_back) for item in items]


def run(smooth, video):
    answers = []
    for item in video:
        answers += smooth.push(*item)
    return [*answers, *smooth.flush()]


@pytest.mark.parametrize('chunk', [1, 2, 5])
def test_the_average_is_what_it_says(chunk):
    maps = torch.randn(7, 1, 3, 4, 6)
    got = run(TwoSidedFilter(EMAFilter(0.25), 2, chunk), [(x,) for x in maps])
    assert len(got) == 7
    for t, answer in enumerate(got):
        # The first of a chunk look further.
        last = min(7, t - t % chunk + chunk + 2)
        weights = torch.tensor([0.75 ** abs(t - i) for i in range(last)])
        want = torch.einsum('t,tnchw->nchw', weights, maps[:last])
        torch.testing.assert_close(answer, want / weights.sum())


def test_every_frame_comes_out_once_in_order_and_as_late_as_said():
    smooth, waits = TwoSidedFilter(EMAFilter(1.0), 3), []
    for t in range(9):
        out = list(smooth.push(torch.full((1, 1, 2, 2), float(t))))
        waits.append([int(x.mean()) for x in out])
    assert waits == [[], [], []] + [[t] for t in range(6)]
    assert [int(x.mean()) for x in smooth.flush()] == [6, 7, 8]
    assert list(smooth.flush()) == []


def test_the_future_moves_with_the_frame():
    """Logits that move by 4 pixels: along the flow they stay sharp."""
    frames = moving(5, 4)
    maps = [
        torch.cat([x[:, :1], -x[:, :1]], 1) / 255
        for x in map(as_tensor, frames)
    ]
    fields = [
        [torch.from_numpy(f)[None] for f in pair] for pair in both_ways(frames)
    ]
    video = [(x, *pair) for x, pair in zip(maps, fields, strict=True)]
    moved = run(TwoSidedFilter(EMAFilter(0.3), 4), video)
    placed = run(TwoSidedFilter(EMAFilter(0.3), 4), [(x,) for x in maps])
    inside = (..., slice(24, -24), slice(24, -24))
    for t in range(5):
        error = (moved[t] - maps[t])[inside].abs().mean()
        assert error < 0.15 * (placed[t] - maps[t])[inside].abs().mean()


def test_frames_on_which_the_net_did_not_run():
    first, last = torch.randn(2, 1, 3, 4, 6)
    got = run(TwoSidedFilter(EMAFilter(0.25), 2), [(first,), (None,), (last,)])
    torch.testing.assert_close(got[1], (first + last) / 2)
    with pytest.raises(ValueError, match='first frame of a video has no sc'):
        list(TwoSidedFilter(EMAFilter(), 1).push(None))


def test_the_way_back_is_that_of_the_frames_swapped():
    frames = [*moving(3), *moving(2, height=32)]
    flow = FlowToPrevious()
    found = both_ways(frames)
    for (_, to_previous), (field, _) in zip(
        flow.with_previous(frames), found, strict=True
    ):
        np.testing.assert_array_equal(to_previous, field)
    np.testing.assert_array_equal(found[2][1], flow(frames[1], frames[2]))
    assert not found[3][1][:2].any()


@pytest.mark.parametrize(('ahead', 'chunk'), [(-1, 1), (3, 0)])
def test_bad_values(ahead, chunk):
    with pytest.raises(ValueError, match='look_ahead must be at least 0'):
        TwoSidedFilter(EMAFilter(), ahead, chunk)
