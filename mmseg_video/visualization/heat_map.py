"""Where the predictions of a video flicker, as a picture."""

import cv2
import numpy as np

from .drawing import beside, captioned


def heat_map(
    rates: dict[str, np.ndarray], background: np.ndarray
) -> np.ndarray:
    """A picture (h, w, 3) uint8 BGR of rates over a grey background: of
    several models side by side, in one scale.

    Black to bright yellow is 0 to the largest rate that one pixel in 1000
    exceeds, in any of them; the strip below says which.

    Args:
        rates (dict): Caption -> (H, W) float, of each pixel: in how many of
            the frames its class changed, 0 to 1.
        background (ndarray): (H, W, 3) uint8 BGR, such as a frame.
    """
    brightest = [float(np.quantile(rate, 0.999)) for rate in rates.values()]
    largest = max(*brightest, 1e-3)
    panels = {k: _panel(v / largest, background) for k, v in rates.items()}
    if len(panels) > 1:
        picture = beside([captioned(v, k) for k, v in panels.items()])
    else:
        (picture,) = panels.values()
    return np.vstack([picture, _scale(largest, picture.shape[1])])


def _panel(part: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Parts (H, W) of the largest rate, in colours."""
    part = np.clip(part, 0, 1).astype(np.float32)
    colours = cv2.applyColorMap(
        np.uint8(255 * part), cv2.COLORMAP_INFERNO
    ).astype(np.float32)
    grey = cv2.cvtColor(background, cv2.COLOR_BGR2GRAY)[..., None] * 0.4
    weight = np.sqrt(part)[..., None]
    return np.uint8(weight * colours + (1 - weight) * grey)


def _scale(largest: float, width: int) -> np.ndarray:
    """A strip (28, width, 3) with the colours of 0 to the largest rate."""
    strip = np.full((28, width, 3), 28, np.uint8)
    ramp = np.linspace(0, 255, max(1, width - 16)).astype(np.uint8)
    colours = cv2.applyColorMap(ramp[None], cv2.COLORMAP_INFERNO)
    strip[4:10, 8 : 8 + colours.shape[1]] = colours
    text = f'class changes: 0 to {100 * largest:.1f} % of the frames'
    cv2.putText(
        *(strip, text, (8, 23), cv2.FONT_HERSHEY_SIMPLEX, 0.38),
        *((235, 235, 235), 1, cv2.LINE_AA),
    )
    return strip
