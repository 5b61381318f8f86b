"""Optical flow from the motion vectors of a video's codec."""

from collections.abc import Iterator

import cv2
import numpy as np

from ..io.coded_frames import CELL, motion_of
from .images import target
from .opencv import DISFlow, OpticalFlow

# Frames that lie between a frame and what the codec found it in, and the
# frame itself: FFmpeg tells of a vector only whether that was before or
# behind.
DISTANCES = (1, 2, 3, 4)
LEAST_KNOWN = 0.5  # part of the frame that has vectors


class CodecFlow(OpticalFlow):
    r"""The flow from a frame to the one before it, from the vectors that
    came with the frame (:class:`CodedFrame`).

    A vector v leads to a frame before or behind, and which one is not told.
    With even motion, a frame at a distance of d has the flow v / d, or -v / d
    if it lies behind; of all of these each cell of 4 x 4 pixels takes the
    one by which it is most like the frame before:

    .. math:: f = \arg\min_{u \in \{\pm v / d\}} \sum |I_t - I_{t-1}(u)|

    So B-frames and several reference frames need no case of their own; but
    where motion is not even, their flow is worse than that of a video without
    them. Blocks that the codec coded by themselves get their neighbours'.

    A frame that was coded by itself, or the most of it, any pair but a frame
    and the one before it, and frames that were left out have the fallback's
    flow.

    Args:
        fallback (OpticalFlow | None): Defaults to None, :class:`DISFlow`.
    """

    reads_motion = True

    def __init__(self, fallback: OpticalFlow | None = None):
        self.fallback = fallback or DISFlow()

    def __call__(
        self, first: np.ndarray, second: np.ndarray, name: str | None = None
    ) -> np.ndarray:
        """See :class:`OpticalFlow`.

        Raises:
            ValueError: If the frames come from no codec.
        """
        now, before = motion_of(first), motion_of(second)
        if now is None or before is None:
            raise ValueError(
                'these frames have no motion vectors, which a video file has '
                "and open_frames(PATH, vectors=True) reads: take flow='dis'"
            )
        follows = now.number == before.number + 1
        if not follows or now.vectors is None or now.size != before.size:
            return self.fallback(first, second, name)
        known = ~np.isnan(now.vectors[..., 0])
        if known.any(0).mean() < LEAST_KNOWN:
            return self.fallback(first, second, name)
        height, width = first.shape[:2]
        scale = np.float32([width / now.size[1], height / now.size[0]])
        cells = _best(list(_candidates(now.vectors * scale)), first, second)
        cells = np.dstack(
            [cv2.medianBlur(np.ascontiguousarray(c), 3) for c in cells]
        )
        return cv2.resize(cells, (width, height))

    def name_of(self, pair: str, first: np.ndarray, second: np.ndarray) -> str:
        return self.fallback.name_of(pair, first, second)


def _candidates(vectors: np.ndarray) -> Iterator[np.ndarray]:
    """Flows (2, h, w) that vectors (2, h, w, 2) may stand for."""
    for cells, sign in zip(vectors, (1, -1), strict=True):
        if not np.isnan(cells[..., 0]).all():
            filled = _filled(cells).transpose(2, 0, 1)
            yield from (filled * np.float32(sign / d) for d in DISTANCES)


def _filled(cells: np.ndarray) -> np.ndarray:
    """Cells (h, w, 2), where they are NaN the mean of those around."""
    known = ~np.isnan(cells[..., 0])
    filled = np.where(known[..., None], cells, 0)
    weight, side = known.astype(np.float32), 3
    values, missing = filled.copy(), ~known
    while missing.any():
        count = cv2.blur(weight, (side, side), borderType=cv2.BORDER_CONSTANT)
        total = cv2.blur(values, (side, side), borderType=cv2.BORDER_CONSTANT)
        new = missing & (count > 1e-6)
        filled[new] = total[new] / count[new, None]
        # What is filled fills its neighbours in turn: windows that grow until
        # a lonely cell is seen would lose its weight in float32.
        missing = missing & ~new
        values, weight = filled.copy(), (~missing).astype(np.float32)
        side = min(2 * side + 1, 63)
    return filled


def _best(
    flows: list[np.ndarray], first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """Of flows (2, h, w) in pixels of the frames, in each cell the one by
    which the first frame is most like the second.

    The frames are compared at half of their size.
    """
    height, width = flows[0].shape[1:]
    size = (width * CELL // 2, height * CELL // 2)
    now, then = (
        cv2.resize(
            cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY),
            size,
            interpolation=cv2.INTER_AREA,
        )
        for frame in (first, second)
    )
    scale = np.float32([size[0] / first.shape[1], size[1] / first.shape[0]])
    places = target(np.zeros((*size[::-1], 2), np.float32))
    errors = []
    for flow in flows:
        moved = (flow.transpose(1, 2, 0) * scale).repeat(CELL // 2, axis=0)
        moved = places + moved.repeat(CELL // 2, axis=1)
        warped = cv2.remap(
            then,
            moved,
            None,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        error = cv2.absdiff(now, warped).astype(np.float32)
        error = cv2.resize(error, (width, height), None, 0, 0, cv2.INTER_AREA)
        errors.append(cv2.blur(error, (3, 3)))
    best = np.argmin(errors, axis=0)
    return np.take_along_axis(np.stack(flows), best[None, None], axis=0)[0]
