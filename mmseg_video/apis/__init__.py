from .background import in_background
from .frames import FrameSource, open_frames
from .video_seg_inferencer import Prediction, VideoSegInferencer

__all__ = [
    'FrameSource',
    'Prediction',
    'VideoSegInferencer',
    'in_background',
    'open_frames',
]
