"""How much the label maps of a stream flicker, frame by frame."""

from collections.abc import Iterable, Mapping
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
    """Compares each frame's label maps with those of the frame before, along
    the optical flow (DIS)."""

    def __init__(self):
        self.flow = OPTICAL_FLOWS.build(dict(type='DISFlow'))
        self._before = None

    def next(
        self, frame: np.ndarray, labels: Mapping[str, np.ndarray]
    ) -> dict[str, Change]:
        """The change of each map since the frame before; none where there is
        no such frame, or it had another size.

        Args:
            frame (ndarray): (H, W, 3) uint8 BGR.
            labels (Mapping): Name -> label map (H, W) uint8 of the frame.
        """
        before, self._before = self._before, (frame, labels)
        if before is None or before[0].shape != frame.shape:
            return {}
        flow = self.flow(frame, before[0])
        return {
            name: _change(before[1][name], label, flow)
            for name, label in labels.items()
        }


def _change(before: np.ndarray, label: np.ndarray, flow: np.ndarray) -> Change:
    warped = warp_labels(before, resize_flow(flow, label.shape), outside=255)
    counts = warped != 255
    where = (warped != label) & counts
    return Change(
        float(np.mean(before != label)),
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
    changes = [stream.next(frame, {'': label}) for frame, label in pairs]
    return [c[''].flicker if c else float('nan') for c in changes]
