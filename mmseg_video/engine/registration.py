"""Registers all that a config may name; a config imports this module.

``custom_imports = dict(imports=['mmseg_video.engine.registration'])``
"""

from .. import datasets, evaluation, models  # noqa: F401
from ..io.yapf_cache import import_yapf

import_yapf()
