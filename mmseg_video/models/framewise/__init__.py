"""Nets of all makers behind one protocol, :class:`Framewise`."""

from .callable_net import CallableNet
from .framewise import Framewise
from .mmseg_net import MMSegNet, RecurrentNet
from .onnx_net import OnnxNet, OnnxStreamNet, open_onnx
from .torchvision_net import open_torchvision
from .transformers_net import TransformersNet, open_transformers
from .videomt_net import VideomtNet

__all__ = [
    'CallableNet',
    'Framewise',
    'MMSegNet',
    'OnnxNet',
    'OnnxStreamNet',
    'RecurrentNet',
    'TransformersNet',
    'VideomtNet',
    'open_onnx',
    'open_torchvision',
    'open_transformers',
]
