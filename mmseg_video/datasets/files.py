"""Files of a data set, local or behind one of MMEngine's file backends."""

import os
from collections.abc import Sequence

from mmengine import fileio

from ..io.images import check_frame_file, check_image_file
from ..io.listing import select_files


def is_local(path: str, backend_args: dict | None = None) -> bool:
    """Whether a path is one of this machine's disk."""
    return backend_args is None and '://' not in str(path)


def exists(path: str, backend_args: dict | None = None) -> bool:
    """Whether there is a file or folder."""
    if is_local(path, backend_args):
        return os.path.exists(path)
    return fileio.exists(path, backend_args=backend_args)


def check_file(path: str, backend_args: dict | None = None) -> None:
    """Refuse an image file that is missing, empty or breaks off.

    Only a local file is looked into.

    Raises:
        OSError: With the path, and what to do.
    """
    if is_local(path, backend_args):
        check_image_file(path)
    elif not exists(path, backend_args):
        raise FileNotFoundError(f"no such image: '{path}'")


def check_frame(
    path: str, backend_args: dict | None = None, grey: bool = False
) -> None:
    """Refuse a frame that is missing, breaks off, or is no 8-bit colours.

    Only a local file is looked into.

    Raises:
        OSError: With the path, and what to do.
        ValueError: Likewise, of pixels: :func:`check_frame_file`.
    """
    if is_local(path, backend_args):
        check_frame_file(path, grey)
    else:
        check_file(path, backend_args)


def list_files(
    folder: str, suffixes: Sequence[str], backend_args: dict | None = None
) -> list[str]:
    """Paths below a folder, relative to it.

    Which, and in what order: see :func:`select_files`.
    """
    names = fileio.list_dir_or_file(
        folder, list_dir=False, recursive=True, backend_args=backend_args
    )
    return select_files(names, suffixes)
