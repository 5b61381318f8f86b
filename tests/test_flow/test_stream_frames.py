"""The frames of a stream with their flow: none leads to a flat frame or from
one."""

import numpy as np

from mmseg_video.flow.previous import FlowToPrevious
from mmseg_video.flow.stream_frames import stream_frames
from mmseg_video.flow.usable_frames import UsableFrames
from tests.frames import moving


class Counted(FlowToPrevious):
    calls = 0

    def __call__(self, frame, before, name=None):
        self.calls += before is not None
        return super().__call__(frame, before, name)


def test_flow_leads_over_a_burst_to_the_last_usable_frame():
    frames = moving(5, 2)
    frames[2], frames[3] = frames[2] // 20, np.zeros_like(frames[3])
    flow = Counted()
    items = list(stream_frames(frames, flow, UsableFrames(), both_ways=True))
    assert [i.sight.usable for i in items] == [True, True, False, False, True]
    assert flow.calls == 4  # of two pairs, both ways
    for item, frame in zip(items, frames, strict=True):
        np.testing.assert_array_equal(item.frame, frame)
        known = item.field is not None, item.field_back is not None
        assert known == (item.sight.usable,) * 2
    make = FlowToPrevious()
    last, now = frames[1], frames[4]
    np.testing.assert_array_equal(items[4].field, make(now, last))
    np.testing.assert_array_equal(items[4].field_back, make(last, now))
    assert np.abs(items[4].field[0, 16:-16, 16:-16] + 6).mean() < 0.5


def test_nothing_goes_on_where_a_sequence_begins():
    frames = [*moving(2), *moving(2, height=32)]
    frames[3] = np.zeros_like(frames[3])
    items = list(
        stream_frames(
            frames,
            FlowToPrevious(),
            UsableFrames(),
            lambda number: number == 1,
        )
    )
    assert [i.begins for i in items] == [True, True, True, False]
    assert not any(i.field[:2].any() for i in items[:3])
    dark = stream_frames(
        frames[2:], None, UsableFrames(), lambda number: number == 1
    )
    assert [i.sight.usable for i in dark] == [True, True]
