"""JSON files, which may have been damaged or be something else."""

import json
import os
from pathlib import Path


def read_object(path: str | os.PathLike, what: str) -> dict:
    """The object that a file holds.

    Args:
        path (path): The file.
        what (str): What is expected, and what to do without it, for the
            sentence.

    Raises:
        OSError: If it cannot be read.
        ValueError: With its path, if it holds none.
    """
    return parse_object(Path(path).read_bytes(), path, what)


def parse_object(
    text: str | bytes, path: str | os.PathLike, what: str
) -> dict:
    """:func:`read_object` of a file that was read elsewhere."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ValueError(f"'{path}' is no JSON ({error}): {what}") from None
    if not isinstance(content, dict):
        raise ValueError(
            f"'{path}' holds a {type(content).__name__}, an object is "
            f'expected: {what}'
        )
    return content
