"""Pictures of predictions: images (H, W, 3) uint8, BGR."""

from collections.abc import Sequence

import cv2
import numpy as np

FONT = cv2.FONT_HERSHEY_SIMPLEX


def colourise(label: np.ndarray, palette: Sequence) -> np.ndarray:
    """The label map (H, W) in its palette's colours; ignored pixels black.

    Args:
        label (ndarray): Class ids; what is outside the palette is ignored.
        palette (Sequence): One RGB triple for each class.
    """
    table = np.zeros((256, 3), np.uint8)
    table[: len(palette)] = np.asarray(palette, np.uint8)[:, ::-1]
    return table[label.astype(np.uint8)]


def overlay(
    frame: np.ndarray,
    label: np.ndarray,
    palette: Sequence,
    opacity: float = 0.5,
) -> np.ndarray:
    """The frame under its label map (H, W), blended with ``opacity``."""
    return cv2.addWeighted(
        frame, 1 - opacity, colourise(label, palette), opacity, 0
    )


def captioned(panel: np.ndarray, caption: str) -> np.ndarray:
    """The panel with a caption on a dark strip above it."""
    scale = max(0.5, panel.shape[1] / 900)
    height = round(34 * scale)
    strip = np.full((height, panel.shape[1], 3), 28, np.uint8)
    cv2.putText(
        strip,
        caption,
        (round(10 * scale), round(23 * scale)),
        FONT,
        0.75 * scale,
        (235, 235, 235),
        max(1, round(1.6 * scale)),
        cv2.LINE_AA,
    )
    return np.vstack([strip, panel])


def beside(panels: Sequence[np.ndarray], columns: int = 0) -> np.ndarray:
    """Panels of one size in rows of ``columns`` (all in one by default)."""
    columns = columns or len(panels)
    gap = 4
    h, w = panels[0].shape[:2]
    rows = -(-len(panels) // columns)
    sheet = np.full(
        (rows * (h + gap) - gap, columns * (w + gap) - gap, 3), 28, np.uint8
    )
    for i, panel in enumerate(panels):
        y, x = (i // columns) * (h + gap), (i % columns) * (w + gap)
        sheet[y : y + h, x : x + w] = panel
    return sheet


def legend(
    classes: Sequence[str], palette: Sequence, width: int
) -> np.ndarray:
    """A strip (h, width, 3) that names the colours of the classes."""
    scale = 0.42
    strip_height, swatch = 20, 12
    rows, x, y = [], 6, 0
    for name, colour in zip(classes, palette, strict=True):
        (text, _), _ = cv2.getTextSize(name, FONT, scale, 1)
        need = swatch + 5 + text + 14
        if x + need > width and x > 6:
            x, y = 6, y + strip_height
        rows.append((name, colour, x, y))
        x += need
    strip = np.full((y + strip_height, width, 3), 28, np.uint8)
    for name, colour, x, y in rows:
        bgr = tuple(int(c) for c in colour[::-1])
        top = y + (strip_height - swatch) // 2
        cv2.rectangle(strip, (x, top), (x + swatch, top + swatch), bgr, -1)
        cv2.putText(
            strip,
            name,
            (x + swatch + 5, y + 14),
            FONT,
            scale,
            (225, 225, 225),
            1,
            cv2.LINE_AA,
        )
    return strip
