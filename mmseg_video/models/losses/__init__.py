from .adversarial_loss import AdversarialLoss
from .label_smoothing_loss import LabelSmoothingLoss
from .sigmoid_focal_loss import SigmoidFocalLoss
from .temporal_consistency_loss import TemporalConsistencyLoss

__all__ = [
    'AdversarialLoss',
    'LabelSmoothingLoss',
    'SigmoidFocalLoss',
    'TemporalConsistencyLoss',
]
