"""Which checkpoint to read, and whether it is whole."""

import os
import re
import zipfile
from pathlib import Path

from mmengine.logging import print_log

# PyTorch writes zip files, whose directory comes last; before 1.6 it wrote
# pickles.
ZIP, PICKLE = b'PK', b'\x80'
_NAME = re.compile(r'(?:iter|epoch)_(\d+)\.pth')


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
    if not _is_whole(path):
        raise ValueError(
            f"the checkpoint '{path}' is cut short "
            f'({os.path.getsize(path)} bytes): copy it again, or take another'
        )


def find_last_checkpoint(work_dir: str | os.PathLike) -> str | None:
    """The last whole checkpoint of a training, None where there is none.

    Raises:
        ValueError: If there are some, but all are cut short.
    """
    found = [
        (int(match[1]), path)
        for path in Path(work_dir).glob('*.pth')
        if (match := _NAME.fullmatch(path.name))
    ]
    for _, path in sorted(found, reverse=True):
        if _is_whole(path):
            return str(path)
        print_log(f"'{path}' is cut short: not used", 'current', 30)
    if found:
        raise ValueError(
            f"every checkpoint in '{work_dir}' is cut short: remove them to "
            'train from the start'
        )
    return None


def _is_whole(path: str | os.PathLike) -> bool:
    with open(path, 'rb') as file:
        begin = file.read(2)
    return len(begin) == 2 and (begin != ZIP or zipfile.is_zipfile(path))
