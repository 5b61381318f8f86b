"""The first import of yapf, by which MMEngine lays out configs."""

import importlib
import pickle
import time

ATTEMPTS = 5
WAIT = 0.2  # seconds


def import_yapf() -> None:
    """Import it, though another process is writing its cache.

    yapf writes a cache of its grammar when it is first imported after its
    installation. For an instant it lies at its place half written, and of
    several processes that start together one may read it then.

    Raises:
        RuntimeError: If the cache stays broken.
    """
    for left in reversed(range(ATTEMPTS)):
        try:
            importlib.import_module('yapf.yapflib.yapf_api')
            return
        except (EOFError, pickle.UnpicklingError) as error:
            if not left:
                raise RuntimeError(
                    "yapf's cache is broken, as when a process is killed "
                    'while it writes it: delete the folder YAPF in the '
                    "user's cache folder (~/.cache/YAPF on Linux)"
                ) from error
        time.sleep(WAIT)
