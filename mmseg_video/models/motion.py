"""States that move with the scene."""

import numpy as np
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..flow.estimators import OPTICAL_FLOWS
from .recurrent import State


@MODELS.register_module()
class Motion(nn.Module):
    """Maps frames to the optical flow that leads to the frames before them.

    What a state remembers of a place is then read where that place was
    (:func:`move`), as in Nilsson and Sminchisescu, "Semantic video
    segmentation by gated recurrent flow propagation", CVPR 2018. It has no
    parameters, and the flow gets no gradient.

    A dropped, dark or noisy frame has a flow too, and it means nothing. So a
    flow is only believed where it explains the change of the whole frame:
    with e the mean difference of a frame from the one before, both at a
    quarter of their size, grey, of mean 0 and deviation 1 and smoothed, and
    e_moved that from the one before along the flow, where
    e_moved < max_error_ratio * e. Elsewhere nothing moves.

    Args:
        flow (dict | None): A flow that is computed from the frames at hand
            (``DISFlow``, ``FarnebackFlow``, ``RAFTFlow``). Defaults to None,
            ``dict(type='DISFlow', preset='fast')``.
        max_error_ratio (float | None): Defaults to 0.7. None: any.
        min_size (int): Frames are reduced by a whole number first, as long as
            their shorter side does not fall below this: a net's logits are
            smaller than its frames too. Defaults to 180.

    Raises:
        ValueError: If ``trust`` is not above 0, or ``min_size`` below 1.
    """

    def __init__(
        self,
        flow: dict | None = None,
        max_error_ratio: float | None = 0.7,
        min_size: int = 180,
    ):
        super().__init__()
        if min_size < 1:
            raise ValueError(f'min_size must be at least 1, got {min_size}')
        self.min_size = min_size
        if max_error_ratio is not None and max_error_ratio <= 0:
            raise ValueError(
                'max_error_ratio must be above 0, or None for any flow, got '
                f'{max_error_ratio}'
            )
        self.max_error_ratio = max_error_ratio
        default = dict(type='DISFlow', preset='fast')
        self.flow = OPTICAL_FLOWS.build(flow or default)

    def reduce(self, frames: Tensor) -> Tensor:
        """Frames (N, 3, h, w) of the size at which flow is computed."""
        height, width = frames.shape[2:]
        factor = max(1, min(height, width) // self.min_size)
        if factor == 1:
            return frames
        size = (height // factor, width // factor)
        return F.interpolate(frames.float(), size, mode='area')

    @torch.no_grad()
    def forward(self, frames: Tensor, before: Tensor) -> Tensor:
        """Flow (N, 2, h, w) in pixels, x first, from frames to those before.

        Args:
            frames, before (Tensor): As :meth:`reduce` gives them, (N, 3, h,
                w), blue first, 0 to 255.
        """
        flows = [
            self.flow(_image(frame), _image(past))
            for frame, past in zip(frames, before, strict=True)
        ]
        flows = torch.from_numpy(np.stack(flows)).permute(0, 3, 1, 2)
        flows = flows.to(frames.device)
        if self.max_error_ratio is None:
            return flows
        believed = self.explains(frames, before, flows)
        return torch.where(believed[:, None, None, None], flows, 0)

    def explains(
        self, frames: Tensor, before: Tensor, flows: Tensor
    ) -> Tensor:
        """Whether each flow explains the change of its frame, (N,)."""
        size = [max(1, length // 4) for length in frames.shape[2:]]
        now, then = (
            _standardised(
                F.interpolate(x.float().mean(1, True), size, mode='area')
            )
            for x in (frames, before)
        )
        maps = torch.cat([then, torch.ones_like(then)], dim=1)
        moved, inside = warp(maps, resize(flows, size)).chunk(2, dim=1)
        inside = (inside > 0.99).float()
        # Between pixels the warp is a mean of several, and less noisy than
        # what it is compared with: after this all three are smooth.
        now, moved, then = (
            F.avg_pool2d(x, 5, 1, 2, count_include_pad=False)
            for x in (now, moved, then)
        )
        errors = ((now - x).abs() * inside for x in (moved, then))
        moving, still = (e.sum((1, 2, 3)) for e in errors)
        return moving < self.max_error_ratio * still

    def of_clips(
        self, clips: Tensor, before: Tensor | None
    ) -> list[Tensor | None]:
        """T flows (N, 2, h, w), None at the start of a sequence.

        Args:
            clips (Tensor): (N, T, 3, h, w), reduced, blue first, 0 to 255.
            before (Tensor | None): The frames (N, 3, h, w) before them.
        """
        frames = list(clips.unbind(1))
        pairs = zip(frames, [before, *frames[:-1]], strict=True)
        return [None if b is None else self(f, b) for f, b in pairs]


def move(state: State, flow: Tensor) -> State:
    """The maps (N, r, h, w) of a state, each read along the flow.

    Args:
        state (State): What the frame before left.
        flow (Tensor): (N, 2, h, w) in its own pixels, to the frame before.
    """
    maps = torch.cat([part.float() for part in state], dim=1)
    seen = warp(maps, resize(flow, maps.shape[2:]))
    sizes = [part.shape[1] for part in state]
    parts = zip(seen.split(sizes, dim=1), state, strict=True)
    return tuple(moved.to(part.dtype) for moved, part in parts)


def resize(flow: Tensor, size: tuple[int, int]) -> Tensor:
    """Flow (N, 2, h, w) in pixels of maps of this size."""
    height, width = flow.shape[2:]
    scale = flow.new_tensor([size[1] / width, size[0] / height])
    if (height, width) == tuple(size):
        return flow
    return F.interpolate(flow, tuple(size), mode='area') * scale[:, None, None]


def warp(maps: Tensor, flow: Tensor) -> Tensor:
    """Maps (N, C, h, w) seen along the flow: bilinear, zeros outside.

    Args:
        maps (Tensor): Of the frame that the flow leads to.
        flow (Tensor): (N, 2, h, w) in pixels, x first.
    """
    height, width = maps.shape[2:]
    x = torch.arange(width, device=maps.device) + flow[:, 0]
    y = torch.arange(height, device=maps.device)[:, None] + flow[:, 1]
    # -1 and 1 are the centres of the first and the last pixel.
    grid = torch.stack(
        [2 * x / max(width - 1, 1) - 1, 2 * y / max(height - 1, 1) - 1], -1
    )
    return F.grid_sample(maps, grid, align_corners=True)


def _standardised(maps: Tensor) -> Tensor:
    """Maps (N, 1, h, w) of mean 0 and deviation 1 (0 where nothing differs:
    a grey level is added to the deviation)."""
    maps = maps - maps.mean((1, 2, 3), keepdim=True)
    return maps / (maps.square().mean((1, 2, 3), keepdim=True).sqrt() + 1)


def _image(frame: Tensor) -> np.ndarray:
    """A frame (3, H, W) as an image (H, W, 3) uint8."""
    image = frame.detach().permute(1, 2, 0).round().clamp(0, 255)
    return np.ascontiguousarray(image.to(torch.uint8).cpu().numpy())
