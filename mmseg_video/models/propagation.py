"""Propagated frames: the net does not run, and the warped state answers."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..flow.full_frames import FullFrames, Pace
from ..flow.warp import resize_flow, warp, warp_state
from .recurrent import State
from .states import States, split
from .streams import Stream

LEAST = 1e-6  # of what an average is made of, so that it is never lost


def propagate(
    state: State, flow: Tensor | None, decay: float = 1.0
) -> tuple[Tensor, State]:
    """The average s / n (N, classes, h, w) of a state (s, n) as the next
    frame has it, and the next state.

    With w(.) the warp along the flow and v its weight:

    .. math::
        s' = d v w(s), \\quad n' = d v w(n), \\quad y = w(s) / w(n)

    As on a full frame, the past fades by d, and where flow does not explain
    the frame by v too: the next full frame counts the more. But y needs no
    weight, so there is an answer everywhere: beyond the frame before its edge
    goes on, for next to nothing in n'.

    Args:
        state (tuple[Tensor, Tensor]): Sum and count.
        flow (Tensor | None): Flow fields (N, 3, h', w'); None: the state
            stays at its place.
        decay (float): d, in (0, 1]. Defaults to 1.
    """
    total, count = (part.float() for part in state)
    weight = torch.full_like(count, decay)
    if flow is not None:
        flow = resize_flow(flow, count.shape[2:])
        inside = warp(torch.ones_like(count), flow[:, :2])
        weight = weight * inside * flow[:, 2:]
        maps = warp(torch.cat([total, count], 1), flow[:, :2], 'border')
        total, count = maps.split([total.shape[1], 1], 1)
    average = total / count.clamp(min=LEAST)  # n is 0 before any frame
    count = (weight * count).clamp(min=LEAST)
    return average, (average * count, count)


def propagate_states(
    states: States,
    flow_at: Callable[[tuple[int, int]], Tensor | None],
    averages: Mapping[str, float],
    warped: Sequence[str] = (),
) -> tuple[dict[str, Tensor], States]:
    """The averages (N, C, h, w) by place, and all states at the next frame.

    Args:
        states (dict[str, State]): After the frame before.
        flow_at (Callable): Height and width of maps -> the flow fields
            (N, 3, h, w) that they follow, or None.
        averages (Mapping[str, float]): Place of each sum and count -> its
            decay.
        warped (Sequence[str]): Places of other states that follow the flow.
            All others stay as they are until the net runs again.
    """
    answers, after = {}, dict(states)
    for place, decay in averages.items():
        state = states[place]
        flow = flow_at(state[0].shape[2:])
        answers[place], after[place] = propagate(state, flow, decay)
    for place in warped:
        flow = flow_at(states[place][0].shape[2:])
        if flow is not None:
            after[place] = warp_state(states[place], flow)
    return answers, after


def check_propagates(model: Any, full_frames: FullFrames) -> None:
    """Refuse propagated frames of a model that has nothing to answer with.

    Raises:
        ValueError: If it is so.
    """
    if full_frames.always or getattr(model, 'can_propagate', False):
        return
    raise ValueError(
        f'every={full_frames.every}: {type(model).__name__} keeps no average '
        'of its logits that could answer where the net does not run: give it '
        "a filter, such as filter=dict(type='EMAFilter', weight=0.1), or a "
        'gated EMA'
    )


def paces_of(
    full_frames: FullFrames,
    before: Mapping[Hashable, Stream | None],
    flows: Sequence[Any | None] | None,
) -> dict[Hashable, Pace]:
    """Which of the streams' next frames are full ones.

    Args:
        full_frames (FullFrames): The rule.
        before (Mapping): As :meth:`Streams.continued` gave it.
        flows (Sequence | None): The flow field (3, h, w) of each, an array or
            a tensor.
    """
    paces = {}
    for i, (stream_id, stream) in enumerate(before.items()):
        field = None
        if stream is not None and not full_frames.always and flows is not None:
            field = flows[i]
            field = field.cpu().numpy() if torch.is_tensor(field) else field
        paces[stream_id] = full_frames.next(stream and stream.pace, field)
    return paces


Function = Callable[[list[int]], tuple[Tensor, States]]


def step_or_propagate(
    paces: Sequence[Pace],
    step: Function,
    propagate: Function,
    held: Mapping[int, tuple[Tensor, States]] | None = None,
) -> tuple[list[Tensor], list[States]]:
    """Logits (classes, H, W) and states of each stream of a batch.

    Args:
        paces (Sequence[Pace]): Of each stream.
        step, propagate (Callable): Map the numbers of some of the streams to
            their logits (n, classes, H, W) and states, with the net and
            without.
        held (Mapping | None): Number of each stream whose frame is not usable
            -> the logits and states that it keeps. Defaults to None.
    """
    logits, after = [None] * len(paces), [None] * len(paces)
    held = held or {}
    for i, kept in held.items():
        logits[i], after[i] = kept
    for function, full in ((step, True), (propagate, False)):
        group = [
            i
            for i, pace in enumerate(paces)
            if pace.full == full and i not in held
        ]
        if not group:
            continue
        answers, states = function(group)
        parts = zip(group, answers, split(states, len(group)), strict=True)
        for i, answer, state in parts:
            logits[i], after[i] = answer, state
    return logits, after
