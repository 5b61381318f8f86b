"""Whether what a neck gives is what its reader was built for."""

from collections.abc import Sequence

from torch import nn


def check_channels(given: Sequence[int], reader: nn.Module, name: str) -> None:
    """Refuse a neck or head that was built for other channels.

    Args:
        given (Sequence[int]): Channels of every level that it will read.
        reader (nn.Module): The next neck, or a head: its ``in_channels`` are
            compared at its ``in_index``. One that has neither is not judged.
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
