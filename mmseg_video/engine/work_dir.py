"""The folder of a training: who is at work in it, and whose files it has."""

import contextlib
import fcntl
import json
import os
import re
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from ..io.atomic import write_text

RUN, LOCK = 'run.json', '.lock'
# What io/atomic.py writes to before a file gets its name.
_TEMPORARY = re.compile(r'\..+\.\d+\.pth')


@contextlib.contextmanager
def locked(work_dir: str | os.PathLike) -> Iterator[None]:
    """Keep other trainings out of the folder, which is made.

    The lock ends with the process, however that ends. Left-over pieces of
    checkpoints, of writers that were killed, are removed.

    Raises:
        RuntimeError: If another training holds it.
    """
    folder = Path(work_dir)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / LOCK, 'a+') as file:
        try:
            # Of the process, not of the open file: workers do not inherit it.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise RuntimeError(
                f"'{work_dir}' is in use by another training "
                f'({file.read().strip() or "of an unknown process"}): wait '
                'for it, end it, or take another --work-dir'
            ) from None
        file.truncate(0)
        print(
            f'process {os.getpid()} on {socket.gethostname()}',
            file=file,
            flush=True,
        )
        for path in folder.iterdir():
            if _TEMPORARY.fullmatch(path.name):
                path.unlink(missing_ok=True)
        yield


def current_run(work_dir: str | os.PathLike) -> str | None:
    """The identity of the training that began last in the folder."""
    path = Path(work_dir, RUN)
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_text()).get('run')
    except (ValueError, AttributeError):
        return None


def set_run(work_dir: str | os.PathLike, run: str | None = None) -> str:
    """Make a training the folder's current one; returns its identity.

    Args:
        work_dir (path): The folder.
        run (str | None): Defaults to None, a new one.
    """
    run = run or uuid.uuid4().hex
    if current_run(work_dir) != run:
        began = time.strftime('%Y-%m-%d %H:%M:%S')
        text = json.dumps(dict(run=run, began=began), indent=1)
        write_text(Path(work_dir, RUN), text)
    return run
