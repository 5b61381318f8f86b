import torch
from mmcv.cnn import ConvModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from .recurrent_cell import RecurrentCell, State


@MODELS.register_module()
class SRUCell(RecurrentCell):
    r"""Maps features e (N, C, h, w) and a state (h - 1,) to the next.

    The single-gated unit of Wang et al., "Recurrent U-Net for
    resource-constrained segmentation", ICCV 2019. F is twice a 3x3
    convolution, group norm and ReLU; no gate sees h:

    .. math::
        z &= \sigma(F_z(e)) \\
        c &= \tanh(F_c(e)) \\
        h' &= (1 - z) \odot h + z \odot c

    A sequence begins with h = 1. The state is kept as h - 1, so that zeros
    are the start, as they are for every cell.

    Args:
        in_channels (int): Channels C of the features.
        hidden_channels (int): Channels r of the hidden map.
        kernel_size (int): Size of the convolutions, odd. Defaults to 3.
        num_groups (int): Of the group norms. Defaults to 8.

    Raises:
        ValueError: If a number of channels is no multiple of ``num_groups``,
            or the kernel is not odd.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        kernel_size: int = 3,
        num_groups: int = 8,
    ):
        super().__init__(in_channels, hidden_channels, kernel_size)
        if in_channels % num_groups or hidden_channels % num_groups:
            raise ValueError(
                f'num_groups={num_groups} must divide the channels of the '
                f'cell, {in_channels} in and {hidden_channels} hidden'
            )
        self.num_groups = num_groups
        self.update_convs = self.gate_convs(hidden_channels)
        self.candidate_convs = self.gate_convs(hidden_channels)

    def gate_convs(self, out_channels: int) -> nn.Sequential:
        """F of the equations."""
        conv = dict(
            padding=self.kernel_size // 2,
            bias=True,
            norm_cfg=dict(type='GN', num_groups=self.num_groups),
        )
        size = self.kernel_size
        return nn.Sequential(
            ConvModule(self.in_channels, out_channels, size, **conv),
            ConvModule(out_channels, out_channels, size, **conv),
        )

    def candidate(self, e: Tensor) -> Tensor:
        return torch.tanh(self.candidate_convs(e))

    def project(self, x: Tensor) -> Tensor:
        update = torch.sigmoid(self.update_convs(x))
        return torch.cat([update, self.candidate(x)], dim=1)  # [z, c] * r

    def update(self, gates: Tensor, state: State | None) -> State:
        update, candidate = gates.chunk(2, dim=1)
        if state is None:
            return (update * (candidate - 1),)
        return (torch.lerp(state[0], candidate - 1, update),)

    def hidden(self, state: State) -> Tensor:
        return state[0] + 1


@MODELS.register_module()
class DRUCell(SRUCell):
    r"""Maps features e (N, C, h, w) and a state (h - 1,) to the next.

    The dual-gated unit of the same paper resets, not h as a GRU does, but
    the features that the candidate is made of:

    .. math::
        r &= \sigma(F_r(e)) \\
        z &= \sigma(F_z(e)) \\
        c &= \tanh(F_c(r \odot e)) \\
        h' &= (1 - z) \odot h + z \odot c

    See :class:`SRUCell` for the rest.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.reset_convs = self.gate_convs(self.in_channels)

    def candidate(self, e: Tensor) -> Tensor:
        reset = torch.sigmoid(self.reset_convs(e))
        return super().candidate(reset * e)
