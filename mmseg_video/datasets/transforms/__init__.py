from .for_each_frame import ForEachFrame
from .formatting import PackClipInputs
from .frame_interval import RandomFrameInterval
from .loading import LoadClipAnnotations, LoadRefFrames

__all__ = [
    'ForEachFrame',
    'LoadClipAnnotations',
    'LoadRefFrames',
    'PackClipInputs',
    'RandomFrameInterval',
]
