"""The one place that folds time into the batch, and that unfolds it again.

Clips are (N, T, ...) everywhere else; what knows nothing of time works on
(N*T, ...), a frame after the other.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

KEY_FRAME = slice(-1, None)
ALL_FRAMES = slice(None)

# What a backbone gives: a tensor, a pyramid of them, or any lists, tuples and
# dicts of tensors with the frames first.
Maps = Any


def fold(clips: Maps) -> Maps:
    """Clips (N, T, ...) as frames (N*T, ...); of a pyramid, each level."""
    return tree_map(lambda x: x.flatten(0, 1), clips)


def pick(clips: Maps, frames: slice | int) -> Maps:
    """Some frames of clips (N, T, ...); of a pyramid, of each level."""
    return tree_map(lambda x: x[:, frames], clips)


def unfold(frames: Tensor, num_clips: int) -> Tensor:
    """Frames (N*T, ...) as clips (N, T, ...)."""
    return frames.unflatten(0, (num_clips, -1))


def onto_channels(clips: Tensor) -> Tensor:
    """Clips (N, T, C, H, W) as (N, T*C, H, W), for what crops or resizes all
    frames alike."""
    return clips.flatten(1, 2)


def off_channels(frames: Tensor, num_frames: int) -> Tensor:
    """Clips (N, T, C, H, W) from (N, T*C, H, W), T being ``num_frames``."""
    return frames.unflatten(1, (num_frames, -1))


def framewise(module: Callable, clips: Maps) -> Maps:
    """What a module that knows no time makes of clips (N, T, ...).

    Takes and gives one tensor or a pyramid of them, as the module does.
    """
    first = tree_leaves(clips)[0]
    num_clips = first.shape[0]  # len() would fix it in an exported graph
    return tree_map(lambda x: unfold(x, num_clips), module(fold(clips)))
