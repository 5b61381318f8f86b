from .sequence_iou import SequenceIoUMetric
from .sequence_metric import SequenceMetric
from .temporal_consistency import FlickerMetric, TemporalConsistencyMetric
from .video_consistency import VideoConsistencyMetric

__all__ = [
    'FlickerMetric',
    'SequenceIoUMetric',
    'SequenceMetric',
    'TemporalConsistencyMetric',
    'VideoConsistencyMetric',
]
