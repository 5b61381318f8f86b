"""A street on which darkness falls, and stays."""

import cv2
import numpy as np

from .scene import NUM_FRAMES, StreetScene

STARTS = 4, 14  # first dark frame
LEVEL = 9.0, 15.0  # mean grey level of the dark frames
NOISE = 0.25, 0.4  # of NOISE_SIGMA


class DarkScene(StreetScene):
    """A street scene that is dark from a frame of its first half on, to its
    end: a camera that has come to the end of its exposure, with the noise of
    its sensor. The frames before are clean.

    ``bursts`` has the dark frames, as 'darkness'. How dark they are is drawn
    once for the snippet, and the same under a bridge.

    Args:
        seed, split, index, height, width: See :class:`StreetScene`.
    """

    def __init__(self, seed, split, index, height=256, width=512):
        super().__init__(seed, split, index, height, width, burst_rate=0.0)
        # Drawn apart, so that the scene is the same.
        rng = np.random.default_rng([*self.key, NUM_FRAMES + 1])
        start = int(rng.integers(STARTS[0], STARTS[1] + 1))
        self.level, self.alpha = rng.uniform(*LEVEL), rng.uniform(*NOISE)
        self.bursts = dict.fromkeys(range(start, NUM_FRAMES), 'darkness')

    def _degrade(self, img, t, rng, noise) -> np.ndarray:
        gain = min(1.0, self.level / max(1.0, float(img.mean())))
        return cv2.addWeighted(
            img, gain, noise, self.alpha, 0, dtype=cv2.CV_8U
        )
