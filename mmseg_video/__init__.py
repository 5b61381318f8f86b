"""Recurrent semantic segmentation of video on MMSegmentation.

Importing the package registers its datasets, transforms, models and hooks in
``mmseg.registry``; a config does so by
``custom_imports=dict(imports=['mmseg_video'])``.
"""

import contextlib
import io
import warnings

with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
    # An operator of mmcv's full build; nothing here uses it.
    warnings.filterwarnings('ignore', 'Fail to import ``MultiScaleDef')
    # It prints that a package of its publisher is not there; nobody needs it.
    import mmseg.datasets
    import mmseg.models  # noqa: F401

from . import datasets, engine, evaluation, models
from .version import __version__

__all__ = ['__version__', 'datasets', 'engine', 'evaluation', 'models']
