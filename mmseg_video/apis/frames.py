"""Frames as users give them."""

import numpy as np
import torch


def as_array(frame: np.ndarray | torch.Tensor, stream_id) -> np.ndarray:
    """The frame (H, W, 3) uint8.

    Raises:
        ValueError: If it is none.
    """
    if isinstance(frame, torch.Tensor):
        frame = frame.cpu().numpy()
    if (
        not isinstance(frame, np.ndarray)
        or frame.dtype != np.uint8
        or frame.ndim != 3
        or frame.shape[2] != 3
    ):
        got = type(frame).__name__
        if isinstance(frame, np.ndarray):
            got = f'{frame.shape} {frame.dtype}'
        raise ValueError(
            f'stream {stream_id!r}: a frame must be (H, W, 3) uint8, blue '
            f'first, got {got}'
        )
    return frame
