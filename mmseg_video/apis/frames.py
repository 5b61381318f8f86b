"""Frames as users give them."""

from collections.abc import Iterable

import numpy as np
import torch

from ..io.frame_source import FrameSource


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


def begins_sequence(source: Iterable[np.ndarray], number: int) -> bool:
    """Whether a source says that a frame of it, counted from 0, which it has
    given, belongs to another sequence than the one before."""
    return isinstance(source, FrameSource) and source.begins(number)
