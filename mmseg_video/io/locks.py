"""Folders that one job at a time writes to."""

import errno
import os
import socket
import weakref
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None

# What another process's lock is told by.
HELD = (errno.EAGAIN, errno.EACCES)
# Those of this process, which the system would give it again.
_ours = weakref.WeakValueDictionary()


class FolderLock:
    """Held by all processes of a job, until they end, however they end.

    It is of processes (POSIX) and not of open files: what a process forks,
    such as the workers of a loader, does not hold it. A context takes it as
    the first process does, and lets it go.

    Args:
        folder (path): It is made.
        what (str): A job, for the sentence. Defaults to 'command'.
        option (str): What names another folder. Defaults to '--out'.
        name (str): Of the lock's file, in the folder. Defaults to '.lock'.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        what: str = 'command',
        option: str = '--out',
        name: str = '.lock',
    ):
        self.folder, self.path = Path(folder), Path(folder, name)
        self.what, self.option, self._file = what, option, None

    def take(self) -> None:
        """Hold it, as the first process of a job.

        Raises:
            RuntimeError: If a process of another job does.
        """
        if self._key() in _ours:
            raise self._refusal(_name())
        if self._lock('LOCK_EX'):
            self._file.seek(0)
            holder = self._file.read().strip()
            self.release()
            raise self._refusal(holder or 'of an unknown process')
        self._file.truncate(0)
        print(_name(), file=self._file, flush=True)
        self._lock('LOCK_SH')  # for join(), in one step
        _ours[self._key()] = self

    def join(self) -> None:
        """Hold it too, as another process of the job."""
        self._lock('LOCK_SH')

    def release(self) -> None:
        """Let it go; the system does it for a process that ends."""
        if _ours.get(self._key()) is self:
            del _ours[self._key()]
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> None:
        self.take()

    def __exit__(self, *_) -> None:
        self.release()

    def _key(self) -> tuple[int, Path]:
        # What is forked has what was held before, in memory alone.
        return os.getpid(), self.path.resolve()

    def _refusal(self, holder: str) -> RuntimeError:
        return RuntimeError(
            f"'{self.folder}' is in use by another {self.what} ({holder}): "
            f'wait for it, end it, or take another {self.option}'
        )

    def _lock(self, kind: str) -> bool:
        """Whether another job keeps it from being locked."""
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(self.path, 'a+')  # noqa: SIM115
        if fcntl is None:
            return False
        try:
            fcntl.lockf(self._file, getattr(fcntl, kind) | fcntl.LOCK_NB)
        except OSError as error:
            # Others are of file systems without locks.
            return error.errno in HELD
        return False


def _name() -> str:
    return f'process {os.getpid()} on {socket.gethostname()}'
