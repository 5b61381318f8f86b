from .checkpoint_hook import SafeCheckpointHook
from .checkpoint_report_hook import (
    CheckpointReportHook,
    check_weights,
    report_checkpoint,
)
from .finite_logits_hook import FiniteLogitsHook
from .finite_loss_hook import FiniteLossHook
from .freeze_hook import FreezeHook
from .grow_clip_hook import GrowClipHook
from .label_weight_hook import LabelWeightHook
from .mean_teacher_hook import MeanTeacherHook
from .norm_eval_hook import NormEvalHook
from .preemption_hook import PreemptionHook, Stopped
from .sequence_state_hook import SequenceStateHook, unwrap
from .sequence_visualization_hook import SequenceVisualizationHook
from .shared_classes_hook import SharedClassesHook
from .speed_hook import SpeedHook

__all__ = [
    'CheckpointReportHook',
    'FiniteLogitsHook',
    'FiniteLossHook',
    'FreezeHook',
    'GrowClipHook',
    'LabelWeightHook',
    'MeanTeacherHook',
    'NormEvalHook',
    'PreemptionHook',
    'SafeCheckpointHook',
    'SequenceStateHook',
    'SequenceVisualizationHook',
    'SharedClassesHook',
    'SpeedHook',
    'Stopped',
    'check_weights',
    'report_checkpoint',
    'unwrap',
]
