"""On which frames of a stream the net runs; needs no torch."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

from .images import inside

ADAPTIVE = 'adaptive'


@dataclass(frozen=True)
class Pace:
    """Where a stream stands between two full frames.

    Args:
        full (bool): Whether the net runs on this frame. Defaults to True.
        since (int): Frames since the last full one. Defaults to 0.
        missed (float): The part of the image that flow could not account for
            since then, summed over the frames. Defaults to 0.
    """

    full: bool = True
    since: int = 0
    missed: float = 0.0


@dataclass(frozen=True)
class FullFrames:
    """Says which frames of a stream are full ones (the net runs) and which
    are propagated (the warped state answers alone).

    A flow that explains nothing, of a cut or of a dropped frame, makes a full
    frame due at once.

    Args:
        every (int | str): A full frame every so many frames; or 'adaptive':
            where the part of the image that flow cannot account for has added
            up to more than ``tolerance`` since the last full frame. Defaults
            to 1, the net runs on all.
        max_every (int): The longest way between two full frames, if adaptive.
            Defaults to 10.
        tolerance (float): See above. Defaults to 0.4, a full frame about every
            third in steady driving.

    Raises:
        ValueError: If a value is out of range.
    """

    every: int | str = 1
    max_every: int = 10
    tolerance: float = 0.4

    def __post_init__(self):
        number = isinstance(self.every, int) and self.every >= 1
        if self.every != ADAPTIVE and not number:
            raise ValueError(
                "every must be a number of frames >= 1, or 'adaptive', got "
                f'{self.every!r}'
            )
        if not isinstance(self.max_every, Integral) or self.max_every < 1:
            raise ValueError(
                'max_every must be >= 1, a number of frames, got '
                f'{self.max_every!r}'
            )
        number = isinstance(self.tolerance, Real)
        if not number or not self.tolerance >= 0:  # NaN too
            raise ValueError(
                f'tolerance is a part of the image, >= 0: {self.tolerance!r}'
            )

    @property
    def always(self) -> bool:
        """Whether every frame is a full one."""
        return self.every == 1

    def next(self, before: Pace | None, field: np.ndarray | None) -> Pace:
        """The pace at the next frame.

        Args:
            before (Pace | None): At the last frame; None at the start of a
                sequence, which is a full frame.
            field (ndarray | None): The flow field (3, h, w) to the last frame
                (:class:`FlowToPrevious`); None where nothing is warped.

        Raises:
            ValueError: If an adaptive stream has no flow.
        """
        if before is None or self.always:
            return Pace()
        if field is None and self.every == ADAPTIVE:
            raise ValueError(
                "every='adaptive' asks the flow when a full frame is due, but "
                'there is none: take a flow-compensated model, or a number'
            )
        missed = 0.0 if field is None else unexplained(field)
        since, total = before.since + 1, before.missed + missed
        if self.every == ADAPTIVE:
            due = since >= self.max_every or total > self.tolerance
        else:
            due = since >= self.every
        if due or missed > 0.5:
            return Pace()
        return Pace(False, since, total)

    def held(self, before: Pace) -> Pace:
        """The pace at a frame that is not usable: a propagated one of which
        flow says nothing."""
        return Pace(False, before.since + 1, before.missed)


def unexplained(field: np.ndarray) -> float:
    """The part of the image that a flow field (3, h, w) cannot account for:
    of the pixels that were outside of the frame before, or whose weight is
    below 0.5."""
    flow = field[:2].transpose(1, 2, 0)
    return float(1 - (inside(flow) & (field[2] >= 0.5)).mean())
