from .atomic_backend import AtomicLocalBackend
from .hooks import (
    CheckpointReportHook,
    FiniteLossHook,
    SequenceStateHook,
    SequenceVisualizationHook,
)

__all__ = [
    'AtomicLocalBackend',
    'CheckpointReportHook',
    'FiniteLossHook',
    'SequenceStateHook',
    'SequenceVisualizationHook',
]
