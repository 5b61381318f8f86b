"""A street behind a lens with something on it."""

import math
from abc import ABC, abstractmethod

import cv2
import numpy as np

from . import textures as tx
from .scene import NUM_FRAMES, StreetScene

SHORTEST, LONGEST = 4, 12  # frames that it stays, and that the lens is free
COVERED = 0.1, 0.25  # part of the picture


class OccludedScene(StreetScene):
    """A street scene of which something opaque before the lens hides a part,
    again and again: dirt, a leaf that slides, or a bar that sweeps like a
    wiper. The label stays that of the scene behind.

    ``bursts`` has the frames in which it does, as 'occlusion'; the others
    are clean. It comes and goes without regard to the snippet's ends: the
    first frames may be hidden.

    Args:
        seed, split, index, height, width: See :class:`StreetScene`.
    """

    def __init__(self, seed, split, index, height=256, width=512):
        super().__init__(seed, split, index, height, width, burst_rate=0.0)
        # Drawn apart, so that the scene is the same.
        rng = np.random.default_rng([*self.key, NUM_FRAMES + 1])
        self.covers = {}  # frame -> _Cover
        # From long before, so that every frame is as likely hidden.
        t = -int(rng.integers(8 * LONGEST, 10 * LONGEST))
        while t < NUM_FRAMES:
            stay, free = rng.integers(SHORTEST, LONGEST + 1, 2).tolist()
            if t + stay > 0:
                shape = _SHAPES[rng.integers(len(_SHAPES))]
                cover = shape(rng, height, width)
                self.covers |= dict.fromkeys(range(t, t + stay), cover)
            t += stay + free
        self.bursts = {
            t: 'occlusion' for t in sorted(self.covers) if 0 <= t < NUM_FRAMES
        }

    def _degrade(self, img, t, rng, noise) -> np.ndarray:
        cover = self.covers[t]
        alpha = cover.alpha(t)[..., None]
        return np.rint(img * (1 - alpha) + cover.texture * alpha).astype(
            np.uint8
        )


class _Cover(ABC):
    """Something before the lens: where a field (H, W) is lowest.

    Attributes:
        texture (ndarray): Its picture (H, W, 3).
        part (float): How much of the picture it covers.
    """

    def __init__(self, rng, height: int, width: int):
        self.size = height, width
        self.part = rng.uniform(*COVERED)
        base = self._colour(rng)
        cells = max(2, width // 64), max(4, width // 12)
        self.texture = tx.surface(rng, height, width, base, 9, cells)
        y, x = np.mgrid[:height, :width].astype(np.float32)
        # From the middle, in heights of the picture.
        self.x, self.y = (x - width / 2) / height, y / height - 0.5
        self.start = rng.uniform(0, 2 * math.pi)

    @staticmethod
    def _colour(rng) -> np.ndarray:
        return tx.colour(rng, 20, 90, 4)

    @abstractmethod
    def _field(self, t: int) -> np.ndarray:
        """(H, W), lowest where it hides most in frame t."""

    def alpha(self, t: int) -> np.ndarray:
        """How opaque it is (H, W) in frame t, from 0 to 1: its rim, near to
        the lens, is out of focus."""
        field = self._field(t)
        mask = (field < np.quantile(field, self.part)).astype(np.float32)
        return cv2.GaussianBlur(mask, (0, 0), 0.008 * self.size[0])


class _Dirt(_Cover):
    """Splashes that stay where they are."""

    def __init__(self, rng, height, width):
        super().__init__(rng, height, width)
        self.bumps = tx.noise(rng, height, width, max(4, height // 5))
        self.bumps += 0.25 * tx.noise(rng, height, width, max(2, height // 18))

    def _field(self, t):
        return self.bumps


class _Leaf(_Cover):
    """A leaf, pointed at both ends, that slides slowly."""

    def __init__(self, rng, height, width):
        super().__init__(rng, height, width)
        self.turn = rng.uniform(0, math.pi)
        self.place = rng.uniform(-0.5, 0.5), rng.uniform(-0.2, 0.2)
        self.slide = rng.uniform(-0.02, 0.02), rng.uniform(0, 0.012)

    @staticmethod
    def _colour(rng):
        green, brown = np.array([(25, 70, 50), (30, 60, 95)])
        return (green + (brown - green) * rng.random()) * rng.uniform(0.5, 1)

    def _field(self, t):
        x = self.x - self.place[0] - self.slide[0] * (t - NUM_FRAMES / 2)
        y = self.y - self.place[1] - self.slide[1] * (t - NUM_FRAMES / 2)
        s, c = math.sin(self.turn), math.cos(self.turn)
        x, y = c * x + s * y, c * y - s * x
        # Where two discs overlap.
        return np.maximum(np.hypot(x, y - 0.35), np.hypot(x, y + 0.35))


class _Bar(_Cover):
    """A straight bar, more or less upright, that sweeps to and fro."""

    def __init__(self, rng, height, width):
        super().__init__(rng, height, width)
        self.turn = rng.uniform(-0.5, 0.5)
        self.reach = rng.uniform(0.3, 0.7)
        self.speed = rng.uniform(0.1, 0.35)  # radians a frame

    def _field(self, t):
        place = self.reach * math.sin(self.speed * t + self.start)
        turn = self.turn + 0.4 * place
        return np.abs(
            (self.x - place) * math.cos(turn) + self.y * math.sin(turn)
        )


_SHAPES = _Dirt, _Leaf, _Bar
