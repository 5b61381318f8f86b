from .optical_flow import (
    OPTICAL_FLOWS,
    DISFlow,
    FarnebackFlow,
    OpticalFlow,
    PrecomputedFlow,
    RAFTFlow,
)
from .sequence_iou import SequenceIoUMetric
from .sequence_metric import SequenceMetric
from .temporal_consistency import FlickerMetric, TemporalConsistencyMetric
from .video_consistency import VideoConsistencyMetric

__all__ = [
    'OPTICAL_FLOWS',
    'DISFlow',
    'FarnebackFlow',
    'FlickerMetric',
    'OpticalFlow',
    'PrecomputedFlow',
    'RAFTFlow',
    'SequenceIoUMetric',
    'SequenceMetric',
    'TemporalConsistencyMetric',
    'VideoConsistencyMetric',
]
