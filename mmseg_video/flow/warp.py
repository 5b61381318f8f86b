"""Feature maps and states warped along optical flow, in PyTorch.

One geometry everywhere: positions count in pixels, the centre of the first
pixel at 0, so that a flow of 0 changes nothing at any size and the same field
serves maps of every stride once it is resized. (``align_corners`` of
``grid_sample`` only says how such positions are written down; False needs no
division by size - 1, which is 0 for a single pixel.)
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def warp(maps: Tensor, flow: Tensor, outside: str = 'zeros') -> Tensor:
    """Maps (N, C, h, w) read at each pixel's (x, y) + flow, bilinearly.

    In float32: half precision cannot tell the places of a wide map apart.

    Args:
        maps (Tensor): Of the frame that the flow leads to.
        flow (Tensor): (N, 2, h, w) in pixels of the maps, dx first.
        outside (str): Beyond the maps are 'zeros', or their 'border' goes
            on. Defaults to 'zeros'.
    """
    height, width = maps.shape[2:]
    x = torch.arange(width, device=maps.device) + flow[:, 0].float()
    y = torch.arange(height, device=maps.device)[:, None] + flow[:, 1].float()
    # -1 and 1 are the outer edges of the first and the last pixel.
    grid = torch.stack(
        [(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1
    )
    return F.grid_sample(
        maps.float(), grid, padding_mode=outside, align_corners=False
    )


def resize_flow(
    flow: Tensor, size: tuple[int, int], mode: str = 'bilinear'
) -> Tensor:
    """A flow field (N, 2 or more, h, w) for maps of this size.

    dx and dy, its first two channels, become pixels of those maps.

    Args:
        flow (Tensor): The field.
        size (tuple[int, int]): Height and width of the maps.
        mode (str): Of the interpolation. Defaults to 'bilinear', which an
            exported graph can do at any size; 'area' cannot be exported.
    """
    height, width = flow.shape[2:]
    flow = F.interpolate(flow.float(), tuple(size), mode=mode)
    scale = [size[1] / width, size[0] / height]
    motion = [flow[:, i : i + 1] * scale[i] for i in range(2)]
    return torch.cat([*motion, flow[:, 2:]], dim=1)


def corner_flow(
    flow: Tensor, frame: tuple[int, int], size: tuple[int, int]
) -> Tensor:
    """A flow field (N, 3, h, w) for maps of this size whose outermost pixels
    have their centres on those of the frame, as maps have that are resized
    with ``align_corners``.

    :func:`resize_flow` takes it for theirs, up to half a pixel beside it.

    Args:
        flow (Tensor): The field, of frames that may have been reduced.
        frame (tuple[int, int]): Height and width of the frames.
        size (tuple[int, int]): Of the maps.
    """
    axes, scale = [], []
    for maps, pixels, cells in zip(size, frame, flow.shape[2:], strict=True):
        # Where the maps' pixels are, in pixels of the frame.
        places = torch.arange(maps, device=flow.device) * (pixels - 1)
        places = places / max(maps - 1, 1)
        axes.append((2 * places + 1) / pixels - 1)
        scale.append(pixels / cells * (maps - 1) / max(pixels - 1, 1))
    y, x = torch.meshgrid(*axes, indexing='ij')
    grid = torch.stack([x, y], dim=-1).expand(flow.shape[0], -1, -1, -1)
    flow = F.grid_sample(
        flow.float(), grid, padding_mode='border', align_corners=False
    )
    motion = [flow[:, i : i + 1] * scale[1 - i] for i in range(2)]
    return torch.cat([*motion, flow[:, 2:]], dim=1)


def warp_state(state: tuple[Tensor, ...], flow: Tensor) -> tuple[Tensor, ...]:
    """The maps (N, r, h, w) of a state, as the next frame has them.

    Beyond the frame before they are zeros, as at the start of a sequence.

    Args:
        state (tuple[Tensor, ...]): What the frame before left.
        flow (Tensor): A flow field (N, 3, h', w'), see
            :class:`FlowToPrevious`: dx, dy and the weight of the state.
    """
    flow = resize_flow(flow, state[0].shape[2:])
    maps = torch.cat([part.float() for part in state], dim=1)
    warped = warp(maps, flow[:, :2]) * flow[:, 2:]
    parts = warped.split([part.shape[1] for part in state], dim=1)
    return tuple(
        new.to(old.dtype) for new, old in zip(parts, state, strict=True)
    )
