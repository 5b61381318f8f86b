"""One step of a stream whose frames are seen in windows."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from .states import States


def slide_step(
    predict: Callable, frames: Tensor, states: States | None, test_cfg: dict
) -> tuple[Tensor, States]:
    """Logits (N, classes, H, W) averaged over windows, and states.

    The windows lie where they lay in the frame before, and each has states of
    its own: they ride on the channels, a part of a state is
    (N, windows * r, h, w). Frames smaller than a window are padded to one.

    Args:
        predict (Callable): Maps windows (N, C, h, w) and their states to
            logits (N, classes, h, w) and states.
        frames (Tensor): (N, C, H, W).
        states (dict[str, State] | None): Before them.
        test_cfg (dict): ``crop_size`` and ``stride`` of the windows.
    """
    height, width = frames.shape[2:]
    rows, columns = test_cfg['crop_size']
    frames = F.pad(
        frames, (0, max(columns - width, 0), 0, max(rows - height, 0))
    )
    num = frames.shape[0]
    corners = [
        (y, x)
        for y in starts(frames.shape[2], rows, test_cfg['stride'][0])
        for x in starts(frames.shape[3], columns, test_cfg['stride'][1])
    ]
    windows = torch.stack(
        [frames[:, :, y : y + rows, x : x + columns] for y, x in corners],
        dim=1,
    )

    def split_windows(part: Tensor) -> Tensor:
        if part.shape == (1, 1, 1, 1):  # a zero for the whole map
            return part
        return part.unflatten(1, (len(corners), -1)).flatten(0, 1)

    before = {
        place: tuple(map(split_windows, state))
        for place, state in (states or {}).items()
    }
    logits, after = predict(windows.flatten(0, 1), before)
    logits = logits.unflatten(0, (num, len(corners)))
    total = logits.new_zeros(num, logits.shape[2], *frames.shape[2:])
    count = logits.new_zeros(1, 1, *frames.shape[2:])
    for i, (y, x) in enumerate(corners):
        total[:, :, y : y + rows, x : x + columns] += logits[:, i]
        count[:, :, y : y + rows, x : x + columns] += 1
    return (total / count)[:, :, :height, :width], {
        place: tuple(
            part.unflatten(0, (num, len(corners))).flatten(1, 2)
            for part in state
        )
        for place, state in after.items()
    }


def starts(length: int, window: int, stride: int) -> list[int]:
    """Where mmseg's windows begin; the last one is moved to the end."""
    number = max(length - window + stride - 1, 0) // stride + 1
    return [min(i * stride, length - window) for i in range(number)]
