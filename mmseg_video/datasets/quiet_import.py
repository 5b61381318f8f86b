"""Imports mmseg's data sets without what they print."""

import contextlib
import io

with contextlib.redirect_stdout(io.StringIO()):
    # That a package of its publisher is not there; nobody needs it.
    import mmseg.datasets  # noqa: F401
