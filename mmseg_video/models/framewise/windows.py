"""Frames of any size through a net that reads one size alone."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def in_windows(
    scores: Callable[[Tensor], Tensor],
    frames: Tensor,
    window: tuple[int, int],
) -> Tensor:
    """Scores (N, classes, h, w) of frames (N, 3, H, W), from as few windows
    as cover them.

    The frames are reduced or enlarged until one window spans them in one
    direction; in the other, windows lie evenly, and where they overlap their
    scores are averaged.

    Args:
        scores (Callable): Maps frames (N, 3, *window) to scores.
        frames (Tensor): (N, 3, H, W).
        window (tuple[int, int]): Height and width that the net reads.
    """
    height, width = frames.shape[2:]
    factor = max(window[0] / height, window[1] / width)
    size = tuple(
        max(round(length * factor), least)
        for length, least in zip((height, width), window, strict=True)
    )
    frames = F.interpolate(frames, size, mode='bilinear', antialias=True)
    parts = [
        (y, x, scores(frames[:, :, y : y + window[0], x : x + window[1]]))
        for y in _starts(size[0], window[0])
        for x in _starts(size[1], window[1])
    ]
    if len(parts) == 1:
        return parts[0][2]
    # Whole cells of the scores: a window may lie half a cell beside its own.
    rows, columns = parts[0][2].shape[2:]
    down, right = rows / window[0], columns / window[1]
    shape = round(size[0] * down), round(size[1] * right)
    total = parts[0][2].new_zeros(*parts[0][2].shape[:2], *shape)
    count = total.new_zeros(1, 1, *shape)
    for y, x, part in parts:
        y = min(round(y * down), shape[0] - rows)
        x = min(round(x * right), shape[1] - columns)
        total[:, :, y : y + rows, x : x + columns] += part
        count[:, :, y : y + rows, x : x + columns] += 1
    return total / count


def _starts(length: int, window: int) -> list[int]:
    """Where windows begin, evenly, the last one ending at the end."""
    number = -(-length // window)
    if number == 1:
        return [0]
    spare = length - window
    return [
        round(i * spare / (number - 1)) for i in torch.arange(number).tolist()
    ]
