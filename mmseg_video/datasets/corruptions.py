"""What can be wrong with video, at three strengths, for tests of robustness.

Six kinds; ``dropped`` and ``noise_burst`` hit single frames, the others
every frame.
"""

import cv2
import numpy as np

SEVERITIES = (1, 2, 3)
HIT = {'dropped': (0.1, 0.2, 0.4), 'noise_burst': (0.1, 0.2, 0.4)}


def corrupt(
    frame: np.ndarray, kind: str, severity: int, rng: np.random.Generator
) -> np.ndarray:
    """The frame (H, W, 3) uint8 as a bad camera or line delivers it.

    - dropped: 10, 20 or 40 % of the frames are black
    - noise_burst: as many have Gaussian noise of 60 grey levels
    - motion_blur: over 2, 4 or 8 % of the width, in a random direction
    - dark: a half, a quarter or an eighth of the light, with sensor noise
    - jpeg: quality 20, 10 or 5
    - patch: a grey square of a quarter, a third or half of the height

    Args:
        frame (ndarray): The clean frame.
        kind (str): One of CORRUPTIONS.
        severity (int): 1, 2 or 3.
        rng (Generator): Draws what is random.
    """
    level = severity - 1
    hit = rng.random() < HIT.get(kind, (1, 1, 1))[level]
    if not hit:
        return frame
    height, width = frame.shape[:2]
    if kind == 'dropped':
        return np.zeros_like(frame)
    if kind == 'noise_burst':
        return _noisy(frame, 60, rng)
    if kind == 'motion_blur':
        return _moved(frame, (0.02, 0.04, 0.08)[level] * width, rng)
    if kind == 'dark':
        gain = (0.5, 0.25, 0.125)[level]
        return _noisy(cv2.convertScaleAbs(frame, alpha=gain), 4, rng)
    if kind == 'jpeg':
        quality = (20, 10, 5)[level]
        data = cv2.imencode('.jpg', frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return cv2.imdecode(data[1], cv2.IMREAD_COLOR)
    side = round((1 / 4, 1 / 3, 1 / 2)[level] * height)
    y, x = rng.integers(height - side + 1), rng.integers(width - side + 1)
    covered = frame.copy()
    covered[y : y + side, x : x + side] = 127
    return covered


def _noisy(frame, sigma, rng):
    noise = rng.standard_normal(frame.shape, np.float32) * np.float32(sigma)
    return np.clip(frame + noise, 0, 255).astype(np.uint8)


def _moved(frame, length, rng):
    """Blurred along a line of this length in a random direction."""
    size = 2 * round(length / 2) + 1
    angle = rng.uniform(0, np.pi)
    kernel = np.zeros((size, size), np.float32)
    centre = size // 2
    step = centre * np.array([np.cos(angle), np.sin(angle)])
    ends = np.round([centre - step, centre + step]).astype(int).tolist()
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return cv2.filter2D(frame, -1, kernel / kernel.sum())
