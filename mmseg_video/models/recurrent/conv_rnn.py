import torch
import torch.nn as nn
from mmseg.registry import MODELS
from torch import Tensor

from ...flow.warp import warp_state
from ..time_axis import ALL_FRAMES, framewise
from .recurrent_cell import State, build_cell, fit_state

CONNECTIONS = ('standard', 'dense', 'residual', 'split')


class LastChannels(nn.Module):
    """Maps (N, C, h, w) to its last channels (N, r, h, w)."""

    def __init__(self, channels: int):
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        return x[:, -self.channels :]


@MODELS.register_module()
class ConvRNN(nn.Module):
    """Maps clips (N, T, C, h, w) and a state to clips (N, K, C', h, w) and
    the state after them; K of the T frames are returned.

    The cell works on r = ``hidden_ratio`` * C channels, which a 1x1
    convolution makes from the C (none where r = C). With h its hidden map,
    the connection says what comes out:

    ============  ===================  ======================================
    connection    output               C'
    ============  ===================  ======================================
    ``standard``  h, or proj(h)        C (proj, 1x1, only where r < C)
    ``dense``     concat(x, h)         C + r
    ``residual``  x + proj(h)          C; proj starts at zero, so at first
                                       the module changes nothing
    ``split``     concat(x[:C-r], h)   C; h is of the last r channels, without
                                       the 1x1 convolution; the others bypass
                                       it (Lin et al., "Robust high-resolution
                                       video matting", WACV 2022)
    ============  ===================  ======================================

    The input's half of the gates is computed for all T frames at once; only
    the hidden half is a loop.

    Args:
        in_channels (int): C.
        cell (dict): Config of a :class:`RecurrentCell`, without its numbers
            of channels. Defaults to ``dict(type='ConvGRUCell')``.
        connection (str): One of the four above. Defaults to 'residual'.
        hidden_ratio (float): r / C, in (0, 1]. Defaults to 1.

    Raises:
        ValueError: If the connection, the cell or one of its options is
            unknown, or the ratio out of range.
    """

    # A framewise baseline has none.
    new_in_training = True

    def __init__(
        self,
        in_channels: int,
        cell: dict | None = None,
        connection: str = 'residual',
        hidden_ratio: float = 1.0,
    ):
        super().__init__()
        if connection not in CONNECTIONS:
            raise ValueError(
                f"unknown connection '{connection}': choose one of "
                + ', '.join(CONNECTIONS)
            )
        number = isinstance(hidden_ratio, int | float)
        if not number or not 0 < hidden_ratio <= 1:
            raise ValueError(
                f'hidden_ratio must lie in (0, 1], got {hidden_ratio!r}: it '
                'is the part of the channels that the cell works on'
            )
        hidden = max(1, round(in_channels * hidden_ratio))
        self.in_channels = in_channels
        self.hidden_channels = hidden
        self.connection = connection
        self.out_channels = in_channels + hidden * (connection == 'dense')

        partial = hidden < in_channels
        self.reduce = nn.Identity()
        if partial:
            self.reduce = (
                LastChannels(hidden)
                if connection == 'split'
                else nn.Conv2d(in_channels, hidden, 1)
            )
        self.cell = build_cell(
            {'type': 'ConvGRUCell', **(cell or {})}, hidden, hidden
        )
        self.proj = nn.Identity()
        if connection == 'residual' or (connection == 'standard' and partial):
            self.proj = nn.Conv2d(hidden, in_channels, 1)
        if connection == 'residual':
            nn.init.zeros_(self.proj.weight)
            nn.init.zeros_(self.proj.bias)

    @property
    def averages(self) -> bool:
        """Whether what comes out is an average that its state holds."""
        whole = self.hidden_channels == self.in_channels
        return self.cell.averages and whole and self.connection == 'standard'

    def forward(
        self,
        clips: Tensor,
        state: State | None = None,
        frames: slice = ALL_FRAMES,
        flow: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """Outputs (N, K, C', h, w) and the state after the clip.

        Args:
            clips (Tensor): Features (N, T, C, h, w) in time order.
            state (tuple[Tensor, ...] | None): The state before the clip.
                Defaults to None, the start of a sequence.
            frames (slice): Which K of the T frames to return. Defaults to
                all.
            flow (Tensor | None): Flow fields (N, T, 3, h', w'), along which
                each frame's state before it is warped (:func:`warp_state`).
                Defaults to None, states stay at their places.

        Raises:
            ValueError: If ``clips`` has another number of axes or channels,
                or the state belongs to maps of another size.
        """
        if clips.ndim != 5 or clips.shape[2] != self.in_channels:
            raise ValueError(
                f'expected clips (N, T, {self.in_channels}, h, w), got '
                f'{tuple(clips.shape)}'
            )
        gates = framewise(lambda x: self.cell.project(self.reduce(x)), clips)
        zeros = self.cell.zero_state(gates[:, 0])
        if state is not None:
            state = fit_state(state, zeros)
        elif clips.shape[1] == 1 and self.training:
            # The convolutions on h must take part: DDP waits for the
            # gradients of all parameters.
            state = zeros
        hidden = []
        for t, gate in enumerate(gates.unbind(1)):  # (N, gates*r, h, w)
            if flow is not None and state is not None:
                state = warp_state(state, flow[:, t])
            state = self.cell.update(gate, state)
            hidden.append(self.cell.hidden(state))
        hidden = torch.stack(hidden[frames], dim=1)  # (N, K, r, h, w)
        return self._connect(clips[:, frames], hidden), state

    def _connect(self, x: Tensor, hidden: Tensor) -> Tensor:
        if self.connection == 'dense':
            return torch.cat([x, hidden], dim=2)
        if self.connection == 'split':
            bypass = self.in_channels - self.hidden_channels
            return torch.cat([x[:, :, :bypass], hidden], dim=2)
        out = framewise(self.proj, hidden)
        return x + out if self.connection == 'residual' else out
