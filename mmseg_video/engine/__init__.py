from .atomic_backend import AtomicLocalBackend
from .bfloat16_optim_wrapper import Bfloat16OptimWrapper
from .hooks import (
    CheckpointReportHook,
    FiniteLossHook,
    FreezeHook,
    GrowClipHook,
    LabelWeightHook,
    NormEvalHook,
    SequenceStateHook,
    SequenceVisualizationHook,
)
from .wandb_backend import OfflineWandbVisBackend

__all__ = [
    'AtomicLocalBackend',
    'Bfloat16OptimWrapper',
    'CheckpointReportHook',
    'FiniteLossHook',
    'FreezeHook',
    'GrowClipHook',
    'LabelWeightHook',
    'NormEvalHook',
    'OfflineWandbVisBackend',
    'SequenceStateHook',
    'SequenceVisualizationHook',
]
