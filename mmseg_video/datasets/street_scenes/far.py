"""A street of which the labels keep what is small and far alone."""

import cv2
import numpy as np

from . import textures as tx
from .scene import StreetScene

SMALL = 0.11  # heights of the frame: what is drawn lower is small


class FarScene(StreetScene):
    """A clean street scene whose label holds only small things that stand or
    move in the street, and what is around each, as far as it is high;
    everything else is to be ignored.

    Args:
        seed, split, index, height, width: See :class:`StreetScene`.
    """

    def __init__(self, seed, split, index, height=256, width=512):
        super().__init__(seed, split, index, height, width, burst_rate=0.0)
        # Of the thing that is seen at each pixel, in pixels; 0: the street.
        self._heights = np.zeros((height, width), np.float32)
        self._drawn = 0.0

    def frame(self, t):
        self._heights[:] = 0
        img, label, kind = super().frame(t)
        label[~self._near_small()] = tx.IGNORE
        return img, label, kind

    def _near_small(self) -> np.ndarray:
        """Which pixels (H, W) show small things, or are beside them."""
        near = np.zeros(self._heights.shape, bool)
        for height in np.unique(self._heights):
            if not 0 < height < SMALL * self.height:
                continue
            seen = (self._heights == height).astype(np.uint8)
            size = 2 * round(float(height)) + 1
            shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
            near |= cv2.dilate(seen, shape) > 0
        return near

    def _draw_sprite(self, img, label, look, u, v, ppm) -> None:
        self._drawn = ppm * look.height
        super()._draw_sprite(img, label, look, u, v, ppm)
        self._drawn = 0.0

    def _paste(self, img, label, seen, seen_ids, x0, y0) -> None:
        super()._paste(img, label, seen, seen_ids, x0, y0)
        h, w = seen_ids.shape
        part = self._heights[y0 : y0 + h, x0 : x0 + w]
        part[seen_ids != tx.TRANSPARENT] = self._drawn
