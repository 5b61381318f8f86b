import torch
from mmseg.registry import MODELS
from torch import Tensor

from .recurrent_cell import RecurrentCell, State


@MODELS.register_module()
class ConvGRUCell(RecurrentCell):
    r"""Maps features x (N, C, h, w) and a state (h,) to the next (h,).

    Ballas et al., "Delving deeper into convolutional networks for learning
    video representations", ICLR 2016, with * a convolution:

    .. math::
        z &= \sigma(W_z * x + U_z * h + b_z) \\
        r &= \sigma(W_r * x + U_r * h + b_r) \\
        c &= \tanh(W_c * x + U_c * (r \odot h) + b_c) \\
        h' &= (1 - z) \odot h + z \odot c

    At the start of a sequence h = 0, and the convolutions on h are skipped.
    See :class:`RecurrentCell` for the arguments.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        r = self.hidden_channels
        self.input_conv = self.gate_conv(3 * r, on_input=True)
        self.gate_hidden_conv = self.gate_conv(2 * r, on_input=False)
        self.candidate_hidden_conv = self.gate_conv(r, on_input=False)

    def project(self, x: Tensor) -> Tensor:
        return self.input_conv(x)  # (B, [z, r, c] * r, h, w)

    def update(self, gates: Tensor, state: State | None) -> State:
        r = self.hidden_channels
        gates, candidate = gates.split([2 * r, r], dim=1)
        if state is None:
            update = torch.sigmoid(gates[:, :r])
            return (update * torch.tanh(candidate),)
        (hidden,) = state
        gates = torch.sigmoid(gates + self.gate_hidden_conv(hidden))
        update, reset = gates.chunk(2, dim=1)
        candidate = torch.tanh(
            candidate + self.candidate_hidden_conv(reset * hidden)
        )
        return (torch.lerp(hidden, candidate, update),)
