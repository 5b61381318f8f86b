"""On which frames of a stream the net runs."""

import numpy as np
import pytest

from mmseg_video.flow.full_frames import FullFrames, Pace, unexplained
from mmseg_video.flow.previous import FlowToPrevious
from tests.frames import moving, textured

# Much of such small frames leaves them.
RULES = [FullFrames(9), FullFrames('adaptive', tolerance=0.9)]


def field(missed=0.0, dx=0.0):
    """A flow field that cannot account for a part of the image."""
    field = np.zeros((3, 10, 20), np.float32)
    field[0] = dx
    field[2] = 1
    field[2, :, : round(20 * missed)] = 0.2
    return field


def full(rule, fields):
    pace, found = None, []
    for flow in fields:
        pace = rule.next(pace, flow)
        found.append(pace.full)
    return found


def test_every_so_many_frames():
    fields = [field()] * 7
    assert full(FullFrames(), fields) == [True] * 7
    want = [True, False, False] * 2 + [True]
    assert full(FullFrames(3), fields) == want
    assert full(FullFrames(3), [None] * 7) == want  # nothing is warped


def test_adaptive_frames_add_up_what_flow_cannot_account_for():
    rule = FullFrames('adaptive', max_every=4, tolerance=0.25)
    assert full(rule, [field()] * 9) == [True, False, False, False] * 2 + [
        True
    ]
    tenths = full(rule, [field(0.1)] * 7)
    assert tenths == [True, False, False] * 2 + [True]
    with pytest.raises(ValueError, match="'adaptive' asks the flow"):
        rule.next(Pace(), None)


@pytest.mark.parametrize('rule', RULES)
def test_a_flow_that_explains_nothing_makes_a_full_frame_due(rule):
    frames = [*moving(3, 2), *moving(2, 2, seed=7)]
    flow = FlowToPrevious(noise_scale=4.0, max_error_ratio=None)
    fields = [field for _, field in flow.with_previous(frames)]
    assert full(rule, fields) == [True, False, False, True, False]
    # The frames around a dropped one too.
    frames = moving(4, 2)
    frames[2] = np.zeros_like(frames[2])
    fields = [field for _, field in flow.with_previous(frames)]
    assert full(rule, fields) == [True, False, True, True]


def test_what_leaves_the_frame_is_not_explained():
    assert unexplained(field()) == 0
    assert unexplained(field(0.25)) == pytest.approx(0.25)
    assert unexplained(field(dx=5)) == pytest.approx(0.25)
    assert unexplained(field(dx=-50)) == 1


@pytest.mark.parametrize(
    ('values', 'sentence'),
    [
        (dict(every=0), "every must be .*'adaptive', got 0"),
        (dict(every='3'), "got '3'"),
        (dict(max_every=0), 'max_every must be >= 1'),
        (dict(tolerance=-0.1), 'tolerance is a part'),
    ],
)
def test_bad_values(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        FullFrames(**values)


def test_what_is_the_same_needs_no_net():
    frame = textured()
    still = FlowToPrevious(noise_scale=4.0)(frame, frame)
    assert unexplained(still) == 0
