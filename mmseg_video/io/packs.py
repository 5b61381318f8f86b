"""Packed sets: many files in a few tars, each readable at random.

::

    PACK/pack.json              settings, and the shards by name
    PACK/shard-000000.tar       files in order, so that webdataset streams it
    PACK/shard-000000.json      where each file is, with its checksum

A file is known by its path in the tree that was packed. A shard's index is
written behind its tar: where there is one, the shard is whole.
"""

import io
import json
import os
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from .atomic import atomic_path, write_text

PACK = 'pack.json'
VERSION = 1
BLOCK = 512  # of a tar


class PackError(OSError):
    """A packed set, or a file in it, that cannot be used."""


class Entry(NamedTuple):
    """Where a file is, and what it was before it was packed."""

    shard: str
    offset: int
    size: int
    crc: int
    source_size: int
    source_mtime_ns: int


class Pack:
    """Reads files of a packed set by their paths in the tree.

    Args:
        root (path): Its folder.

    Raises:
        PackError: If it is not finished, of another version or damaged; a
            shard that is missing or cut is named.
    """

    def __init__(self, root: str | os.PathLike):
        self.root = Path(root)
        self.settings = read_settings(self.root)
        self._files = {}

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """Path in the tree -> where it is."""
        entries = {}
        for name in self.settings['shards']:
            index = read_index(self.root, name)
            if index is None:
                done = sum(
                    (self.root / f'{shard}.json').exists()
                    for shard in self.settings['shards']
                )
                raise PackError(
                    f"the packed set '{self.root}' is not finished: {done} of "
                    f'{len(self.settings["shards"])} shards are there. Run '
                    'the command that makes it again'
                )
            self._check_size(name, index['bytes'])
            for path, numbers in index['files'].items():
                entries[path] = Entry(name, *numbers)
        return entries

    def _check_size(self, name: str, expected: int) -> None:
        tar = self.root / f'{name}.tar'
        if not tar.exists():
            raise PackError(f"no shard '{tar}': copy it, {_OR_AGAIN}")
        size = tar.stat().st_size
        if size != expected:
            raise PackError(
                f"the shard '{tar}' has {size} bytes in place of {expected}: "
                f'copy it again, {_OR_AGAIN}'
            )

    def __contains__(self, path: str) -> bool:
        return path in self.entries

    def read(self, path: str) -> bytes:
        """A file's bytes.

        Raises:
            PackError: If they are not those that were packed.
        """
        entry = self.entries[path]
        data = os.pread(self._file(entry.shard), entry.size, entry.offset)
        if len(data) != entry.size or zlib.crc32(data) != entry.crc:
            tar = self.root / f'{entry.shard}.tar'
            raise PackError(
                f"'{path}' in the shard '{tar}' is damaged (its checksum is "
                f'another): copy the shard again, {_OR_AGAIN}'
            )
        return data

    def _file(self, shard: str) -> int:
        # Reading at a place leaves none behind, so that threads and forked
        # workers share it.
        if shard not in self._files:
            path = self.root / f'{shard}.tar'
            self._files[shard] = os.open(path, os.O_RDONLY)
        return self._files[shard]

    def damaged(self) -> Iterator[str]:
        """What is wrong with each file that is not what was packed."""
        for path in self.entries:
            try:
                self.read(path)
            except PackError as error:
                yield str(error)


_OR_AGAIN = 'or delete it and its .json, and run the command that made it'


def read_settings(root: Path) -> dict:
    """What is in ``pack.json``."""
    try:
        settings = json.loads((root / PACK).read_text())
        version = settings['version']
        settings['shards'], settings['made']
    except (FileNotFoundError, NotADirectoryError):
        raise PackError(
            f"'{root}' is no packed set, it has no {PACK}: mmseg-video pack "
            'makes one'
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise PackError(
            f"'{root / PACK}' is damaged ({type(error).__name__}): copy it "
            'again, or delete it and run the command that made it'
        ) from error
    if version != VERSION:
        raise PackError(
            f"'{root}' is a packed set of version {version}, this is software "
            f'for version {VERSION}: pack the tree anew'
        )
    return settings


def read_index(root: Path, shard: str) -> dict | None:
    """A shard's index, None where the shard is not written yet."""
    path = root / f'{shard}.json'
    if not path.exists():
        return None
    try:
        index = json.loads(path.read_text())
        if zlib.crc32(json.dumps(index['files']).encode()) != index['crc']:
            raise ValueError('checksum')
    except (ValueError, KeyError, TypeError) as error:
        raise PackError(
            f"the index '{path}' is damaged: copy it again, {_OR_AGAIN}"
        ) from error
    return index


def write_shard(
    root: Path,
    shard: str,
    files: Iterable[tuple[str, str, bytes, os.stat_result]],
) -> int:
    """Write a shard and its index; either is whole or not there.

    Args:
        root (Path): Of the packed set.
        shard (str): Its name.
        files (Iterable[tuple]): Path in the tree, name in the tar, bytes, and
            what the file was before.

    Returns:
        int: Its bytes.
    """
    tar_path, index = root / f'{shard}.tar', {}
    with atomic_path(tar_path) as temporary:
        with tarfile.open(temporary, 'w', format=tarfile.PAX_FORMAT) as tar:
            for path, name, data, before in files:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
                padded = -(-len(data) // BLOCK) * BLOCK
                index[path] = (
                    tar.offset - padded,
                    len(data),
                    zlib.crc32(data),
                    before.st_size,
                    before.st_mtime_ns,
                )
        size = temporary.stat().st_size
    crc = zlib.crc32(json.dumps(index).encode())
    text = json.dumps(dict(bytes=size, crc=crc, files=index))
    write_text(root / f'{shard}.json', text)
    return size
