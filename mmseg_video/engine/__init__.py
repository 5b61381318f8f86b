from .atomic_backend import AtomicLocalBackend
from .hooks import CheckpointReportHook, SequenceStateHook

__all__ = ['AtomicLocalBackend', 'CheckpointReportHook', 'SequenceStateHook']
