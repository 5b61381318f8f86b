"""Folders that one job at a time writes to."""

import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None


class FolderLock:
    """Held by all processes of a job, until they end, however they end.

    Args:
        path (path): The lock's file, in the folder; its folder is made.
    """

    def __init__(self, path: str | os.PathLike):
        self.path, self._file = Path(path), None

    def take(self) -> None:
        """Hold it, as the first process of a job.

        Raises:
            RuntimeError: If a process of another job does.
        """
        if self._lock('LOCK_EX'):
            raise RuntimeError(
                f"another run is at work in '{self.path.parent}', or what is "
                'left of one that was killed: wait for it, or end its '
                'processes'
            )
        self._lock('LOCK_SH')

    def join(self) -> None:
        """Hold it too, as another process of the job."""
        self._lock('LOCK_SH')

    def release(self) -> None:
        """Let it go; the system does it for a process that ends."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _lock(self, kind: str) -> bool:
        """Whether another job keeps it from being locked."""
        if fcntl is None:
            return False
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(self.path, 'w')  # noqa: SIM115
        try:
            fcntl.flock(self._file, getattr(fcntl, kind) | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            pass  # a file system without locks
        return False
