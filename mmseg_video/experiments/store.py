"""What is done once: known by the hash of all that decides its result."""

import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..io.atomic import write_text


@dataclass(frozen=True)
class Marker:
    """A file that says that something is done, and what came of it.

    Args:
        path (Path): A JSON file, written whole, and last.
        key (str): The hash of all that decides the result: what was left
            under another one does not count.
    """

    path: Path
    key: str

    def read(self) -> dict:
        """What :meth:`write` was given, empty where it is not done."""
        try:
            report = json.loads(self.path.read_text())
            return report if report['key'] == self.key else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def write(self, **report) -> None:
        """Say that it is done."""
        report = {**report, 'key': self.key}
        text = json.dumps(report, indent=1, default=str)
        write_text(self.path, text + '\n')


class Store:
    """Results in a folder, each found once.

    Args:
        folder (Path): Of the files, one for each result.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def get(self, what):
        """The result for ``what``, None where it was not found yet."""
        return self._marker(what).read().get('result')

    def once(self, what, find: Callable):
        """``find()``, or what it gave before for the same ``what``."""
        result = self.get(what)
        if result is None:
            result = find()
            self._marker(what).write(what=what, result=result)
        return result

    def items(self) -> Iterator[tuple]:
        """(``what``, result) of all that was found, the newest first, both as
        JSON gives them back."""
        paths = self.folder.glob('*.json')
        for path in sorted(paths, key=os.path.getmtime, reverse=True):
            try:
                report = json.loads(path.read_text())
                yield report['what'], report['result']
            except (OSError, ValueError, KeyError, TypeError):
                continue

    def _marker(self, what) -> Marker:
        key = hash_of(what)
        return Marker(self.folder / f'{key[:16]}.json', key)


def hash_of(content) -> str:
    """Of anything that is made of dicts, lists and plain values.

    The order of a dict's keys counts in none but those of transforms by name,
    which run in it.
    """
    text = json.dumps(_in_order(content), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _in_order(content):
    if isinstance(content, dict):
        return {
            key: list(_in_order(value).items())
            if key in ('augments', 'batch_augments') and value
            else _in_order(value)
            for key, value in content.items()
        }
    if isinstance(content, list | tuple):
        return [_in_order(value) for value in content]
    return content


def hash_of_file(path: str) -> str:
    """Of its content; of its address where it is not here."""
    if '://' in path:
        return hash_of(path)
    return _hash_of_file(path, Path(path).stat().st_mtime_ns)


@functools.lru_cache
def _hash_of_file(path: str, _modified: int) -> str:
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
