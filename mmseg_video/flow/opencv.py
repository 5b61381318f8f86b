"""Optical flow by OpenCV.

An estimator maps two frames (H, W, 3) uint8 BGR to the flow (H, W, 2) float32:
the pixel (x, y) of the first is found at (x, y) + flow[y, x] in the second.
"""

import threading
import zlib
from abc import ABC, abstractmethod
from pathlib import Path

import cv2
import numpy as np

from .flo_files import read_flow, write_flow


class OpticalFlow(ABC):
    """The flow between two frames."""

    # Whether frames must come with the motion vectors of their codec.
    reads_motion = False

    @abstractmethod
    def __call__(
        self, first: np.ndarray, second: np.ndarray, name: str | None = None
    ) -> np.ndarray:
        """Flow (H, W, 2) from the first frame to the second.

        Args:
            first, second (ndarray): Frames (H, W, 3) uint8 BGR.
            name (str | None): Of the pair, ``SEQUENCE/FRAME_FRAME``. Defaults
                to None.
        """

    def name_of(self, pair: str, first: np.ndarray, second: np.ndarray) -> str:
        """The name to call with of a pair of frames that may have been
        changed since they were loaded.

        Args:
            pair (str): ``SEQUENCE/FRAME_FRAME``.
            first, second (ndarray): The frames.
        """
        return pair


class ComputedFlow(OpticalFlow):
    """Flow that is computed, and kept on disk where there is a cache.

    Args:
        cache_dir (str | None): Where flow is kept, one ``.flo`` for each pair
            (``SEQUENCE/FRAME_FRAME.flo``), by this and later runs. One folder
            serves one estimator and one size. A pair is known by its name
            alone, so that of frames that may have been changed has a check
            sum of them (:meth:`name_of`). Defaults to None.
    """

    def __init__(self, cache_dir: str | None = None):
        self.cache_dir = Path(cache_dir) if cache_dir else None

    def __call__(
        self, first: np.ndarray, second: np.ndarray, name: str | None = None
    ) -> np.ndarray:
        """Flow (H, W, 2), from the cache if it has the pair ``name``.

        Raises:
            ValueError: If the frames, or the cached flow, have another size.
        """
        if first.shape != second.shape:
            raise ValueError(
                f'optical flow needs two frames of one size, got '
                f'{first.shape[:2]} and {second.shape[:2]} ({name})'
            )
        if self.cache_dir is None or name is None:
            return self.compute(first, second)
        path = self.cache_dir / f'{name}.flo'
        if path.exists():
            return read_flow(path, first.shape[:2])
        flow = self.compute(first, second)
        write_flow(path, flow)
        return flow

    def name_of(self, pair: str, first: np.ndarray, second: np.ndarray) -> str:
        if self.cache_dir is None:
            return pair
        total = 0
        for frame in (first, second):
            total = zlib.crc32(np.ascontiguousarray(frame), total)
        return f'{pair}_{total:08x}'

    @abstractmethod
    def compute(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Flow (H, W, 2) float32 between frames (H, W, 3) uint8 BGR."""


# Sides below which OpenCV's DIS raises, or ends the process.
LEAST = 32


class DISFlow(ComputedFlow):
    """Dense inverse search (Kroeger et al., ECCV 2016).

    Frames of which a side is below 32 pixels go on with their edge.

    Args:
        preset (str): 'ultrafast', 'fast' or 'medium'. Defaults to 'medium'.
        kwargs: :class:`ComputedFlow`'s.

    Raises:
        ValueError: If there is no such preset.
    """

    def __init__(self, preset: str = 'medium', **kwargs):
        super().__init__(**kwargs)
        presets = ('ultrafast', 'fast', 'medium')
        if preset not in presets:
            raise ValueError(
                f"preset must be one of {presets}, not '{preset}'"
            )
        self.preset = preset
        self._local = threading.local()

    def __getstate__(self) -> dict:
        """OpenCV's object can be neither pickled nor copied."""
        return {k: v for k, v in vars(self).items() if k != '_local'}

    def __setstate__(self, state: dict) -> None:
        vars(self).update(state, _local=threading.local())

    def compute(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        # One for each thread: it works in buffers of its own.
        if not hasattr(self._local, 'dis'):
            name = f'DISOPTICAL_FLOW_PRESET_{self.preset.upper()}'
            self._local.dis = cv2.DISOpticalFlow_create(getattr(cv2, name))
        height, width = first.shape[:2]
        pair = (_at_least(_grey(frame), LEAST) for frame in (first, second))
        return self._local.dis.calc(*pair, None)[:height, :width]


class FarnebackFlow(ComputedFlow):
    """Farneback's polynomial expansion (SCIA 2003)."""

    def compute(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return cv2.calcOpticalFlowFarneback(
            *(_grey(first), _grey(second), None),
            pyr_scale=0.5,
            levels=5,
            winsize=15,
            iterations=3,
            poly_n=5,
            poly_sigma=1.2,
            flags=0,
        )


def _at_least(image: np.ndarray, side: int) -> np.ndarray:
    """The image (H, W) whose edge goes on to at least this height and
    width."""
    below, right = (max(0, side - length) for length in image.shape)
    if not below and not right:
        return image
    return cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE)


def _grey(frame: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
