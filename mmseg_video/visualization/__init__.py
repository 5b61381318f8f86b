from .drawing import beside, captioned, colourise, legend, overlay
from .side_by_side import side_by_side

__all__ = [
    'beside',
    'captioned',
    'colourise',
    'legend',
    'overlay',
    'side_by_side',
]
