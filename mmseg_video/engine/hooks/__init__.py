from .checkpoint_report_hook import CheckpointReportHook, report_checkpoint
from .finite_loss_hook import FiniteLossHook
from .sequence_state_hook import SequenceStateHook, unwrap
from .sequence_visualization_hook import SequenceVisualizationHook
from .shared_classes_hook import SharedClassesHook
from .speed_hook import SpeedHook

__all__ = [
    'CheckpointReportHook',
    'FiniteLossHook',
    'SequenceStateHook',
    'SequenceVisualizationHook',
    'SharedClassesHook',
    'SpeedHook',
    'report_checkpoint',
    'unwrap',
]
