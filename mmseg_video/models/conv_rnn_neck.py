from collections.abc import Sequence

from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from .recurrent import ConvRNN
from .states import States
from .time_axis import ALL_FRAMES


@MODELS.register_module()
class ConvRNNNeck(BaseModule):
    """Maps a pyramid of clips to a pyramid of clips: recurrent laterals.

    One :class:`ConvRNN` stands on each chosen level, between encoder and
    decoder; the other levels pass through::

        level 0  (N, T, C_0, h_0, w_0) -> ConvRNN -> (N, K, C_0', h_0, w_0)
        level 1  (N, T, C_1, h_1, w_1) ------------> (N, K, C_1,  h_1, w_1)

    Args:
        in_channels (Sequence[int]): C_l of every level of the pyramid.
        levels (Sequence[int] | None): Which levels recur. Defaults to None,
            all of them.
        cell (dict | None): See :class:`ConvRNN`. Defaults to None, a GRU.
        connection (str): See :class:`ConvRNN`. Defaults to 'residual'.
        hidden_ratio (float): See :class:`ConvRNN`. Defaults to 0.25, which
            costs about a tenth of a U-Net.
        init_cfg (dict | None): MMEngine's. Defaults to None.

    Raises:
        ValueError: If a level does not exist, is named twice, or none is, or
            ``in_channels`` is no list.
    """

    # The segmentor hands time and states to the necks that ask for them.
    recurrent = True
    # A framewise baseline has none.
    new_in_training = True

    def __init__(
        self,
        in_channels: Sequence[int],
        levels: Sequence[int] | None = None,
        cell: dict | None = None,
        connection: str = 'residual',
        hidden_ratio: float = 0.25,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        if not isinstance(in_channels, Sequence):
            raise ValueError(
                f'in_channels={in_channels}: name the channels of every level '
                "that reaches the neck, such as the backbone's "
                '[64, 128, 256, 512]'
            )
        available = list(range(len(in_channels)))
        levels = available if levels is None else levels
        known = isinstance(levels, Sequence) and set(levels) <= set(available)
        if not known or not levels or len(set(levels)) < len(levels):
            raise ValueError(
                f'levels={levels}: name at least one of the levels '
                f'{available}, each once, in a list'
            )
        self.rnns = nn.ModuleDict(
            {
                str(level): ConvRNN(
                    in_channels[level], cell, connection, hidden_ratio
                )
                for level in sorted(levels)
            }
        )
        self.in_channels = list(in_channels)
        self.out_channels = [
            self.rnns[str(level)].out_channels
            if str(level) in self.rnns
            else channels
            for level, channels in enumerate(in_channels)
        ]

    def forward(
        self,
        feats: Sequence[Tensor],
        states: States | None = None,
        frames: slice = ALL_FRAMES,
    ) -> tuple[tuple[Tensor, ...], States]:
        """Levels (N, K, C_l', h_l, w_l), and the state of each ConvRNN by
        its level.

        Args:
            feats (Sequence[Tensor]): Levels (N, T, C_l, h_l, w_l).
            states (dict[str, State] | None): Level -> the state of its
                ConvRNN before the clip. Defaults to None, the start of a
                sequence.
            frames (slice): Which K of the T frames to return. Defaults to
                all.

        Raises:
            ValueError: If the pyramid has other levels or channels.
        """
        channels = [clips.shape[2] for clips in feats]
        if channels != self.in_channels:
            raise ValueError(
                f'in_channels={self.in_channels} of the neck does not fit the '
                f'{len(channels)} levels that reach it, which have '
                f'{channels}: set in_channels to those'
            )
        before, after = states or {}, {}
        outs = [clips[:, frames] for clips in feats]
        for level, rnn in self.rnns.items():
            outs[int(level)], after[level] = rnn(
                feats[int(level)], before.get(level), frames
            )
        return tuple(outs), after
