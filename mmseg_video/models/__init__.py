from .batch_augments import ClipClassMix, ClipCutMix, ClipMixUp
from .clip_losses import ClipLosses
from .conv_rnn_neck import ConvRNNNeck
from .data_preprocessor import ClipDataPreProcessor, KeyFrameDataPreProcessor
from .label_map_discriminator import LabelMapDiscriminator
from .losses import (
    AdversarialLoss,
    LabelSmoothingLoss,
    SigmoidFocalLoss,
    TemporalConsistencyLoss,
)
from .recurrent import ConvGRUCell, ConvLSTMCell, ConvRNN
from .recurrent_unet import RecurrentUNet
from .unet_head import UNetHead

__all__ = [
    'AdversarialLoss',
    'ClipClassMix',
    'ClipCutMix',
    'ClipDataPreProcessor',
    'ClipLosses',
    'ClipMixUp',
    'ConvGRUCell',
    'ConvLSTMCell',
    'ConvRNN',
    'ConvRNNNeck',
    'KeyFrameDataPreProcessor',
    'LabelMapDiscriminator',
    'LabelSmoothingLoss',
    'RecurrentUNet',
    'SigmoidFocalLoss',
    'TemporalConsistencyLoss',
    'UNetHead',
]
