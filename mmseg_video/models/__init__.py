from .conv_rnn_neck import ConvRNNNeck
from .data_preprocessor import ClipDataPreProcessor, KeyFrameDataPreProcessor
from .recurrent import ConvGRUCell, ConvLSTMCell, ConvRNN
from .recurrent_unet import RecurrentUNet
from .sample_weighted_loss import SampleWeightedLoss
from .unet_head import UNetHead

__all__ = [
    'ClipDataPreProcessor',
    'ConvGRUCell',
    'ConvLSTMCell',
    'ConvRNN',
    'ConvRNNNeck',
    'KeyFrameDataPreProcessor',
    'RecurrentUNet',
    'SampleWeightedLoss',
    'UNetHead',
]
