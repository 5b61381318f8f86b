"""Averages of the past that need no training."""

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from .motion import Motion, resize, warp
from .recurrent import RecurrentCell, State


@MODELS.register_module()
class EMAFilter(nn.Module):
    r"""Maps the logits x (N, classes, h, w) of a frame and a state (s, n) to
    their exponential moving average and the next state.

    With a the weight of the present frame:

    .. math::
        s' &= (1 - a) s + a x \\
        n' &= (1 - a) n + a \\
        y &= s' / n'

    n (N, 1, h, w) counts what s is made of, and so the first frame's average
    is the frame itself: a sequence begins with s = n = 0. (Kingma and Ba,
    "Adam", ICLR 2015, correct their averages by the same n.)

    Args:
        weight (float): a, in (0, 1]; 1 is the framewise net. Defaults to 0.5.

    Raises:
        ValueError: If it is out of range.
    """

    num_maps = 2  # s and n

    def __init__(self, weight: float = 0.5):
        super().__init__()
        if not 0 < weight <= 1:
            raise ValueError(
                f'weight must lie in (0, 1], got {weight}: it is how much the '
                'present frame counts'
            )
        self.weight = weight

    def forward(
        self, logits: Tensor, frame: Tensor, state: State | None
    ) -> tuple[Tensor, State]:
        """The average (N, classes, h, w), and the next state.

        Args:
            logits (Tensor): x.
            frame (Tensor): The frame (N, 3, H, W), blue first, 0 to 255.
            state (tuple[Tensor, ...] | None): None at the start of a sequence.

        Raises:
            ValueError: If the state belongs to maps of another size.
        """
        logits = logits.float()  # half precision forgets small weights
        total, count = self.past(logits, frame, state)
        keep = 1 - self.weight
        total = keep * total + self.weight * logits
        count = keep * count + self.weight
        return total / count, self.state(total, count, frame)

    def past(
        self, logits: Tensor, frame: Tensor, state: State | None
    ) -> tuple[Tensor, Tensor]:
        """s and n, as the present frame sees them."""
        total, count = (
            torch.zeros_like(logits),
            torch.zeros_like(logits[:, :1]),
        )
        if state is None:
            return total, count
        if state[0].shape[2:] != (1, 1):
            RecurrentCell.check_state(logits, state)
        # Spreads a single zero, first of all: ONNX Runtime plans its memory by
        # the sizes at export.
        return total + state[0], count + state[1]

    def state(self, total: Tensor, count: Tensor, frame: Tensor) -> State:
        return total, count

    def check_export(self) -> None:
        """Nothing here that ONNX could not do."""


@MODELS.register_module()
class FlowEMAFilter(EMAFilter):
    r"""Maps the logits x (N, classes, h, w) of a frame and a state (s, n,
    frame before) to their average along the motion, and the next state.

    s and n are seen along the optical flow from the present frame to the one
    before, and the pixels that come from outside of it begin anew (n = 0).
    With w the warp, I the frames, and g how alike the frames look there:

    .. math::
        g &= \exp(-|I - w(I_{-1})| / d) \\
        s' &= (1 - a) g \odot w(s) + a x \\
        n' &= (1 - a) g \odot w(n) + a \\
        y &= s' / n'

    g is the occlusion mask of Liu et al., "Efficient semantic video
    segmentation with per-frame inference", ECCV 2020, with a scale, and the
    mean over the colours for their sum.

    Args:
        weight (float): a. Defaults to 0.5.
        flow (dict | None): An optical flow that is computed from the frames
            at hand (:class:`ComputedFlow`). Defaults to None,
            ``dict(type='DISFlow', preset='fast')``.
        photometric_scale (float | None): d, in grey levels of 0 to 255.
            Defaults to None, no gate: g = 1.
        max_error_ratio (float | None): :class:`Motion`'s. Defaults to 0.7.

    Raises:
        ValueError: If an argument is out of range.
    """

    num_maps = 3  # s, n and the frame before

    def __init__(
        self,
        weight: float = 0.5,
        flow: dict | None = None,
        photometric_scale: float | None = None,
        max_error_ratio: float | None = 0.7,
    ):
        super().__init__(weight)
        if photometric_scale is not None and photometric_scale <= 0:
            raise ValueError(
                'photometric_scale must be above 0 (grey levels), or None for '
                f'no gate, got {photometric_scale}'
            )
        self.motion = Motion(flow, max_error_ratio)
        self.photometric_scale = photometric_scale

    def past(
        self, logits: Tensor, frame: Tensor, state: State | None
    ) -> tuple[Tensor, Tensor]:
        total, count = super().past(logits, frame, state)
        if state is None:
            return total, count
        before = state[2]
        size, frame = logits.shape[2:], self.motion.reduce(frame)
        flow = resize(self.motion(frame, before), size)
        seen = warp(torch.cat([total, count], 1), flow)
        if self.photometric_scale is not None:
            now, then = (
                F.interpolate(x, size, mode='area') for x in (frame, before)
            )
            change = (now - warp(then, flow)).abs().mean(1, keepdim=True)
            seen = seen * torch.exp(-change / self.photometric_scale)
        return seen[:, :-1], seen[:, -1:]

    def state(self, total: Tensor, count: Tensor, frame: Tensor) -> State:
        return total, count, self.motion.reduce(frame)

    def check_export(self) -> None:
        raise ValueError(
            'FlowEMAFilter cannot be exported: its flow is computed by '
            'OpenCV, outside of the net. EMAFilter can'
        )
