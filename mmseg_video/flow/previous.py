"""The flow that flow-compensated models and filters take."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

import cv2
import numpy as np

from ..io.coded_frames import motion_of, with_motion
from .images import as_frame
from .opencv import DISFlow, FarnebackFlow, OpticalFlow
from .reliability import (
    explains_nothing,
    is_blank,
    is_reliable,
    noise_weight,
    photometric_weight,
)
from .stream_frames import stream_frames

# The most that is kept of a past that the present frame has nothing of,
# although nothing says that it is over: one of the two is blank.
UNEXPLAINED = 0.45


class FrameFlow(ABC):
    """Maps the frames of a stream to flow fields, each from its frame to the
    one before; a base class.

    What is kept of a frame for the next one is what :meth:`reduce` gives.
    """

    # Whether frames must come with the motion vectors of their codec.
    reads_motion = False
    channels = 3  # of a field

    @property
    @abstractmethod
    def settings(self) -> dict:
        """What makes the same flow, as plain data."""

    @abstractmethod
    def reduce(self, frame: np.ndarray) -> Any:
        """What the flow of a frame (H, W, 3) is estimated from; a copy."""

    @abstractmethod
    def __call__(
        self, frame: Any, before: Any | None, name: str | None = None
    ) -> np.ndarray:
        """The flow field (channels, h, w) float32: dx, dy, weight.

        Args:
            frame (Any): As :meth:`reduce` gives it.
            before (Any | None): Likewise; None at the start of a sequence,
                which has no motion.
            name (str | None): Of the pair, for a cache. Defaults to None.
        """

    def with_previous(
        self, frames: Iterable[np.ndarray]
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Each frame of a stream, copied, with its flow field.

        A frame of another size begins a new sequence.
        """
        for item in stream_frames(frames, self):
            yield item.frame, item.field


class FlowToPrevious(FrameFlow):
    """Maps a frame and the one before it to a flow field (3, h, w) float32.

    Its channels are dx, dy, in pixels of its own size, and a weight in
    [0, 1]: what the pixel (x, y) of the frame is, the frame before has at
    (x + dx, y + dy), and by the weight a state from there is kept. It depends
    on the frames alone, so it is made where they are: by the loader's
    workers, or by the thread that decodes a stream.

    An unreliable flow (:func:`is_reliable`) becomes 0: a state then stays at
    its place.

    Args:
        estimator (OpticalFlow | None): Defaults to None, ``DISFlow`` with its
            preset 'fast'.
        min_size (int | None): Frames are reduced by a whole number first, as
            long as their shorter side does not fall below this: a net's
            logits are smaller than its frames too. None keeps their size.
            Defaults to 180.
        max_error_ratio (float | None): Of a reliable flow. None uses any.
            Defaults to 0.7.
        photometric_scale (float | None): Of :func:`photometric_weight`, in
            grey levels. Defaults to None, a weight of 1 everywhere.
        noise_scale (float | None): Of :func:`noise_weight`, in multiples of
            the frame's own noise, in place of the former. With it a cut
            (:func:`explains_nothing`) has the weight 0, and what is blank, or
            follows a blank frame, at most 0.45. Defaults to None.
        blur (int): Of :func:`noise_weight`. Defaults to 5.

    Raises:
        ValueError: If an argument is out of range, or both scales are given.
    """

    def __init__(
        self,
        estimator: OpticalFlow | None = None,
        min_size: int | None = 180,
        max_error_ratio: float | None = 0.7,
        photometric_scale: float | None = None,
        noise_scale: float | None = None,
        blur: int = 5,
    ):
        if min_size is not None and min_size < 1:
            raise ValueError(
                f'min_size must be at least 1, or None for whole frames, got '
                f'{min_size}'
            )
        if max_error_ratio is not None and max_error_ratio <= 0:
            raise ValueError(
                'max_error_ratio must be above 0, or None for any flow, got '
                f'{max_error_ratio}'
            )
        if photometric_scale is not None and photometric_scale <= 0:
            raise ValueError(
                'photometric_scale must be above 0 (grey levels), or None for '
                f'a weight of 1, got {photometric_scale}'
            )
        if noise_scale is not None and noise_scale <= 0:
            raise ValueError(
                'noise_scale must be above 0 (times the noise), or None, got '
                f'{noise_scale}'
            )
        if None not in (photometric_scale, noise_scale):
            raise ValueError(
                'photometric_scale and noise_scale are two scales of one '
                'weight: give one of them'
            )
        if blur < 1:
            raise ValueError(f'blur must be at least 1 (none), got {blur}')
        self.estimator = estimator or DISFlow(preset='fast')
        self.min_size = min_size
        self.max_error_ratio = max_error_ratio
        self.photometric_scale = photometric_scale
        self.noise_scale = noise_scale
        self.blur = blur

    @property
    def reads_motion(self) -> bool:
        return self.estimator.reads_motion

    @property
    def settings(self) -> dict:
        """What :meth:`from_settings` makes the same of, as plain data."""
        return dict(
            estimator=type(self.estimator).__name__,
            preset=getattr(self.estimator, 'preset', None),
            min_size=self.min_size,
            max_error_ratio=self.max_error_ratio,
            photometric_scale=self.photometric_scale,
            noise_scale=self.noise_scale,
            blur=self.blur,
        )

    @classmethod
    def from_settings(cls, settings: dict) -> 'FlowToPrevious':
        """What these :attr:`settings` describe.

        Raises:
            ValueError: If its estimator is none of OpenCV's.
        """
        options = dict(settings)
        name, preset = options.pop('estimator'), options.pop('preset')
        if name == 'DISFlow':
            return cls(DISFlow(preset), **options)
        if name == 'FarnebackFlow':
            return cls(FarnebackFlow(), **options)
        raise ValueError(
            f'the model was trained and tested with {name}, which needs more '
            'than OpenCV: estimate the flow yourself and give it to step(), '
            'or export with DISFlow'
        )

    def reduce(self, frame: np.ndarray) -> np.ndarray:
        """A copy of the frame (H, W, 3) at the size at which flow is
        estimated."""
        height, width = frame.shape[:2]
        factor = max(1, min(height, width) // (self.min_size or height))
        if factor == 1:
            return as_frame(frame).copy()  # its owner may write to it
        size = (width // factor, height // factor)
        reduced = cv2.resize(
            as_frame(frame), size, interpolation=cv2.INTER_AREA
        )
        return with_motion(reduced, motion_of(frame))

    def __call__(
        self,
        frame: np.ndarray,
        before: np.ndarray | None,
        name: str | None = None,
    ) -> np.ndarray:
        """The flow field (3, h, w).

        Args:
            frame (ndarray): As :meth:`reduce` gives it, (h, w, 3) uint8 BGR.
            before (ndarray | None): Likewise; None at the start of a
                sequence, which has no motion.
            name (str | None): Of the pair, for a cache. Defaults to None.

        Raises:
            ValueError: If the frames differ in size, or the estimator gives
                values that are not finite.
        """
        field = np.zeros((3, *frame.shape[:2]), np.float32)
        field[2] = 1
        if before is None:
            return field
        flow = self.estimator(frame, before, name)
        if not np.isfinite(flow).all():
            raise ValueError(
                f'{type(self.estimator).__name__} gave a flow that is not '
                f'finite ({name}): take another estimator'
            )
        ratio = self.max_error_ratio
        if ratio is None or is_reliable(frame, before, flow, ratio):
            field[:2] = flow.transpose(2, 0, 1)
        used = field[:2].transpose(1, 2, 0)
        if self.photometric_scale is not None:
            field[2] = photometric_weight(
                frame, before, used, self.photometric_scale
            )
        if self.noise_scale is not None:
            field[2] = self._noise_weight(frame, before, used)
        return field

    def _noise_weight(
        self, frame: np.ndarray, before: np.ndarray, flow: np.ndarray
    ) -> np.ndarray:
        weight = noise_weight(frame, before, flow, self.noise_scale, self.blur)
        if not explains_nothing(frame, before, flow):
            return weight
        if is_blank(frame) or is_blank(before):
            return np.minimum(weight, UNEXPLAINED)
        return np.zeros_like(weight)
