from . import quiet_import  # noqa: F401, first

# isort: split
from .base_sequence import BaseSequenceDataset
from .camvid_sequence import CamVidSequenceDataset
from .cityscapes_sequence import CityscapesSequenceDataset
from .coco_semantic import COCOSemanticDataset
from .frame_folder_sequence import FrameFolderSequenceDataset
from .rare_class_sampler import RareClassSampler
from .ref_frames import select_ref_frames
from .seeded import SeededBatches, SeededSamples
from .sequence_sampler import SequenceSampler
from .transforms import (
    AddFlow,
    AddRefFlow,
    ClipAugment,
    CorruptFrames,
    DropFrames,
    ForEachFrame,
    InterpolateFrames,
    LoadClip,
    LoadClipAnnotations,
    LoadRefFrames,
    NoiseFrames,
    PackClipInputs,
    RandomBurst,
    RandomFrameInterval,
    ReverseRefFrames,
    StillToClip,
)
from .unlabelled_frames import UnlabelledFrames, sequence_config
from .vspw_sequence import VSPWSequenceDataset

__all__ = [
    'AddFlow',
    'AddRefFlow',
    'BaseSequenceDataset',
    'COCOSemanticDataset',
    'CamVidSequenceDataset',
    'CityscapesSequenceDataset',
    'ClipAugment',
    'CorruptFrames',
    'DropFrames',
    'ForEachFrame',
    'FrameFolderSequenceDataset',
    'InterpolateFrames',
    'LoadClip',
    'LoadClipAnnotations',
    'LoadRefFrames',
    'NoiseFrames',
    'PackClipInputs',
    'RandomBurst',
    'RandomFrameInterval',
    'RareClassSampler',
    'ReverseRefFrames',
    'SeededBatches',
    'SeededSamples',
    'SequenceSampler',
    'StillToClip',
    'UnlabelledFrames',
    'VSPWSequenceDataset',
    'select_ref_frames',
    'sequence_config',
]
