"""Imports mmseg's models without what they print and warn of."""

import contextlib
import io
import warnings

from mmpretrain.utils import dependency

with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
    # mmpretrain's models of text and images need an older transformers, and
    # fail with the one of the extra hf; nothing here uses them.
    dependency.WITH_MULTIMODAL = False
    # An operator of mmcv's full build; nothing here uses it.
    warnings.filterwarnings('ignore', 'Fail to import ``MultiScaleDef')
    import mmseg.models  # noqa: F401
