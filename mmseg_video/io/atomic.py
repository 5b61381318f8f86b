"""Files that others rely on: whole, or not there."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Of a disk: full, a quota, a limit of the file's size, a fault.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def refuse_special(path: str | os.PathLike) -> None:
    """Refuse to replace what is no file: a user with all rights could lose
    ``/dev/null``.

    Raises:
        OSError: If a folder, a device or a pipe stands there, or a link to
            itself.
    """
    if os.path.lexists(path) and not os.path.isfile(path):
        kind = 'a folder'
        if not os.path.isdir(path):
            kind = 'a device, a pipe or a link that leads nowhere'
        raise OSError(f"'{path}' is {kind}: name a file to write")


def check_place(path: str | os.PathLike) -> None:
    """Refuse a path at which nothing can be made; leaves nothing there.

    Raises:
        OSError: If what stands above it is no folder, or one that cannot be
            written to.
    """
    above = next(filter(os.path.lexists, Path(path).absolute().parents))
    if not above.is_dir():
        raise NotADirectoryError(
            f"'{above}' is a file, where a folder is to be: name another one"
        )
    try:
        tempfile.TemporaryDirectory(prefix='.writing-', dir=above).cleanup()
    except OSError as error:
        raise OSError(
            f"'{path}' cannot be written: nothing can be made in '{above}' "
            f'({error.strerror}): name another folder'
        ) from None


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """A path beside ``path`` to write to, which replaces it at the end.

    Its folder is made. A kill in the middle leaves the file of before; an
    error leaves it too, and takes what was written away. Where a link stands,
    the file that it leads to is replaced.

    Args:
        path (path): The file.

    Raises:
        OSError: With the file's name, if the disk is full, or if a folder, a
            device or a pipe stands there: those are not replaced.
    """
    path = Path(os.path.realpath(path))
    refuse_special(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays: it tells some writers the format.
    temporary = path.with_name(f'.{path.stem}.{os.getpid()}{path.suffix}')
    try:
        yield temporary
        # Written back before it gets its name, or a loss of power could
        # leave an empty file under it.
        with open(temporary, 'rb+') as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise OSError(
                error.errno,
                f"{os.strerror(error.errno)}: '{path}' is not written, and "
                'what was there before is left as it was. Make room and go on',
            ) from error
        raise


def write_bytes(path: str | os.PathLike, content: bytes) -> None:
    """Write a file, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a text file (UTF-8), whole or not at all."""
    write_bytes(path, text.encode())
