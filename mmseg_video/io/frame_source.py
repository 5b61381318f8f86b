"""Frames, with what is known of them as a video."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from .coded_frames import motion_of, with_motion

# How fast frames without times follow each other.
IMAGES_PER_SECOND = 10.0


@dataclass
class FrameSource:
    """Iterates over frames (H, W, 3) uint8 BGR, once.

    Attributes:
        timed (Iterator): The same frames, each with its time in seconds since
            the first one, None where the source has no times.
        fps (float | None): Frames a second, the mean of a variable rate; None
            where the source has none.
        length (int | None): The number of frames as the source claims it,
            or, where it does not, from its duration; None where it is not
            known.
        names (list[str]): Of the frames read so far, without their suffix;
            empty where the source does not name them.
        sequences (list[str]): The sequence that each frame read so far
            belongs to; empty where all are one.
        numbers (list[int]): Of the frames read so far, where this is a part
            of a source: which frame of it each is, from 0.
        seek (Callable | None): Lets the frames begin at one not later than a
            time in seconds; None where all have to be read.
    """

    timed: Iterator[tuple[np.ndarray, float | None]]
    fps: float | None = None
    length: int | None = None
    names: list[str] = field(default_factory=list)
    sequences: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    seek: Callable[[float], None] | None = None

    def __iter__(self) -> Iterator[np.ndarray]:
        return (frame for frame, _ in self.timed)

    def begins(self, number: int) -> bool:
        """Whether a frame that was read, counted from 0, belongs to another
        sequence than the one before."""
        pair = self.sequences[max(0, number - 1) : number + 1]
        return len(pair) == 2 and pair[0] != pair[1]

    def reduced(
        self,
        max_frames: int | None = None,
        size: tuple[int, int] | None = None,
        start: float | None = None,
        end: float | None = None,
        stride: int = 1,
    ) -> 'FrameSource':
        """A part of the frames, resized; takes the place of this source.

        Where frames before the start are not decoded, the number of the first
        one follows from its time at the mean rate.

        Args:
            max_frames (int | None): The first so many. Defaults to None, all.
            size (tuple[int, int] | None): Height and width. Defaults to None,
                as they are.
            start (float | None): Seconds from which on they count; where
                they have no times, 10 are a second. Defaults to None, 0.
            end (float | None): Seconds before which they are shown. Defaults
                to None, all.
            stride (int): Every so many. Defaults to 1.

        Raises:
            ValueError: If the start or the end is infinite or NaN.
        """
        for name, value in (('start', start), ('end', end)):
            if value is not None and not math.isfinite(value):
                raise ValueError(f'{name} is {value} s, expected a number')
        reduced = FrameSource(
            iter(()), self.fps and self.fps / stride, self.length
        )
        rate = self.fps or IMAGES_PER_SECOND
        if self.length is not None:
            first, last = 0, self.length
            if start is not None:
                first = math.ceil(start * rate)
            if end is not None:
                last = min(last, math.ceil(end * rate))
            reduced.length = max(0, -(-(last - first) // stride))
        if max_frames is not None:
            length = reduced.length
            reduced.length = min(length or max_frames, max_frames)

        def part():
            count, skipped = 0, None
            if start and self.seek is not None:
                self.seek(start)
            for i, (frame, time) in enumerate(self.timed):
                if skipped is None:
                    skipped = 0 if time is None else round(time * rate)
                at = i / rate if time is None else time
                if end is not None and at >= end:
                    return
                if start is not None and at < start:
                    continue
                count += 1
                if (count - 1) % stride:
                    continue
                if size is not None:
                    motion = motion_of(frame)
                    frame = cv2.resize(
                        frame, size[::-1], interpolation=cv2.INTER_AREA
                    )
                    frame = with_motion(frame, motion)
                reduced.names += self.names[i : i + 1]
                reduced.sequences += self.sequences[i : i + 1]
                reduced.numbers += self.numbers[i : i + 1] or [skipped + i]
                yield frame, time
                # Here, or one frame more would be read than is wanted.
                if max_frames is not None and count > stride * (
                    max_frames - 1
                ):
                    return

        reduced.timed = part()
        return reduced
