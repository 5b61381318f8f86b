from .corrupt_frames import CorruptFrames
from .for_each_frame import ForEachFrame
from .formatting import PackClipInputs
from .frame_interval import RandomFrameInterval
from .loading import LoadClipAnnotations, LoadRefFrames
from .random_burst import RandomBurst
from .still_to_clip import StillToClip

__all__ = [
    'CorruptFrames',
    'ForEachFrame',
    'LoadClipAnnotations',
    'LoadRefFrames',
    'PackClipInputs',
    'RandomBurst',
    'RandomFrameInterval',
    'StillToClip',
]
