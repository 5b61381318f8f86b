from .frames import FrameSource, open_frames
from .streaming import Segmenter

__all__ = ['FrameSource', 'Segmenter', 'open_frames']
