from .checkpoint_report_hook import CheckpointReportHook, report_checkpoint
from .sequence_state_hook import SequenceStateHook, unwrap

__all__ = [
    'CheckpointReportHook',
    'SequenceStateHook',
    'report_checkpoint',
    'unwrap',
]
