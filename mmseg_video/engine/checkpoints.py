"""Which checkpoint to read, and whether it is whole."""

import logging
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

from mmengine.logging import print_log

from .weights import PICKLE, ZIP, read_checkpoint

# Within an epoch both numbers, see SafeCheckpointHook.save_extra().
_NAME = re.compile(r'(?:iter|epoch)_(\d+)(?:_iter_(\d+))?\.pth')


def check_checkpoint(path: str | os.PathLike) -> None:
    """Refuse a checkpoint that is missing or was cut short.

    Addresses (``https://...``, ``s3://...``) are left to MMEngine.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is cut short, or no checkpoint.
    """
    if '://' in str(path):
        return
    if str(path).endswith('.py'):
        raise ValueError(
            f"'{path}' is a config, not a checkpoint (.pth): the config comes "
            'first, then the checkpoint'
        )
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no checkpoint '{path}'")
    with open(path, 'rb') as file:
        begin = file.read(2)
    if len(begin) == 2 and begin != ZIP and begin[:1] != PICKLE:
        raise ValueError(
            f"'{path}' is no checkpoint that torch reads: it begins as none "
            'does'
        )
    if (begin == ZIP and not zipfile.is_zipfile(path)) or len(begin) < 2:
        raise ValueError(
            f"the checkpoint '{path}' is cut short "
            f'({os.path.getsize(path)} bytes): copy it again, or take another'
        )


def check_resumable(path: str | os.PathLike) -> None:
    """Refuse a checkpoint that no training can go on from.

    Raises:
        ValueError: With the reason.
    """
    why = _why_not(read_checkpoint(path, 'cpu'), None)
    if why is not None:
        raise ValueError(f"'{path}' cannot be resumed: {why}")


def _warn(text: str) -> None:
    print_log(text, 'current', logging.WARNING)


def find_last_checkpoint(
    work_dir: str | os.PathLike,
    run: str | None = None,
    tell: Callable[[str], None] = _warn,
) -> str | None:
    """The newest checkpoint that a training can go on from, None where there
    is none; each that is passed over is named.

    A file is good when its checksums are right and all of it can be read as
    data.

    Args:
        work_dir (path): Of the training.
        run (str | None): The training's identity: those of others are passed
            over. Defaults to None, any.
        tell (Callable): Is given those names. Defaults to the log's warnings.

    Raises:
        ValueError: If there are some, but all are damaged.
    """
    found = [
        (int(match[1]), int(match[2] or 0), path)
        for path in Path(work_dir).glob('*.pth')
        if (match := _NAME.fullmatch(path.name))
    ]
    damaged = 0
    for *_, path in sorted(found, reverse=True):
        try:
            loaded = read_checkpoint(path, 'cpu')
            why = _why_not(loaded, run)
        except ValueError as error:
            damaged += 1
            why = str(error)
        if why is None:
            return str(path)
        tell(f"'{path}' is not used: {why}")
    if damaged:
        raise ValueError(
            f"every checkpoint of this training in '{work_dir}' is damaged: "
            'remove them to train from the start'
        )
    return None


def _why_not(loaded, run: str | None) -> str | None:
    """Why no training can go on from a checkpoint, None if one can."""
    parts = ('meta', 'state_dict', 'message_hub', 'optimizer')
    if not isinstance(loaded, dict) or not all(p in loaded for p in parts):
        return (
            'it holds weights, but not the state of a training '
            '(--load-from starts from weights)'
        )
    if run is not None and run_of(loaded) != run:
        return 'another training wrote it, before this one began here'
    return None


def run_of(checkpoint: dict) -> str | None:
    """The identity of the training that wrote a checkpoint."""
    return (checkpoint.get('meta') or {}).get('run')
