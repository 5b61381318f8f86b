"""The frames of a stream with what is known of them before a net runs."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .usable_frames import ALL_USABLE, Sight, UsableFrames

if TYPE_CHECKING:
    from .previous import FrameFlow


@dataclass(frozen=True)
class StreamFrame:
    """A frame (H, W, 3) of a stream.

    Args:
        frame (ndarray): The frame; a copy where there is flow.
        begins (bool): Whether a sequence begins with it.
        sight (Sight): Says whether it is usable.
        field (ndarray | None): The flow field (3, h, w) from it to the last
            usable frame; None where there is no flow, or the frame is not
            usable: there is no motion to see in it.
        field_back (ndarray | None): From the last usable frame to it, where
            both ways were asked for.
    """

    frame: np.ndarray
    begins: bool
    sight: Sight
    field: np.ndarray | None = None
    field_back: np.ndarray | None = None


def stream_frames(
    frames: Iterable[np.ndarray],
    flow: 'FrameFlow | None' = None,
    usable: UsableFrames = ALL_USABLE,
    begins: Callable[[int], bool] = lambda number: False,
    both_ways: bool = False,
) -> Iterator[StreamFrame]:
    """Each frame of a stream with its flow; a thread of its own may run this.

    A frame of another size begins a new sequence.

    Args:
        frames (Iterable): (H, W, 3) uint8 BGR, in order.
        flow (FrameFlow | None): Makes the flow. Defaults to None, there is
            none.
        usable (UsableFrames): Says which frames are. Defaults to all.
        begins (Callable): Whether a sequence begins with a frame, by its
            number from 0. Defaults to one sequence.
        both_ways (bool): Whether ``field_back`` is made too. Defaults to
            False.
    """
    image, sight, size = None, None, None
    for number, frame in enumerate(frames):
        anew = frame.shape != size or begins(number)
        if anew:
            image, sight, size = None, None, frame.shape
        sight = usable.next(sight, frame)
        if flow is not None:
            # A thread that runs ahead must not see it overwritten.
            frame = frame.copy()
        if flow is None or not sight.usable:
            yield StreamFrame(frame, anew, sight)
            continue
        before, image = image, flow.reduce(frame)
        back = None
        if both_ways:
            to_frame = (image, None) if before is None else (before, image)
            back = flow(*to_frame)
        yield StreamFrame(frame, anew, sight, flow(image, before), back)
