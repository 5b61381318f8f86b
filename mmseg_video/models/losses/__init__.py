from .adversarial_loss import AdversarialLoss
from .label_smoothing_loss import LabelSmoothingLoss
from .temporal_consistency_loss import TemporalConsistencyLoss

__all__ = [
    'AdversarialLoss',
    'LabelSmoothingLoss',
    'TemporalConsistencyLoss',
]
