from . import quiet_import  # noqa: F401, first

# isort: split
from .batch_augments import ClipClassMix, ClipCutMix, ClipMixUp
from .clip_losses import ClipLosses
from .clip_segmentor import ClipSegmentor
from .conv_rnn_neck import ConvRNNNeck
from .data_preprocessor import ClipDataPreProcessor, KeyFrameDataPreProcessor
from .double_conv_encoder import DoubleConvEncoder
from .filters import EMAFilter
from .framewise import CallableNet, Framewise, MMSegNet, RecurrentNet
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
from .steady_segmentor import SteadySegmentor
from .streams import FrameInfo, Stream, Streams
from .unet_head import UNetHead

__all__ = [
    'AdversarialLoss',
    'BoundaryF1Loss',
    'CallableNet',
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
    'Framewise',
    'GatedEMACell',
    'KeyFrameDataPreProcessor',
    'LabelMapDiscriminator',
    'LabelSmoothingLoss',
    'MMSegNet',
    'MaskFeedbackSegmentor',
    'RecurrentNet',
    'RecurrentUNet',
    'SRUCell',
    'SampleWeightedLoss',
    'SigmoidFocalLoss',
    'SteadySegmentor',
    'Stream',
    'Streams',
    'TemporalConsistencyLoss',
    'UNetHead',
]
