"""Which frames of a stream show anything; needs no torch."""

import logging
from dataclasses import dataclass
from numbers import Integral, Real

import cv2
import numpy as np

from .images import as_frame

logger = logging.getLogger('mmseg_video')

# Of the last usable frame's contrast: below it the fall is sudden. Neighbours
# of real video differ by 5 % at 15 Hz; of real frames that are made dark or
# dropped, none keeps a quarter.
SUDDEN = 0.4


@dataclass(frozen=True)
class Sight:
    """What a stream has seen.

    Args:
        contrast (float): Of the last usable frame, in grey levels.
        held (int): Frames since then: 0 where the frame itself is usable.
            Defaults to 0.
    """

    contrast: float
    held: int = 0

    @property
    def usable(self) -> bool:
        """Whether the frame is."""
        return self.held == 0


@dataclass(frozen=True)
class UsableFrames:
    """Says which frames of a stream are usable; on the others, flat or dark
    ones, the net does not run: the last answer is held and states wait.

    A frame is not usable if its contrast, the standard deviation of its grey
    levels, is below ``min_contrast`` and suddenly so, below 0.4 of that of
    the last usable frame. So nightfall, fog and a wall that comes near are
    usable, as they come little by little. And a map that is held for long is
    a wrong answer: after ``max_held`` frames the next one is usable whatever
    it shows, and so are those that are as flat or dark behind it. The first
    frame of a sequence is usable.

    Args:
        min_contrast (float): In grey levels; 0 makes all frames usable.
            Defaults to 10: no frame of CamVid is below 20, and real frames
            that are made dark or dropped reach 9.
        max_held (int): The most frames in a row that are not usable. Defaults
            to 30, about a second of video.

    Raises:
        ValueError: If one is out of range.
    """

    min_contrast: float = 10.0
    max_held: int = 30

    def __post_init__(self):
        number = isinstance(self.min_contrast, Real)
        if not number or not 0 <= self.min_contrast <= 127:  # NaN too
            raise ValueError(
                'min_contrast is a standard deviation of grey levels, 0 (all '
                f'frames are usable) to 127, got {self.min_contrast!r}'
            )
        if not isinstance(self.max_held, Integral) or self.max_held < 1:
            raise ValueError(
                f'max_held must be >= 1 frame, got {self.max_held!r}: with '
                'min_contrast=0 none is held'
            )

    @property
    def all(self) -> bool:
        """Whether every frame is usable."""
        return self.min_contrast == 0

    def next(self, before: Sight | None, frame: np.ndarray) -> Sight:
        """What the stream has seen at its next frame.

        Args:
            before (Sight | None): At the frame before; None at the start of a
                sequence.
            frame (ndarray): (H, W, 3) BGR.
        """
        if self.all:
            return Sight(0)
        contrast = contrast_of(frame)
        least = SUDDEN * before.contrast if before is not None else 0
        if contrast >= min(self.min_contrast, least):
            return Sight(contrast)
        if before.held < self.max_held:
            return Sight(before.contrast, before.held + 1)
        logger.warning(
            'the %d frames before were flat or dark and the last answer was '
            'held: from here on the net runs again',
            self.max_held,
        )
        return Sight(contrast)


# Of streams that hold nothing.
ALL_USABLE = UsableFrames(min_contrast=0)


def contrast_of(frame: np.ndarray) -> float:
    """The standard deviation of the grey levels of a frame (H, W, 3) BGR."""
    grey = cv2.cvtColor(as_frame(frame), cv2.COLOR_BGR2GRAY)
    return float(cv2.meanStdDev(grey)[1][0, 0])
