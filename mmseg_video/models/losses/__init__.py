from .adversarial_loss import AdversarialLoss
from .boundary_f1_loss import BoundaryF1Loss
from .label_smoothing_loss import LabelSmoothingLoss
from .sigmoid_focal_loss import SigmoidFocalLoss
from .temporal_consistency_loss import TemporalConsistencyLoss

__all__ = [
    'AdversarialLoss',
    'BoundaryF1Loss',
    'LabelSmoothingLoss',
    'SigmoidFocalLoss',
    'TemporalConsistencyLoss',
]
