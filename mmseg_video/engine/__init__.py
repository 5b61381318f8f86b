from .adversarial_optim_wrapper import (
    AdversarialOptimWrapperConstructor,
    JointOptimWrapperDict,
)
from .atomic_backend import AtomicLocalBackend
from .bfloat16_optim_wrapper import Bfloat16OptimWrapper
from .hooks import (
    CheckpointReportHook,
    FiniteLossHook,
    SequenceStateHook,
    SequenceVisualizationHook,
)
from .wandb_backend import OfflineWandbVisBackend

__all__ = [
    'AdversarialOptimWrapperConstructor',
    'AtomicLocalBackend',
    'Bfloat16OptimWrapper',
    'CheckpointReportHook',
    'FiniteLossHook',
    'JointOptimWrapperDict',
    'OfflineWandbVisBackend',
    'SequenceStateHook',
    'SequenceVisualizationHook',
]
