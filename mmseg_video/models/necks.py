"""Necks in a row, some of which see time."""

from collections.abc import Sequence

from torch import Tensor, nn

from .recurrent import ConvRNN
from .states import States
from .time_axis import ALL_FRAMES, framewise


def is_recurrent(neck: nn.Module) -> bool:
    """Whether a neck asks for time and states (:class:`ConvRNNNeck`)."""
    return getattr(neck, 'recurrent', False)


def neck_rnns(necks: Sequence[nn.Module]) -> dict[str, ConvRNN]:
    """The RNNs of recurrent necks by the places of their states."""
    return {
        f'neck.{i}.{level}': rnn
        for i, neck in enumerate(necks)
        if is_recurrent(neck)
        for level, rnn in neck.rnns.items()
    }


def run_necks(
    necks: Sequence[nn.Module],
    levels: Sequence[Tensor],
    states: States,
    wanted: slice,
) -> tuple[list[Tensor], States]:
    """Levels (N, K, C_l', h_l, w_l) of the wanted frames behind the necks,
    and the states of those that are recurrent, ``neck.I.LEVEL``.

    Frames that nothing behind reads are dropped as early as possible.

    Args:
        necks (Sequence[nn.Module]): In order.
        levels (Sequence[Tensor]): The backbone's, (N, T, C_l, h_l, w_l).
        states (dict[str, State]): Before the clips.
        wanted (slice): Which K of the T frames are read behind the necks.
    """
    after = {}

    def read_by(i: int) -> slice:
        """The frames that neck i and those behind it read."""
        return ALL_FRAMES if any(map(is_recurrent, necks[i:])) else wanted

    levels = [x[:, read_by(0)] for x in levels]
    for i, neck in enumerate(necks):
        if not is_recurrent(neck):
            levels = framewise(neck, levels)
            continue
        place = f'neck.{i}.'
        own = {
            key.removeprefix(place): state
            for key, state in states.items()
            if key.startswith(place)
        }
        levels, own = neck(levels, own, read_by(i + 1))
        after |= {place + level: state for level, state in own.items()}
    return list(levels), after
