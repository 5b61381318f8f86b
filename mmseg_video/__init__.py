"""Recurrent semantic segmentation of video on MMSegmentation.

Importing the package alone imports nothing else: its parts (``datasets``,
``models``, ``apis``, ...) come when they are asked for. What a config names is
registered by ``mmseg_video.engine.registration``, which its ``custom_imports``
name.
"""

import importlib

from .version import __version__

ROOMS = (
    *('apis', 'datasets', 'deployment', 'engine', 'evaluation'),
    *('experiments', 'flow', 'io', 'models', 'visualization'),
)

__all__ = ['__version__']


def __getattr__(name: str):
    if name in ROOMS:
        return importlib.import_module(f'{__name__}.{name}')
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
