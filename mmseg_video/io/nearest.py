"""What a mistyped name may have meant."""

import difflib
from collections.abc import Iterable

LEAST = 3  # letters of what may be a part of a name


def close_to(name: str, names: Iterable[str]) -> str:
    """'; close to it are A, B, C' of ``names``, or nothing where none is.

    Those that begin with it come first, then those that contain it.
    """
    names = sorted(names, key=lambda n: (not n.startswith(name), len(n)))
    parts = [n for n in names if name in n and len(name) >= LEAST]
    like = difflib.get_close_matches(name, names, 3, 0.5)
    close = list(dict.fromkeys([*parts, *like]))[:3]
    return f'; close to it are {", ".join(close)}' if close else ''
