from . import registration  # noqa: F401, quietly and first

# isort: split
from .adversarial_optim_wrapper import (
    AdversarialOptimWrapperConstructor,
    JointOptimWrapperDict,
)
from .atomic_backend import AtomicLocalBackend
from .bfloat16_optim_wrapper import Bfloat16OptimWrapper
from .hooks import (
    CheckpointReportHook,
    FiniteLossHook,
    FreezeHook,
    GrowClipHook,
    LabelWeightHook,
    MeanTeacherHook,
    NormEvalHook,
    SequenceStateHook,
    SequenceVisualizationHook,
    SharedClassesHook,
    SpeedHook,
)
from .pretrained import load_from_mmpretrain
from .wandb_backend import OfflineWandbVisBackend

__all__ = [
    'AdversarialOptimWrapperConstructor',
    'AtomicLocalBackend',
    'Bfloat16OptimWrapper',
    'CheckpointReportHook',
    'FiniteLossHook',
    'FreezeHook',
    'GrowClipHook',
    'JointOptimWrapperDict',
    'LabelWeightHook',
    'MeanTeacherHook',
    'NormEvalHook',
    'OfflineWandbVisBackend',
    'SequenceStateHook',
    'SequenceVisualizationHook',
    'SharedClassesHook',
    'SpeedHook',
    'load_from_mmpretrain',
]
