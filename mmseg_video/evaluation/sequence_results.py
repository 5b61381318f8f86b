"""What a metric keeps of each sequence, in a file from which nothing runs."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..io.atomic import write_text


def write_results(
    path: str | os.PathLike, classes: Sequence[str], results: list[dict]
) -> None:
    """Write the results of sequences as JSON, whole or not at all.

    Args:
        path (path): The file.
        classes (Sequence[str]): Names of the classes.
        results (list[dict]): Of each sequence: numbers, text, arrays, and
            dicts of numbers.
    """
    kept = dict(classes=list(classes), results=results)
    # NumPy's numbers and arrays; others are refused by their type.
    write_text(path, json.dumps(kept, default=_plain))


def read_results(
    path: str | os.PathLike,
) -> tuple[list[str], list[dict]]:
    """The classes and the results of sequences, as they were written.

    Raises:
        ValueError: If the file is none that :func:`write_results` wrote.
    """
    try:
        kept = json.loads(Path(path).read_text())
        return kept['classes'], [
            {
                key: np.array(value) if isinstance(value, list) else value
                for key, value in result.items()
            }
            for result in kept['results']
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"'{path}' holds no results of sequences ({error}): remove it and "
            'test again'
        ) from error


def _plain(value: np.ndarray | np.generic):
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f'{type(value).__name__} is neither a number nor an array')
