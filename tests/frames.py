"""Frames that optical flow can follow."""

import cv2
import numpy as np


def textured(height=64, width=96, seed=0):
    """A frame (H, W, 3) uint8 BGR."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 4, width // 4, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def moving(num_frames, dx=3, dy=0, **kwargs):
    """Frames whose content moves by (dx, dy) pixels each."""
    frame = textured(**kwargs)
    return [
        np.roll(frame, (dy * t, dx * t), (0, 1)) for t in range(num_frames)
    ]


def as_tensor(frame):
    """(H, W, 3) uint8 as (1, 3, H, W) float32."""
    import torch

    return torch.from_numpy(frame.transpose(2, 0, 1).copy())[None].float()
