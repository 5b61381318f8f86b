"""Which frames of a stream are flat or dark, and what comes little by
little."""

import numpy as np
import pytest

from mmseg_video.flow.usable_frames import (
    Sight,
    UsableFrames,
    contrast_of,
)
from tests.frames import textured

FRAME = textured()


def at(contrast):
    """A frame of this contrast, about."""
    scale = contrast / contrast_of(FRAME)
    return (128 + scale * (FRAME.astype(float) - 128)).astype(np.uint8)


def usable(rule, contrasts):
    sight, found = None, []
    for contrast in contrasts:
        sight = rule.next(sight, at(contrast))
        found.append(sight.usable)
    return found


def test_flat_and_dark_frames_are_not_usable():
    got = usable(UsableFrames(), [40, 0, 6, 40, 9, 12, 40])
    assert got == [True, False, False, True, False, True, True]
    dark = (FRAME * 0.08).astype(np.uint8)
    assert not UsableFrames().next(Sight(50), dark).usable


def test_a_sequence_begins_with_whatever_comes():
    assert usable(UsableFrames(), [0, 0, 3, 40, 3]) == [True] * 4 + [False]


def test_nightfall_and_fog_come_little_by_little():
    levels = 50 * 0.85 ** np.arange(14)
    assert levels[-1] < 7
    assert all(usable(UsableFrames(), [*levels, *[6] * 5]))
    # And out of it again, with a dropped frame on the way.
    assert usable(UsableFrames(), [6, 6, 1, 6]) == [True, True, False, True]


def test_what_lasts_is_run_again_and_told_of(caplog):
    rule = UsableFrames(max_held=3)
    got = usable(rule, [40, *[5] * 6, 40, 5, 5])
    assert got == [True] + [False] * 3 + [True] * 4 + [False] * 2
    assert [r.message for r in caplog.records] == [
        'the 3 frames before were flat or dark and the last answer was held: '
        'from here on the net runs again'
    ]


def test_the_bound_may_be_another_or_none():
    assert usable(UsableFrames(20), [60, 15, 25]) == [True, False, True]
    off = UsableFrames(0)
    assert off.all
    assert usable(off, [40, 0, 0]) == [True] * 3


@pytest.mark.parametrize(
    ('values', 'sentence'),
    [
        (dict(min_contrast=-1), 'min_contrast is a standard deviation'),
        (dict(min_contrast=float('nan')), 'got nan'),
        (dict(max_held=0), 'max_held must be >= 1 frame, got 0'),
    ],
)
def test_bad_values(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        UsableFrames(**values)
