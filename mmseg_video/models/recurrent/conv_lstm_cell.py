import torch
import torch.nn as nn
from mmseg.registry import MODELS
from torch import Tensor

from .recurrent_cell import RecurrentCell, State


@MODELS.register_module()
class ConvLSTMCell(RecurrentCell):
    r"""Maps features x (N, C, h, w) and a state (h, c) to the next (h, c).

    Shi et al., "Convolutional LSTM network", NeurIPS 2015, equation 3 without
    the peepholes, with * a convolution:

    .. math::
        i &= \sigma(W_i * x + U_i * h + b_i) \\
        f &= \sigma(W_f * x + U_f * h + b_f) \\
        o &= \sigma(W_o * x + U_o * h + b_o) \\
        g &= \tanh(W_g * x + U_g * h + b_g) \\
        c' &= f \odot c + i \odot g \\
        h' &= o \odot \tanh(c')

    The bias of f starts at 1 (Jozefowicz et al., 2015), so that the cell
    remembers before it has learnt to. At the start of a sequence h = c = 0,
    and the convolution on h is skipped.
    See :class:`RecurrentCell` for the arguments.
    """

    num_maps = 2  # h and c

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        r = self.hidden_channels
        self.input_conv = self.gate_conv(4 * r, on_input=True)
        self.hidden_conv = self.gate_conv(4 * r, on_input=False)
        *_, last = self.input_conv.modules()  # the one with the bias
        nn.init.ones_(last.bias[r : 2 * r])

    def project(self, x: Tensor) -> Tensor:
        return self.input_conv(x)  # (B, [i, f, o, g] * r, h, w)

    def update(self, gates: Tensor, state: State | None) -> State:
        if state is not None:
            gates = gates + self.hidden_conv(state[0])
        i, f, o, g = gates.chunk(4, dim=1)
        cell = torch.sigmoid(i) * torch.tanh(g)
        if state is not None:
            cell = cell + torch.sigmoid(f) * state[1]
        return torch.sigmoid(o) * torch.tanh(cell), cell
