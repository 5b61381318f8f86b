"""What a mistyped name may have meant."""

import difflib
from collections.abc import Iterable


def close_to(name: str, names: Iterable[str]) -> str:
    """'; close to it are A, B, C' of ``names``, or nothing where none is."""
    close = difflib.get_close_matches(name, list(names), 3, 0.5)
    return f'; close to it are {", ".join(close)}' if close else ''
