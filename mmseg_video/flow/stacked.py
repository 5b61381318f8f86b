from collections.abc import Sequence

import cv2
import numpy as np

from .previous import FlowToPrevious, FrameFlow


class StackedFlow(FrameFlow):
    """Maps a frame and the one before it to the flow fields of several
    makers, one above the other: (3 * K, h, w) float32.

    All are brought to the size of the largest. Whoever reads one field reads
    the first.

    Args:
        makers (Sequence[FrameFlow]): Each makes a field (3, h, w), or
            several.
    """

    def __init__(self, makers: Sequence[FrameFlow]):
        self.makers = tuple(makers)

    @property
    def channels(self) -> int:
        return sum(make.channels for make in self.makers)

    @property
    def settings(self) -> dict:
        return dict(stacked=[make.settings for make in self.makers])

    @property
    def reads_motion(self) -> bool:
        return any(make.reads_motion for make in self.makers)

    def reduce(self, frame: np.ndarray) -> tuple:
        return tuple(make.reduce(frame) for make in self.makers)

    def __call__(
        self,
        frame: tuple,
        before: tuple | None,
        name: str | None = None,
    ) -> np.ndarray:
        before = before or (None,) * len(frame)
        fields = [
            make(now, then, name)
            for make, now, then in zip(self.makers, frame, before, strict=True)
        ]
        size = max(field.shape[1:] for field in fields)
        return np.concatenate([_resized(field, size) for field in fields])


def _resized(field: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Fields (3 * K, h, w) at another size."""
    if field.shape[1:] == size:
        return field
    scale = [size[1] / field.shape[2], size[0] / field.shape[1], 1]
    scale = np.float32(scale * (len(field) // 3))
    # OpenCV resizes at most four channels at once.
    planes = [cv2.resize(plane, size[::-1]) for plane in field]
    return np.stack(planes) * scale[:, None, None]


def flow_from_settings(settings: dict) -> FrameFlow:
    """What makes the flow that these :attr:`FrameFlow.settings` describe.

    Raises:
        ValueError: If that needs more than OpenCV.
    """
    if 'stacked' in settings:
        return StackedFlow(
            [flow_from_settings(s) for s in settings['stacked']]
        )
    return FlowToPrevious.from_settings(settings)
