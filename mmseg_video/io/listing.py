"""Which files of a folder are frames, and in which order."""

import glob
import os
import re
from collections.abc import Iterable

IMAGES = ('.png', '.jpg', '.jpeg', '.bmp', '.webp', '.tif', '.tiff')
VIDEOS = (
    *('.mp4', '.m4v', '.mov', '.avi', '.mkv', '.webm', '.mpg', '.mpeg'),
    *('.ts', '.mts', '.m2ts', '.wmv', '.flv', '.3gp', '.ogv', '.y4m', '.gif'),
)
# Cityscapes' frames: CITY_SSSSSS_FFFFFF_leftImg8bit.
SNIPPET = re.compile(r'(?P<recording>.+_\d{6})_(?P<number>\d{6})_leftImg8bit$')


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


def list_inputs(source: str) -> list[str]:
    """Paths of what is in a folder, or fits a glob, in natural order; empty
    for anything else. Hidden ones are left out.

    Args:
        source (str): What a user names.
    """
    if os.path.isdir(source):
        root, found = source, os.listdir(source)
    elif glob.has_magic(source) and not os.path.exists(source):
        # The folder before the first wildcard may itself be a hidden one.
        root = os.path.dirname(re.split(r'[*?[]', source)[0])
        found = glob.glob(source, recursive=True)  # ** is any folders
        found = [os.path.relpath(path, root or '.') for path in found]
    else:
        return []
    return [os.path.join(root, name) for name in select_files(found, [''])]


def snippets_of(stems: list[str]) -> list[str]:
    """The snippet of Cityscapes that each frame belongs to; empty where the
    names are others, or all are one.

    Args:
        stems (list[str]): Names of frames without their suffix, in order.
    """
    matches = [SNIPPET.match(stem) for stem in stems]
    if not all(matches):
        return []
    snippets, last = [], None
    for stem, match in zip(stems, matches, strict=True):
        now = match['recording'], int(match['number'])
        follows = last == (now[0], now[1] - 1)
        snippets.append(snippets[-1] if follows else stem)
        last = now
    return snippets if len(set(snippets)) > 1 else []


def natural_key(name: str) -> tuple:
    """Sorts numbers in names by their value: 9.png before 10.png."""
    parts = re.split(r'([0-9]+)', name)
    parts[1::2] = map(int, parts[1::2])
    # The name itself tells 01.png from 1.png.
    return tuple(parts), name


def _is_hidden(name: str) -> bool:
    return any(part.startswith('.') for part in re.split(r'[/\\]', name))
