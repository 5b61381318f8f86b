"""Necks in a row, some of which see time."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_unflatten

from .recurrent import ConvRNN
from .states import States
from .time_axis import ALL_FRAMES, Maps, framewise, pick


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
    levels: Maps,
    states: States,
    wanted: slice,
) -> tuple[Maps, States]:
    """Levels (N, K, C_l', h_l, w_l) of the wanted frames behind the necks,
    and the states of those that are recurrent, ``neck.I.LEVEL``.

    Frames that nothing behind reads are dropped as early as possible.

    Args:
        necks (Sequence[nn.Module]): In order.
        levels (Maps): The backbone's, (N, T, C_l, h_l, w_l), however it
            holds them.
        states (dict[str, State]): Before the clips.
        wanted (slice): Which K of the T frames are read behind the necks.
    """
    after = {}

    def read_by(i: int) -> slice:
        """The frames that neck i and those behind it read."""
        return ALL_FRAMES if any(map(is_recurrent, necks[i:])) else wanted

    levels = pick(levels, read_by(0))
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
        levels, own = _recur(neck, levels, own, read_by(i + 1))
        after |= {place + level: state for level, state in own.items()}
    return levels, after


def _recur(
    neck: nn.Module, levels: Maps, states: States, frames: slice
) -> tuple[Maps, States]:
    """A recurrent neck on the maps among the levels; the rest, such as the
    class token of a ViT, passes by."""
    leaves, holder = tree_flatten(levels)
    read = _read_by(neck, leaves)
    maps, states = neck([leaves[i] for i in read], states, frames)
    leaves = [leaf[:, frames] for leaf in leaves]
    for i, level in zip(read, maps, strict=True):
        leaves[i] = level
    return tree_unflatten(leaves, holder), states


def _read_by(neck: nn.Module, leaves: Sequence[Tensor]) -> list[int]:
    """Which of the tensors (N, T, ...) are the neck's levels: the maps.

    Some backbones (PIDNet, DDRNet) give more in training, for losses of their
    own: then those with the neck's channels, in its order.
    """
    maps = [i for i, leaf in enumerate(leaves) if leaf.ndim == 5]
    wanted = list(neck.in_channels)
    if len(maps) <= len(wanted):
        return maps
    found = []
    for i in maps:
        left = wanted[len(found) :]
        if left and leaves[i].shape[2] == left[0]:
            found.append(i)
    return found if len(found) == len(wanted) else maps
