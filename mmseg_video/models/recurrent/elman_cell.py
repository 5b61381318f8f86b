import torch
from mmseg.registry import MODELS
from torch import Tensor

from .recurrent_cell import RecurrentCell, State


@MODELS.register_module()
class ElmanCell(RecurrentCell):
    r"""Maps features x (N, C, h, w) and a state (h,) to the next (h,).

    The plain recurrent net of Elman, "Finding structure in time", Cognitive
    Science 1990, with * a convolution: no gates, the floor that a gated cell
    has to beat:

    .. math::
        h' = \tanh(W * x + U * h + b)

    At the start of a sequence h = 0, and the convolution on h is skipped.
    See :class:`RecurrentCell` for the arguments.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.input_conv = self.gate_conv(self.hidden_channels, on_input=True)
        self.hidden_conv = self.gate_conv(self.hidden_channels, on_input=False)

    def project(self, x: Tensor) -> Tensor:
        return self.input_conv(x)  # (B, r, h, w)

    def update(self, gates: Tensor, state: State | None) -> State:
        if state is not None:
            gates = gates + self.hidden_conv(state[0])
        return (torch.tanh(gates),)
