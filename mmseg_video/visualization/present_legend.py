"""A legend of the classes that a video shows."""

from collections.abc import Sequence

import cv2
import numpy as np

from .drawing import FONT

LONGEST_NAME = 20  # characters; the rest is cut off
LEAST_SHARE = 1e-3  # of the pixels; specks are not named
MAX_ROWS = 3
ROOM = 16  # classes for which narrow frames get more rows
BACKGROUND = 28


class PresentLegend:
    """Puts a strip below each frame that names the colours in it.

    A class keeps its place from frame to frame, dimmed where it is not seen.
    There is room for the 16 largest classes of a frame, and for more where
    they fit into three rows. Where no place is left, a class takes that of
    the one that was seen longest ago.

    Args:
        classes (Sequence[str]): Their names.
        palette (Sequence): Their colours, RGB.
    """

    def __init__(self, classes: Sequence[str], palette: Sequence):
        self.names = [
            name
            if len(name) <= LONGEST_NAME
            else name[: LONGEST_NAME - 2] + '..'
            for name in classes
        ]
        self.palette = palette
        self._places, self._seen, self._count = [], {}, 0

    def below(self, picture: np.ndarray, label: np.ndarray) -> np.ndarray:
        """The picture (H, W, 3) with the strip: (H + h, W, 3), h depends on
        nothing but W.

        Args:
            picture (ndarray): uint8 BGR.
            label (ndarray): Its label map, of any size.
        """
        width = picture.shape[1]
        scale = max(1.0, width / 960)
        row, swatch = round(20 * scale), round(12 * scale)
        widest = max(_width(name, scale) for name in self.names)
        gap = round(14 * scale)
        column = swatch + round(5 * scale) + widest + gap
        columns = max(1, (width - 6 + gap) // column)
        most = max(MAX_ROWS, -(-ROOM // columns))
        rows = min(most, -(-len(self.names) // columns))
        present = self._update(label, rows * columns)
        strip = np.full((rows * row, width, 3), BACKGROUND, np.uint8)
        for place, number in enumerate(self._places):
            x = 6 + column * (place % columns)
            y = row * (place // columns) + (row - swatch) // 2
            strength = 1.0 if number in present else 0.3
            colour = [
                BACKGROUND + strength * (int(c) - BACKGROUND)
                for c in self.palette[number][::-1]
            ]
            grey = BACKGROUND + strength * (225 - BACKGROUND)
            cv2.rectangle(
                strip, (x, y), (x + swatch, y + swatch), colour, cv2.FILLED
            )
            cv2.putText(
                *(strip, self.names[number]),
                (x + swatch + round(5 * scale), y + swatch - round(scale)),
                *(FONT, 0.42 * scale, (grey, grey, grey)),
                *(max(1, round(scale)), cv2.LINE_AA),
            )
        return np.vstack([picture, strip])

    def _update(self, label: np.ndarray, room: int) -> set[int]:
        """Give each class of the frame a place; those that have one now."""
        counts = np.bincount(label.ravel(), minlength=len(self.names))
        shown = counts[: len(self.names)] >= LEAST_SHARE * label.size
        # The largest first: they get what room there is.
        present = sorted(np.flatnonzero(shown), key=lambda i: -counts[i])
        self._count += 1
        for number in present[:room]:
            self._seen[number] = self._count
        for number in present[:room]:
            if number in self._places:
                continue
            if len(self._places) < room:
                self._places.append(number)
                continue
            oldest = min(self._places, key=self._seen.get)
            self._places[self._places.index(oldest)] = number
        return set(present[:room])


def _width(name: str, scale: float) -> int:
    (width, _), _ = cv2.getTextSize(
        name, FONT, 0.42 * scale, max(1, round(scale))
    )
    return width
