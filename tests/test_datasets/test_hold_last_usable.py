import numpy as np
import pytest

from mmseg_video.datasets.transforms import HoldLastUsable


def textured(seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (16, 24, 3), np.uint8)


def flat(level):
    return np.full((16, 24, 3), level, np.uint8)


def stream(hold, frames, sequence='a', first=0):
    return [
        hold(dict(img=frame, sequence=sequence, frame_id=first + t))['img']
        for t, frame in enumerate(frames)
    ]


def test_flat_and_dark_frames_show_the_last_usable_one_again():
    dark = (textured(7) * 0.05).astype(np.uint8)
    frames = [textured(0), flat(0), dark, textured(1), flat(128)]
    got = stream(HoldLastUsable(), frames)
    for t, shown in enumerate((0, 0, 0, 3, 3)):
        np.testing.assert_array_equal(got[t], frames[shown])


def test_nothing_is_held_over_the_start_of_a_sequence():
    hold = HoldLastUsable()
    stream(hold, [textured(0)])
    frames = [flat(16), flat(0), textured(1)]
    got = stream(hold, frames, sequence='b')
    np.testing.assert_array_equal(got[0], frames[0])
    np.testing.assert_array_equal(got[1], frames[0])
    np.testing.assert_array_equal(got[2], frames[2])


def test_frames_out_of_order_are_refused():
    hold = HoldLastUsable()
    stream(hold, [textured(0)])
    sentence = r"frame 4 of 'a'.*num_workers 0 or 1"
    with pytest.raises(ValueError, match=sentence):
        stream(hold, [flat(0)], first=4)


def test_a_clip_of_one_frame_stays_a_list():
    hold, frame = HoldLastUsable(), textured(0)
    sample = dict(sequence='a', frame_id=0, img=[frame])
    (got,) = hold(sample)['img']
    np.testing.assert_array_equal(got, frame)
    with pytest.raises(ValueError, match='min_contrast must be > 0'):
        HoldLastUsable(0)
