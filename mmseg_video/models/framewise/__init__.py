"""Nets of all makers behind one protocol, :class:`Framewise`."""

from .callable_net import CallableNet
from .framewise import Framewise
from .mmseg_net import MMSegNet, RecurrentNet

__all__ = ['CallableNet', 'Framewise', 'MMSegNet', 'RecurrentNet']
