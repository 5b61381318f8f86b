"""The one place that folds time into the batch, and that unfolds it again.

Clips are (N, T, ...) everywhere else; what knows nothing of time works on
(N*T, ...), a frame after the other.
"""

from collections.abc import Callable, Sequence

from torch import Tensor

KEY_FRAME = slice(-1, None)
ALL_FRAMES = slice(None)


def fold(clips: Tensor | Sequence[Tensor]) -> Tensor | list[Tensor]:
    """Clips (N, T, ...) as frames (N*T, ...); of a pyramid, each level."""
    if isinstance(clips, Tensor):
        return clips.flatten(0, 1)
    return [level.flatten(0, 1) for level in clips]


def unfold(frames: Tensor, num_clips: int) -> Tensor:
    """Frames (N*T, ...) as clips (N, T, ...)."""
    return frames.unflatten(0, (num_clips, -1))


def onto_channels(clips: Tensor) -> Tensor:
    """Clips (N, T, C, H, W) as (N, T*C, H, W), for what crops or resizes all
    frames alike."""
    return clips.flatten(1, 2)


def off_channels(frames: Tensor, channels: int) -> Tensor:
    """Clips (N, T, C, H, W) from (N, T*C, H, W), C being ``channels``."""
    return frames.unflatten(1, (-1, channels))


def framewise(
    module: Callable, clips: Tensor | Sequence[Tensor]
) -> Tensor | list[Tensor]:
    """What a module that knows no time makes of clips (N, T, ...).

    Takes and gives one tensor or a pyramid of them, as the module does.
    """
    first = clips if isinstance(clips, Tensor) else clips[0]
    num_clips = first.shape[0]  # len() would fix it in an exported graph
    out = module(fold(clips))
    if isinstance(out, Tensor):
        return unfold(out, num_clips)
    return [unfold(x, num_clips) for x in out]
