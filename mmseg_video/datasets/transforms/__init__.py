from .add_flow import AddFlow, AddRefFlow
from .clip_augment import ClipAugment
from .corrupt_frames import CorruptFrames
from .drop_frames import DropFrames
from .for_each_frame import ForEachFrame
from .formatting import PackClipInputs
from .frame_interval import RandomFrameInterval
from .hold_last_usable import HoldLastUsable
from .interpolate_frames import InterpolateFrames
from .loading import LoadClip, LoadClipAnnotations, LoadRefFrames
from .noise_frames import NoiseFrames
from .random_burst import RandomBurst
from .reverse_ref_frames import ReverseRefFrames
from .still_to_clip import StillToClip

__all__ = [
    'AddFlow',
    'AddRefFlow',
    'ClipAugment',
    'CorruptFrames',
    'DropFrames',
    'ForEachFrame',
    'HoldLastUsable',
    'InterpolateFrames',
    'LoadClip',
    'LoadClipAnnotations',
    'LoadRefFrames',
    'NoiseFrames',
    'PackClipInputs',
    'RandomBurst',
    'RandomFrameInterval',
    'ReverseRefFrames',
    'StillToClip',
]
