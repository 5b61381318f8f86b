"""Short bursts of bad frames, as real cameras have them."""

import cv2
import numpy as np

KINDS = ('dropped', 'dark', 'noisy', 'blurred')
NOISE_SIGMA = 32  # grey levels: of the noise that a scene keeps ready


def draw_bursts(
    rng, num_frames: int, rate: float, longest: int
) -> dict[int, str]:
    """Which frames of a snippet are degraded, and how: frame -> one of KINDS.

    A burst begins at each frame with the same probability, those before the
    snippet included, and lasts 1 to ``longest`` frames, each as likely; a
    later one covers an earlier. So every frame is as likely degraded as any
    other, whatever the frames before it are.

    Args:
        rng (Generator): Draws them.
        num_frames (int): Of the snippet.
        rate (float): Bursts that begin, per frame.
        longest (int): Frames of the longest burst.
    """
    bursts = {}
    for start in range(1 - longest, num_frames):
        if rng.random() < rate:
            kind = str(rng.choice(KINDS))
            for t in range(start, start + rng.integers(1, longest + 1)):
                bursts[t] = kind
    return {t: bursts[t] for t in sorted(bursts) if 0 <= t < num_frames}


def degrade(img: np.ndarray, kind: str, rng, noise: np.ndarray) -> np.ndarray:
    """The frame (H, W, 3) as the camera delivers it in a burst.

    Args:
        img (ndarray): The clean frame.
        kind (str): One of KINDS.
        rng (Generator): Draws the strength.
        noise (ndarray): int16 (H, W, 3), of NOISE_SIGMA.
    """
    if kind == 'dropped':
        return np.full_like(img, rng.choice([0, 0, 16, 128]))
    if kind == 'dark':
        gain, alpha = rng.uniform(0.04, 0.12), rng.uniform(0.15, 0.4)
    elif kind == 'noisy':
        gain, alpha = rng.uniform(0.5, 0.9), rng.uniform(1.6, 3.0)
    else:
        h, w = img.shape[:2]
        factor = rng.uniform(0.04, 0.08) * w / 10
        size = (max(2, int(w / factor / 4)), max(2, int(h / factor / 4)))
        small = cv2.resize(img, size, interpolation=cv2.INTER_AREA)
        return cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
    return cv2.addWeighted(img, gain, noise, alpha, 0, dtype=cv2.CV_8U)
