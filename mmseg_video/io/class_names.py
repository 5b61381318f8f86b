"""Names and colours of classes, as files have them."""

import json
import os
from pathlib import Path


def read_class_names(
    path: str | os.PathLike,
) -> tuple[list[str], list | None]:
    """Names and RGB colours of the classes that a file lists.

    A ``.json`` as :class:`LabelWriter` writes it, a list of id, name and
    color; any other is a text with one name on each line, without colours.

    Args:
        path (path): The file.

    Raises:
        FileNotFoundError: If it is not there.
        ValueError: If it lists no classes.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no list of classes '{path}'")
    try:
        text = Path(path).read_text(encoding='utf-8-sig')
        if not str(path).lower().endswith('.json'):
            return _from_lines(text, path), None
        return _from_entries(json.loads(text), path)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"'{path}' is no list of classes: {error}") from None


def _from_lines(text: str, path: str | os.PathLike) -> list[str]:
    names = [line.strip() for line in text.splitlines() if line.strip()]
    if not names:
        raise ValueError(
            f"'{path}' is no list of classes: write one name on each line"
        )
    return names


def _from_entries(
    entries: list, path: str | os.PathLike
) -> tuple[list[str], list | None]:
    try:
        entries = sorted(entries, key=lambda entry: entry['id'])
        names = [entry['name'] for entry in entries]
        numbers = [entry['id'] for entry in entries]
        colours = [entry.get('color') for entry in entries]
        for colour in colours:
            if colour is not None and len(bytes(list(colour))) != 3:
                raise ValueError(f'the color {colour}')
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise ValueError(
            f"'{path}' is no list of classes with id, name and color: "
            f'{type(error).__name__} {error}'
        ) from error
    if not names or numbers != list(range(len(numbers))):
        raise ValueError(
            f"the ids of the classes in '{path}' must go from 0 to "
            f'{len(numbers) - 1}, they are {numbers}'
        )
    return names, None if None in colours else colours
