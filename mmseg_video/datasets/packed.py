"""Packed trees: their files have paths, as those of a loose tree have.

A data set whose ``data_root`` is a packed set gives its samples paths like
``pack://data/packed/leftImg8bit/val/...``. MMEngine reads them, and with it
every transform, by the backend below. What the packed set lacks is looked for
in its folder, loose: so labels may be replaced, and frames added.
"""

import os
import os.path as osp
from collections.abc import Iterator
from functools import cache

from mmengine.fileio import BaseStorageBackend, register_backend

from ..io.packs import PACK, Pack, PackError

PREFIX = 'pack://'


def packed_root(data_root: str | None) -> str | None:
    """``data_root``, with the prefix where it is a packed set."""
    root = None if data_root is None else os.fspath(data_root)
    if root is None or not osp.exists(osp.join(root, PACK)):
        return root
    return PREFIX + osp.normpath(root)


def is_packed(path: str | None) -> bool:
    return path is not None and path.startswith(PREFIX)


@cache
def open_pack(root: str) -> Pack:
    """Opened once in a process; workers that are forked share it."""
    return Pack(root)


@cache
def _root_of(folder: str) -> str:
    """The packed set that a folder of the tree belongs to."""
    root = folder
    while not osp.exists(osp.join(root, PACK)):
        above = osp.dirname(root)
        if above == root:
            raise FileNotFoundError(f"no packed set at or above '{folder}'")
        root = above
    return root


def _split(path: str) -> tuple[Pack, str, str]:
    """The packed set, the path in it, and that of a loose file."""
    loose = osp.normpath(str(path).removeprefix(PREFIX))
    root = _root_of(osp.dirname(loose))
    name = osp.relpath(loose, root).replace(os.sep, '/')
    return open_pack(root), name, loose


def identity(path: str) -> tuple[int, int]:
    """What a file differs by from another one of its name: its size and time,
    of a packed one its checksum."""
    if is_packed(path):
        pack, name, path = _split(path)
        if name in pack:
            entry = pack.entries[name]
            return entry.size, entry.crc
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns


@register_backend('pack', prefixes='pack', force=True)
class PackedBackend(BaseStorageBackend):
    """Reads ``pack://ROOT/PATH``: from the shards, else the loose file.

    Raises:
        PackError: If a file is damaged, or a loose one is not that which was
            packed.
        FileNotFoundError: If there is neither.
    """

    def get(self, filepath: str) -> bytes:
        pack, name, loose = _split(filepath)
        if name in pack:
            self._refuse_another(pack, name, loose)
            return pack.read(name)
        if not osp.exists(loose):
            raise FileNotFoundError(
                f"the packed set '{pack.root}' has no '{name}', and no such "
                'file is in its folder'
            )
        with open(loose, 'rb') as file:
            return file.read()

    def get_text(self, filepath: str, encoding: str = 'utf-8') -> str:
        return self.get(filepath).decode(encoding)

    def join_path(self, filepath: str, *filepaths: str) -> str:
        return osp.join(filepath, *filepaths)

    def exists(self, filepath: str) -> bool:
        pack, name, loose = _split(filepath)
        return name in pack or osp.exists(loose) or _is_folder(pack, name)

    def isfile(self, filepath: str) -> bool:
        pack, name, loose = _split(filepath)
        return name in pack or osp.isfile(loose)

    def isdir(self, filepath: str) -> bool:
        pack, name, loose = _split(filepath)
        return osp.isdir(loose) or _is_folder(pack, name)

    def list_dir_or_file(
        self,
        dir_path: str,
        list_dir: bool = True,
        list_file: bool = True,
        suffix: str | tuple | None = None,
        recursive: bool = False,
    ) -> Iterator[str]:
        """Files below a folder, relative to it; MMEngine's other ways to ask
        are not needed here."""
        if list_dir or not list_file or not recursive:
            raise NotImplementedError(
                'of a packed set, files are listed recursively, and alone'
            )
        pack, name, loose = _split(osp.join(dir_path, '.', 'x'))
        folder, loose = name[: -len('x')], osp.dirname(loose)
        names = {
            path[len(folder) :]
            for path in pack.entries
            if path.startswith(folder)
        }
        for where, _, files in os.walk(loose):
            names |= {osp.relpath(osp.join(where, f), loose) for f in files}
        for path in sorted(names):
            if suffix is None or path.endswith(suffix):
                yield path

    @staticmethod
    def _refuse_another(pack: Pack, name: str, loose: str) -> None:
        """A loose file beside its packed one must be the same."""
        try:
            found = os.stat(loose)
        except OSError:
            return
        if found.st_size != pack.entries[name].source_size:
            raise PackError(
                f"'{loose}' is loose in the folder of the packed set, has "
                f'{found.st_size} bytes, and had '
                f'{pack.entries[name].source_size} when it was packed: remove '
                'it, or pack the tree anew'
            )


@cache
def _folders(pack: Pack) -> frozenset[str]:
    folders = set()
    for path in pack.entries:
        while path := osp.dirname(path):
            if path in folders:
                break
            folders.add(path)
    return frozenset(folders)


def _is_folder(pack: Pack, name: str) -> bool:
    return name in _folders(pack)


def refuse_other_settings(
    data_root: str, img_path: str, reach: int, frames: str
) -> None:
    """Refuse a packed set that was made for less than is asked.

    Args:
        data_root (str): Of the data set, with the prefix.
        img_path (str): Its folder of key frames.
        reach (int): How many frames before a key frame it may ask for.
        frames (str): Which frames it asks for: 'stream', every one, or those
            of clips by their key frames, such as 'labelled'.

    Raises:
        ValueError: That says what was packed.
    """
    root = data_root.removeprefix(PREFIX)
    folder = osp.relpath(img_path, data_root).replace(os.sep, '/')
    made = [
        made
        for made in open_pack(root).settings['made']
        if made['img_path'] == folder
    ]
    # Loose frames only, in the folder of a packed set, are all there.
    if not made or any(
        m['frames'] == 'stream'
        or (m['reach'] >= reach and m['frames'] == frames)
        for m in made
    ):
        return
    if all(m['frames'] != frames for m in made):
        raise ValueError(
            f"the packed set '{root}' has the frames that "
            f"'{made[0]['frames']}' clips of '{folder}' need, '{frames}' is "
            'asked for: pack it with --stream, which takes every frame'
        )
    raise ValueError(
        f"the packed set '{root}' has the {max(m['reach'] for m in made)} "
        f"frames before each key frame of '{folder}', {reach} (num_frames, "
        'frame_interval) are asked for: pack it for as many, or ask for fewer'
    )
