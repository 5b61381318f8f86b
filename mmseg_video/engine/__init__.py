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
    FiniteLogitsHook,
    FiniteLossHook,
    FreezeHook,
    GrowClipHook,
    LabelWeightHook,
    MeanTeacherHook,
    NormEvalHook,
    PreemptionHook,
    SafeCheckpointHook,
    SequenceStateHook,
    SequenceVisualizationHook,
    SharedClassesHook,
    SpeedHook,
)
from .loggers import WandbVisBackend
from .pretrained import load_from_mmpretrain
from .test_loop import AutocastTestLoop
from .train_loop import ExactEpochLoop, ExactTrainLoop

__all__ = [
    'AdversarialOptimWrapperConstructor',
    'AtomicLocalBackend',
    'AutocastTestLoop',
    'Bfloat16OptimWrapper',
    'CheckpointReportHook',
    'ExactEpochLoop',
    'ExactTrainLoop',
    'FiniteLogitsHook',
    'FiniteLossHook',
    'FreezeHook',
    'GrowClipHook',
    'JointOptimWrapperDict',
    'LabelWeightHook',
    'MeanTeacherHook',
    'NormEvalHook',
    'PreemptionHook',
    'SafeCheckpointHook',
    'SequenceStateHook',
    'SequenceVisualizationHook',
    'SharedClassesHook',
    'SpeedHook',
    'WandbVisBackend',
    'load_from_mmpretrain',
]
