from .drawing import beside, captioned, colourise, legend, overlay
from .writers import FolderWriter, GifWriter, Mp4Writer, open_writer

__all__ = [
    'FolderWriter',
    'GifWriter',
    'Mp4Writer',
    'beside',
    'captioned',
    'colourise',
    'legend',
    'open_writer',
    'overlay',
]
