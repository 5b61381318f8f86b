"""Filters that look at the future too, for recorded video."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..flow.warp import resize_flow, warp_state
from .filters import EMAFilter
from .propagation import propagate
from .recurrent import State

NOTHING = 1e-12  # the count of a frame that says nothing


@dataclass
class _Waiting:
    """A frame that waits for those behind it.

    ``scores`` is None on a propagated frame; ``past`` is the filter's state
    there; ``to_next`` leads from it to the next frame.
    """

    scores: Tensor | None
    past: State
    to_next: Tensor | None = None


class TwoSidedFilter:
    r"""Averages the scores of frames over past and future.

    The sum and count of an :class:`EMAFilter` that runs forward, and those of
    one that runs backward over the next frames, are added::

        smooth = TwoSidedFilter(EMAFilter(0.1), look_ahead=5)
        for scores, flow, flow_back in video:
            for answer in smooth.push(scores, flow, flow_back): ...
        for answer in smooth.flush(): ...

    Every frame comes out once and in order, ``look_ahead`` frames late and
    up to ``chunk - 1`` more. The backward filter runs over ``chunk +
    look_ahead`` frames at a time: a chunk of 1 has the least delay, a long
    one the least work, and memory is bounded by both.

    Args:
        filter (EMAFilter): Its weight is that of each frame.
        look_ahead (int): Frames of the future that count, at least.
        chunk (int): Frames that come out at once. Defaults to 1.

    Raises:
        ValueError: If one is out of range.
    """

    def __init__(self, filter: EMAFilter, look_ahead: int, chunk: int = 1):
        if look_ahead < 0 or chunk < 1:
            raise ValueError(
                'look_ahead must be at least 0 and chunk at least 1, got '
                f'{look_ahead} and {chunk}'
            )
        self.filter = filter
        self.look_ahead, self.chunk = look_ahead, chunk
        self._waiting: list[_Waiting] = []
        self._state: State | None = None

    def push(
        self,
        scores: Tensor | None,
        flow: Tensor | None = None,
        flow_back: Tensor | None = None,
    ) -> Iterator[Tensor]:
        """Take in the next frame; the logits (N, classes, h, w) of frames
        that have waited long enough.

        Args:
            scores (Tensor | None): Of the frame (N, classes, h, w); None
                where the net did not run.
            flow (Tensor | None): Flow fields (N, 3, h', w') from this frame
                to the one before. Defaults to None, nothing is warped.
            flow_back (Tensor | None): From the one before to this frame.

        Raises:
            ValueError: If the first frame has no scores.
        """
        if scores is None and self._state is None:
            raise ValueError('the first frame of a video has no scores')
        if flow_back is not None and self._waiting:
            size = self._state[0].shape[2:]
            self._waiting[-1].to_next = resize_flow(flow_back, size)
        if scores is None:
            _, self._state = propagate(self._state, flow, self.filter.decay)
        else:
            _, self._state = self.filter(scores, self._state, flow)
        yield from self._wait(scores)

    def begin_without(self, like: Tensor) -> Iterator[Tensor]:
        """Take in the first frame of a video whose scores are not known: the
        frames behind it answer for it, and it counts for none of them.

        Args:
            like (Tensor): Of the scores' shape (N, classes, h, w).
        """
        total = torch.zeros_like(like, dtype=torch.float32)
        self._state = total, torch.full_like(total[:, :1], NOTHING)
        yield from self._wait(None)

    def _wait(self, scores: Tensor | None) -> Iterator[Tensor]:
        self._waiting.append(_Waiting(scores, self._state))
        if len(self._waiting) == self.look_ahead + self.chunk:
            yield from self._answers(self.chunk)

    def flush(self) -> Iterator[Tensor]:
        """The frames that still wait; the next one begins a sequence."""
        yield from self._answers(len(self._waiting))
        self._state = None

    def _answers(self, number: int) -> list[Tensor]:
        """The first frames that wait, which leave."""
        future, answers = None, []
        for i in reversed(range(len(self._waiting))):
            frame = self._waiting[i]
            total, count = frame.past
            if future is not None:
                if frame.to_next is not None:
                    future = warp_state(future, frame.to_next)
                future = tuple(self.filter.decay * part for part in future)
                total, count = total + future[0], count + future[1]
            if i < number:
                answers.append(self.filter.answer(total / count))
            if frame.scores is not None:
                own = self.filter(frame.scores)[1]
                future = own if future is None else _add(own, future)
        del self._waiting[:number]
        return answers[::-1]


def _add(one: State, other: State) -> State:
    return tuple(torch.add(*parts) for parts in zip(one, other, strict=True))
