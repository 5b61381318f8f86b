"""Frames that know how their codec moved them; needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import av

CELL = 4  # pixels: the sides of the smallest block that has a vector


@dataclass(frozen=True)
class Motion:
    """The motion vectors of a frame.

    Args:
        number (int): Of the frame in its video, from 0, those that could not
            be decoded included.
        vectors (ndarray | None): (2, h, w, 2) float32, of cells of 4 x 4
            pixels: where the codec found each, as (dx, dy) in pixels of the
            coded frame, in a frame before (first) and in one behind it
            (second); NaN where it did not look. None where it coded the frame
            by itself.
        size (tuple[int, int]): Height and width of the coded frame.
    """

    number: int
    vectors: np.ndarray | None
    size: tuple[int, int]


class CodedFrame(np.ndarray):
    """A frame (H, W, 3) uint8 BGR with its :class:`Motion`, which copies and
    views of the whole frame keep."""

    motion: Motion | None = None

    def __array_finalize__(self, frame) -> None:
        # Not of a view from the other side, whose motion is another.
        if (
            frame is not None
            and self.shape[:2] == frame.shape[:2]
            and min(self.strides[:2], default=1) > 0
        ):
            self.motion = getattr(frame, 'motion', None)


def motion_of(frame: np.ndarray) -> Motion | None:
    """The motion of a frame; None if its source tells of none."""
    return getattr(frame, 'motion', None)


def with_motion(frame: np.ndarray, motion: Motion | None) -> np.ndarray:
    """The frame (H, W, 3), possibly resized, with this motion."""
    if motion is None:
        return frame
    coded = frame.view(CodedFrame)
    coded.motion = motion
    return coded


def read_motion(frame: av.VideoFrame, number: int) -> Motion:
    """What the decoder tells, upright as the frame's metadata say.

    Args:
        frame (VideoFrame): Decoded with ``flags2=+export_mvs``.
        number (int): Of the frame.
    """
    size = frame.height, frame.width
    quarters = round(frame.rotation / 90) % 4
    found = frame.side_data.get('MOTION_VECTORS')
    vectors = None
    if found is not None and len(found):
        vectors = _cells(found.to_ndarray(), size)
        for _ in range(quarters):
            # What was right is up.
            vectors = np.rot90(vectors, axes=(1, 2))
            vectors = np.stack([vectors[..., 1], -vectors[..., 0]], axis=-1)
    return Motion(number, vectors, size[::-1] if quarters % 2 else size)


def _cells(found: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Vectors by cell (2, h, w, 2) of FFmpeg's list of blocks."""
    height, width = (-(-length // CELL) for length in size)
    cells = np.full((2, height, width, 2), np.nan, np.float32)
    scale = found['motion_scale'].astype(np.float32)
    vectors = np.stack(
        [found['motion_x'] / scale, found['motion_y'] / scale], axis=-1
    )
    behind = (found['source'] > 0).astype(np.intp)
    # Their centres are given.
    left = (found['dst_x'] - found['w'] // 2) // CELL
    top = (found['dst_y'] - found['h'] // 2) // CELL
    sides = np.stack([found['h'], found['w']], axis=-1)
    for side in np.unique(sides, axis=0):
        those = np.flatnonzero((sides == side).all(-1))
        rows, columns = (max(1, int(n) // CELL) for n in side)
        y = top[those, None, None] + np.arange(rows)[:, None]
        x = left[those, None, None] + np.arange(columns)
        # Blocks may reach beyond the frame.
        y, x = y.clip(0, height - 1), x.clip(0, width - 1)
        cells[behind[those, None, None], y, x] = vectors[those, None, None]
    return cells
