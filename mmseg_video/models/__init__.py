from .batch_augments import ClipClassMix, ClipCutMix, ClipMixUp
from .clip_losses import ClipLosses
from .clip_segmentor import ClipSegmentor
from .conv_rnn_neck import ConvRNNNeck
from .data_preprocessor import ClipDataPreProcessor, KeyFrameDataPreProcessor
from .double_conv_encoder import DoubleConvEncoder
from .filters import EMAFilter
from .label_map_discriminator import LabelMapDiscriminator
from .losses import (
    AdversarialLoss,
    BoundaryF1Loss,
    LabelSmoothingLoss,
    SigmoidFocalLoss,
    TemporalConsistencyLoss,
)
from .mask_feedback_segmentor import MaskFeedbackSegmentor
from .recurrent import (
    ConvGRUCell,
    ConvLSTMCell,
    ConvRNN,
    DRUCell,
    ElmanCell,
    GatedEMACell,
    SRUCell,
)
from .recurrent_unet import RecurrentUNet
from .sample_weighted_loss import SampleWeightedLoss
from .streams import FrameInfo, Stream, Streams
from .unet_head import UNetHead

__all__ = [
    'AdversarialLoss',
    'BoundaryF1Loss',
    'ClipClassMix',
    'ClipCutMix',
    'ClipDataPreProcessor',
    'ClipLosses',
    'ClipMixUp',
    'ClipSegmentor',
    'ConvGRUCell',
    'ConvLSTMCell',
    'ConvRNN',
    'ConvRNNNeck',
    'DRUCell',
    'DoubleConvEncoder',
    'EMAFilter',
    'ElmanCell',
    'FrameInfo',
    'GatedEMACell',
    'KeyFrameDataPreProcessor',
    'LabelMapDiscriminator',
    'LabelSmoothingLoss',
    'MaskFeedbackSegmentor',
    'RecurrentUNet',
    'SRUCell',
    'SampleWeightedLoss',
    'SigmoidFocalLoss',
    'Stream',
    'Streams',
    'TemporalConsistencyLoss',
    'UNetHead',
]
