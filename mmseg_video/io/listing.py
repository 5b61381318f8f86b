"""Which files of a folder are frames, and in which order."""

import re
from collections.abc import Iterable

IMAGES = ('.png', '.jpg', '.jpeg', '.bmp', '.webp', '.tif', '.tiff')


def select_files(
    names: Iterable[str], suffixes: Iterable[str] = IMAGES
) -> list[str]:
    """The names that end in one of the suffixes, in natural order.

    Suffixes fit in any letter case. Hidden files, and those in hidden
    folders, are left out: systems put previews and AppleDouble files
    (``._000001.jpg``) beside one's own.

    Args:
        names (Iterable[str]): Paths relative to the folder that was listed.
        suffixes (Iterable[str]): Defaults to those of images.
    """
    suffixes = tuple(suffix.lower() for suffix in suffixes)
    return sorted(
        (
            name
            for name in names
            if name.lower().endswith(suffixes) and not _is_hidden(name)
        ),
        key=natural_key,
    )


def natural_key(name: str) -> tuple:
    """Sorts numbers in names by their value: 9.png before 10.png."""
    parts = re.split(r'([0-9]+)', name)
    parts[1::2] = map(int, parts[1::2])
    # The name itself tells 01.png from 1.png.
    return tuple(parts), name


def _is_hidden(name: str) -> bool:
    return any(part.startswith('.') for part in re.split(r'[/\\]', name))
