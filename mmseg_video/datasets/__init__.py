from .base_sequence import BaseSequenceDataset
from .camvid_sequence import CamVidSequenceDataset
from .cityscapes_sequence import CityscapesSequenceDataset
from .coco_semantic import COCOSemanticDataset
from .ref_frames import select_ref_frames
from .sequence_sampler import SequenceSampler
from .transforms import (
    CorruptFrames,
    ForEachFrame,
    LoadClipAnnotations,
    LoadRefFrames,
    PackClipInputs,
    RandomBurst,
    RandomFrameInterval,
    StillToClip,
)
from .vspw_sequence import VSPWSequenceDataset

__all__ = [
    'BaseSequenceDataset',
    'COCOSemanticDataset',
    'CamVidSequenceDataset',
    'CityscapesSequenceDataset',
    'CorruptFrames',
    'ForEachFrame',
    'LoadClipAnnotations',
    'LoadRefFrames',
    'PackClipInputs',
    'RandomBurst',
    'RandomFrameInterval',
    'SequenceSampler',
    'StillToClip',
    'VSPWSequenceDataset',
    'select_ref_frames',
]
