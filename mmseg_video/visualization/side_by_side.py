from collections.abc import Sequence

import cv2
import numpy as np

from .drawing import beside, captioned, legend, overlay


def side_by_side(
    frame: np.ndarray,
    labels: dict[str, np.ndarray],
    classes: Sequence[str],
    palette: Sequence,
    width: int = 480,
    opacity: float = 0.55,
    caption: str = 'frame',
) -> np.ndarray:
    """One picture (h, w, 3) uint8 BGR: the frame, then the frame under each
    label map, with captions and a legend.

    Args:
        frame (ndarray): (H, W, 3) uint8 BGR.
        labels (dict): Caption -> label map (H, W).
        classes (Sequence[str]): Their names; with none there is no legend.
        palette (Sequence): Their colours, RGB.
        width (int): Of one panel, in pixels. Defaults to 480.
        opacity (float): Of the label maps. Defaults to 0.55.
        caption (str): Of the frame. Defaults to 'frame'.
    """
    size = (width, round(frame.shape[0] * width / frame.shape[1]))
    panels = {caption: frame}
    for name, label in labels.items():
        panels[name] = overlay(frame, label, palette, opacity)
    sheet = beside(
        [
            captioned(cv2.resize(p, size, interpolation=cv2.INTER_AREA), name)
            for name, p in panels.items()
        ]
    )
    picture = sheet
    if len(classes):
        names = legend(classes, palette, sheet.shape[1])
        picture = cv2.vconcat([sheet, names])
    # Video codecs want even sizes.
    return picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
