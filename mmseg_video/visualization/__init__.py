from .drawing import beside, captioned, colourise, legend, overlay
from .side_by_side import side_by_side
from .writers import FolderWriter, GifWriter, VideoWriter, open_writer

__all__ = [
    'FolderWriter',
    'GifWriter',
    'VideoWriter',
    'beside',
    'captioned',
    'colourise',
    'legend',
    'open_writer',
    'overlay',
    'side_by_side',
]
