"""Frames, with what is known of them as a video."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np


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
    """

    timed: Iterator[tuple[np.ndarray, float | None]]
    fps: float | None = None
    length: int | None = None

    def __iter__(self) -> Iterator[np.ndarray]:
        return (frame for frame, _ in self.timed)

    def reduced(
        self,
        max_frames: int | None = None,
        size: tuple[int, int] | None = None,
    ) -> 'FrameSource':
        """The first frames, resized; takes the place of this source.

        Args:
            max_frames (int | None): How many. Defaults to None, all.
            size (tuple[int, int] | None): Height and width. Defaults to None,
                as they are.
        """
        length = self.length
        if max_frames is not None:
            length = min(length or max_frames, max_frames)

        def resized():
            for frame, time in itertools.islice(self.timed, max_frames):
                if size is not None:
                    frame = cv2.resize(
                        frame, size[::-1], interpolation=cv2.INTER_AREA
                    )
                yield frame, time

        return FrameSource(resized(), self.fps, length)
