"""Whether what one part gives is what the next was built for."""

from collections.abc import Mapping, Sequence

from torch import nn

from .necks import is_recurrent


def check_channels(given: Sequence[int], reader: nn.Module, name: str) -> None:
    """Refuse a neck or head that was built for other channels.

    Args:
        given (Sequence[int]): Channels of every level that it will read.
        reader (nn.Module): The next neck, or a head: its ``in_channels`` are
            compared at its ``in_index``. One that has neither is not checked.
        name (str): Its place in the config, for the message.

    Raises:
        ValueError: If a level does not exist, or has other channels.
    """
    wants = getattr(reader, 'in_channels', None)
    index = getattr(reader, 'in_index', None)
    if isinstance(wants, Sequence) and index is None:
        index = list(range(len(wants)))
    if isinstance(index, int):
        wants, index = [wants], [index]
    if not isinstance(wants, Sequence) or not isinstance(index, Sequence):
        return
    missing = [i for i in index if not -len(given) <= i < len(given)]
    if missing:
        raise ValueError(
            f'{name} reads level {missing[0]}, but the recurrent neck before '
            f'it gives the levels {list(range(len(given)))}'
        )
    gets = [given[i] for i in index]
    if list(wants) != gets:
        raise ValueError(
            f'{name}.in_channels={list(wants)} does not fit the recurrent '
            f'neck before it, which gives {gets}: set in_channels to those '
            "(connection='dense' adds the hidden channels), or the neck's "
            "in_channels to the backbone's"
        )


def heads_of(segmentor: nn.Module) -> dict[str, nn.Module]:
    """The heads of a segmentor by their places in the config."""
    heads = {}
    for name in ('decode_head', 'auxiliary_head'):
        head = getattr(segmentor, name, None)
        if isinstance(head, nn.ModuleList):
            heads |= {f'{name}.{i}': part for i, part in enumerate(head)}
        elif head is not None:
            heads[name] = head
    return heads


def check_necks(
    necks: Sequence[nn.Module], heads: Mapping[str, nn.Module]
) -> None:
    """Refuse a recurrent neck that does not fit what reads its levels.

    Args:
        necks (Sequence[nn.Module]): In order.
        heads (Mapping[str, nn.Module]): Place in the config -> head; they
            read the last neck.

    Raises:
        ValueError: See :func:`check_channels`.
    """
    for i, neck in enumerate(necks):
        if not is_recurrent(neck):
            continue
        readers = heads
        if i + 1 < len(necks):
            readers = {f'neck.{i + 1}': necks[i + 1]}
        for name, reader in readers.items():
            check_channels(neck.out_channels, reader, name)


def channels_of(head: nn.Module, place: str) -> int:
    """Channels that a module of a decode head gives.

    Args:
        head (nn.Module): The decode head.
        place (str): The module's name in it, such as ``joins.0``.

    Raises:
        ValueError: If there is no such module, or it does not tell.
    """
    modules = dict(head.named_modules())
    if not place or place not in modules:
        names = [n for n in modules if n and n.count('.') < 2]
        raise ValueError(
            f"head_rnns: {type(head).__name__} has no module '{place}': it "
            f'has {", ".join(names)}, and theirs'
        )
    parts = reversed(list(modules[place].modules()))
    channels = [p.out_channels for p in parts if hasattr(p, 'out_channels')]
    if not channels:
        raise ValueError(
            f"head_rnns: '{place}' has no convolution that would tell its "
            'channels: name a module that has'
        )
    return channels[0]
