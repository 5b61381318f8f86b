"""Registers all that a config may name; a config imports this module.

``custom_imports = dict(imports=['mmseg_video.engine.registration'])``
"""

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
    # It prints that a package of its publisher is not there; nobody needs it.
    import mmseg.datasets
    import mmseg.models  # noqa: F401

from .. import datasets, evaluation, models  # noqa: F401
