from .background import in_background
from .frames import FrameSource, open_frames
from .video_comparison import VideoComparison, compare_video
from .video_seg_inferencer import Prediction, VideoSegInferencer

__all__ = [
    'FrameSource',
    'Prediction',
    'VideoComparison',
    'VideoSegInferencer',
    'compare_video',
    'in_background',
    'open_frames',
]
