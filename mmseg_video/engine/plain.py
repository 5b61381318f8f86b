"""A checkpoint's content as the weights-only reader takes it, and back."""

from collections import OrderedDict, deque
from enum import Enum
from os import PathLike, fspath

import numpy as np
import torch
from mmengine.logging import HistoryBuffer, print_log
from torch import Tensor

# A HistoryBuffer, as a dict of these.
HISTORY = ('log_history', 'count_history', 'max_length')


class _Dropped(Exception):
    """Something that is no data."""


def to_plain(value, place: str = 'checkpoint'):
    """Tensors, numbers, texts and containers of them; the same values.

    What is none of these would have to be pickled, and is left out of its
    container, with a log line that names it.

    Args:
        value: Anything that a checkpoint holds.
        place (str): Its place, for the message.
    """
    if value is None or isinstance(value, Tensor):
        return value
    if isinstance(value, np.generic):
        return value.item()
    for kind in (bool, int, float, complex, str, bytes):
        if isinstance(value, kind):
            value = value.value if isinstance(value, Enum) else value
            return value if type(value) is kind else kind(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in 'biufc':
        return torch.from_numpy(value.copy())
    if isinstance(value, HistoryBuffer):
        values = (*value.data, value.max_length)
        return to_plain(dict(zip(HISTORY, values, strict=True)), place)
    if isinstance(value, dict):
        return _plain_dict(value, place)
    if isinstance(value, list | tuple | deque | set | frozenset):
        items = [
            item
            for i, old in enumerate(value)
            if (item := _kept(old, f'{place}[{i}]')) is not _Dropped
        ]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, PathLike):
        return fspath(value)
    if isinstance(value, torch.dtype | torch.device | torch.Size):
        return value
    raise _Dropped(
        f'{place} ({type(value).__module__}.{type(value).__name__})'
    )


def _plain_dict(value: dict, place: str) -> dict:
    plain = type(value) in (dict, OrderedDict)  # ConfigDict is none
    if plain and all(isinstance(item, Tensor) for item in value.values()):
        return value  # weights, with what torch keeps beside them
    made = OrderedDict() if isinstance(value, OrderedDict) else {}
    for key, old in value.items():
        item = _kept(old, f'{place}[{key!r}]')
        if item is not _Dropped:
            made[to_plain(key, place)] = item
    return made


def _kept(value, place: str):
    try:
        return to_plain(value, place)
    except _Dropped as error:
        print_log(
            f'{error} is no data, and is not in the checkpoint',
            'current',
            30,
        )
        return _Dropped


def restore_histories(message_hub: dict) -> None:
    """Make the logged scalars of a plain hub ``HistoryBuffer`` again, in
    place."""
    scalars = message_hub.get('log_scalars', {})
    for name, value in scalars.items():
        if isinstance(value, dict) and set(HISTORY) == set(value):
            # A training on a GPU reads its checkpoint into that one's memory.
            logs, counts = (value[key].cpu().numpy() for key in HISTORY[:2])
            scalars[name] = HistoryBuffer(logs, counts, value[HISTORY[2]])
