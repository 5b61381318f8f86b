import math

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

from .recurrent_cell import RecurrentCell, State


@MODELS.register_module()
class GatedEMACell(RecurrentCell):
    r"""Maps logits x (N, C, h, w) and a state (s, n) to the next.

    An average over time that learns, pixel by pixel, how much of the past to
    keep; with k the same everywhere it is :class:`EMAFilter`, of
    weight 1 - k. With y = s / n the average so far, and * a convolution:

    .. math::
        k &= \sigma(w * \mathrm{ReLU}(W * x + U * y + b) + c) \\
        s' &= k \odot s + x \\
        n' &= k \odot n + 1 \\
        y' &= s' / n'

    Unlike the candidate of a gated recurrent unit, x enters as it is: the net
    below need not learn to write it down. (Nilsson and Sminchisescu,
    "Semantic video segmentation by gated recurrent flow propagation", CVPR
    2018, start their unit as such an identity too; theirs sees the past along
    optical flow, as this one does in a flow-compensated segmentor.)

    Args:
        in_channels (int): C.
        hidden_channels (int): As many: what is averaged is x itself.
        kernel_size (int): Size of the gate convolutions, odd. Defaults to 3.
        gate_channels (int): Width of W and U. Defaults to 16.
        keep (float): k before training, in (0, 1). Defaults to 0.1.

    Raises:
        ValueError: If the numbers of channels differ, or one is below 1, or
            ``keep`` is out of range.
    """

    num_maps = 2  # s and n
    averages = True

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        kernel_size: int = 3,
        gate_channels: int = 16,
        keep: float = 0.1,
    ):
        super().__init__(in_channels, hidden_channels, kernel_size)
        if in_channels != hidden_channels:
            raise ValueError(
                'GatedEMACell averages its input, so all of it: got '
                f'{hidden_channels} of {in_channels} channels, set '
                'hidden_ratio=1.0'
            )
        if not 0 < keep < 1:
            raise ValueError(
                f'keep must lie in (0, 1), got {keep}: it is how much of the '
                'past stays before training'
            )
        if gate_channels < 1:
            raise ValueError(
                f'gate_channels must be at least 1, got {gate_channels}'
            )
        self.input_conv = self.gate_conv(gate_channels, on_input=True)
        self.hidden_conv = self.gate_conv(gate_channels, on_input=False)
        self.keep_conv = nn.Conv2d(
            gate_channels, 1, kernel_size, padding=kernel_size // 2
        )
        nn.init.zeros_(self.keep_conv.weight)
        nn.init.constant_(self.keep_conv.bias, math.log(keep / (1 - keep)))

    def project(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.input_conv(x)], dim=1)  # C, gate_channels

    def zero_state(self, gates: Tensor) -> State:
        batch, _, *size = gates.shape
        return tuple(
            gates.new_zeros(batch, channels, *size)
            for channels in (self.hidden_channels, 1)
        )

    def update(self, gates: Tensor, state: State | None) -> State:
        x, gates = gates.split(
            [self.hidden_channels, gates.shape[1] - self.hidden_channels], 1
        )
        x = x.float()  # half precision forgets what is small
        if state is None:
            return x, torch.ones_like(x[:, :1])
        total, count = state
        # n is 0 before the first frame and, where the state moves, outside of
        # the frame before.
        average = total / count.clamp(min=1e-3)
        gates = gates + self.hidden_conv(average.to(gates.dtype))
        keep = torch.sigmoid(self.keep_conv(torch.relu(gates)).float())
        return keep * total + x, keep * count + 1

    def hidden(self, state: State) -> Tensor:
        return state[0] / state[1].clamp(min=1)
