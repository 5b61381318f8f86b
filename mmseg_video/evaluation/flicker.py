"""How much the label maps of a stream flicker, frame by frame."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..flow.estimators import OPTICAL_FLOWS
from ..flow.images import resize_flow, warp_labels


@dataclass
class Change:
    """From a frame's label map to the next one's.

    ``in_place`` is the share of the pixels whose class changes at its place;
    ``flicker`` that of those whose class changes along the optical flow,
    where it stays in the frame; ``where`` (H, W) are the latter.
    """

    in_place: float
    flicker: float
    where: np.ndarray


class StreamFlicker:
    """Compares each frame's label map with that of the frame before, along
    the optical flow (DIS)."""

    def __init__(self):
        self.flow = OPTICAL_FLOWS.build(dict(type='DISFlow'))
        self._before = None

    def next(self, frame: np.ndarray, label: np.ndarray) -> Change | None:
        """The change since the frame before; None where there is none, or it
        had another size.

        Args:
            frame (ndarray): (H, W, 3) uint8 BGR.
            label (ndarray): Its label map (H, W) uint8.
        """
        before, self._before = self._before, (frame, label)
        if before is None or before[1].shape != label.shape:
            return None
        flow = resize_flow(self.flow(frame, before[0]), label.shape)
        warped = warp_labels(before[1], flow, outside=255)
        counts = warped != 255
        where = (warped != label) & counts
        return Change(
            float(np.mean(before[1] != label)),
            float(where.sum() / max(1, counts.sum())),
            where,
        )


def flicker_of(
    frames: Iterable[np.ndarray], labels: Iterable[np.ndarray]
) -> list[float]:
    """The share of pixels whose class changes along the flow, frame by frame;
    NaN for the first.

    Args:
        frames (Iterable[ndarray]): Of a stream, (H, W, 3) uint8 BGR.
        labels (Iterable[ndarray]): Their label maps (H, W) uint8.
    """
    stream = StreamFlicker()
    pairs = zip(frames, labels, strict=True)
    changes = [stream.next(frame, label) for frame, label in pairs]
    return [change.flicker if change else float('nan') for change in changes]
