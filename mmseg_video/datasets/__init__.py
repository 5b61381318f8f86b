from .base_sequence import BaseSequenceDataset
from .camvid_sequence import CamVidSequenceDataset
from .cityscapes_sequence import CityscapesSequenceDataset
from .ref_frames import select_ref_frames
from .transforms import (
    ForEachFrame,
    LoadClipAnnotations,
    LoadRefFrames,
    PackClipInputs,
    RandomBurst,
    RandomFrameInterval,
)

__all__ = [
    'BaseSequenceDataset',
    'CamVidSequenceDataset',
    'CityscapesSequenceDataset',
    'ForEachFrame',
    'LoadClipAnnotations',
    'LoadRefFrames',
    'PackClipInputs',
    'RandomBurst',
    'RandomFrameInterval',
    'select_ref_frames',
]
