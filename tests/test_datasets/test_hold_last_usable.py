import numpy as np
import pytest
import torch

from mmseg_video.datasets.previous_frame import prepare_streamed
from mmseg_video.datasets.transforms import AddFlow, HoldLastUsable
from mmseg_video.flow.previous import FlowToPrevious
from tests.frames import moving, textured

FRAMES = moving(6, 2)
FLAT = np.full_like(FRAMES[0], 16)


def stream(hold, frames, sequence='a', step=1, **info):
    results = [
        hold(dict(img=frame, sequence=sequence, frame_id=step * t, **info))
        for t, frame in enumerate(frames)
    ]
    return [r['img'] for r in results], [r['held'] for r in results]


def test_flat_and_dark_frames_show_the_last_usable_one_again():
    dark = FRAMES[1] // 20
    frames = [FRAMES[0], FLAT, dark, FRAMES[3], FLAT]
    got, held = stream(HoldLastUsable(), frames)
    for t, shown in enumerate((0, 0, 0, 3, 3)):
        np.testing.assert_array_equal(got[t], frames[shown])
    assert held == [False, True, True, False, True]
    assert not stream(HoldLastUsable(0), frames)[1][1]


def test_nothing_is_held_over_the_start_of_a_sequence():
    hold = HoldLastUsable()
    stream(hold, [textured(seed=0)])
    frames = [FLAT, FLAT // 2, FRAMES[1], FLAT]
    got, held = stream(hold, frames, sequence='b')
    for t, shown in enumerate((0, 1, 2, 2)):
        np.testing.assert_array_equal(got[t], frames[shown])
    assert held == [False, False, False, True]


def test_a_gap_begins_a_sequence():
    frames = [FRAMES[0], FLAT]
    assert stream(HoldLastUsable(), frames, step=2)[1] == [False, True]
    two = dict(step=2, max_gap=2)
    assert stream(HoldLastUsable(), frames, **two)[1] == [False, True]
    one = dict(step=2, max_gap=1)
    assert stream(HoldLastUsable(), frames, **one)[1] == [False, False]


def test_a_clip_of_one_frame_stays_a_list():
    sample = dict(sequence='a', frame_id=0, img=[FRAMES[0]])
    (got,) = HoldLastUsable()(sample)['img']
    np.testing.assert_array_equal(got, FRAMES[0])
    got[:] = 0  # as a later transform may
    assert FRAMES[0].any()


def test_clips_and_several_workers_are_refused():
    sample = dict(sequence='a', frame_id=0, img=FRAMES[:2])
    with pytest.raises(ValueError, match=r'clips of 2 .*: test with --stream'):
        HoldLastUsable()(sample)
    dataset = [dict(sequence='a', frame_id=t, img=FLAT) for t in range(4)]
    loader = torch.utils.data.DataLoader(
        Mapped(dataset), num_workers=2, batch_size=None
    )
    with pytest.raises(ValueError, match='clips of 1 or 2 workers'):
        list(loader)
    with pytest.raises(ValueError, match='min_contrast is a standard'):
        HoldLastUsable(-1)


class Mapped(list):
    def __getitem__(self, i):
        return HoldLastUsable()(super().__getitem__(i))


class Stream:
    """A data set of the frames of one sequence."""

    max_gap = None

    def __init__(self, frames, *transforms):
        self.frames = frames
        self.pipeline = type('Pipeline', (), dict(transforms=transforms))

    def get_data_info(self, i):
        return dict(
            img=self.frames[i],
            img_path=f'{i}.png',
            sequence='a',
            frame_id=i,
            sample_idx=i,
        )

    def __iter__(self):
        for i in range(len(self.frames)):
            yield prepare_streamed(self, self.get_data_info(i))


def test_flow_leads_over_the_burst():
    frames = [*FRAMES[:2], FLAT, FLAT, FRAMES[4]]
    samples = list(Stream(frames, HoldLastUsable(), AddFlow()))
    want = FlowToPrevious()(FRAMES[4], FRAMES[1])
    np.testing.assert_array_equal(samples[4]['flow'][0], want)
    assert not samples[2]['flow'][:, :2].any()
    # Files have the flow to the frame before.
    changed = [bool(sample.get('changed')) for sample in samples]
    assert changed == [False, False, True, True, True]
