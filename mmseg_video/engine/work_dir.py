"""The folder of a training: who is at work in it, and whose files it has."""

import contextlib
import json
import os
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from ..io.atomic import write_text
from ..io.locks import FolderLock

RUN = 'run.json'
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
    with FolderLock(work_dir, 'training', '--work-dir'):
        for path in Path(work_dir).iterdir():
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
