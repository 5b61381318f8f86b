from ..engine import registration  # noqa: F401, quietly and first

# isort: split
from ..io.frame_source import FrameSource
from ..io.frames import open_frames
from ..io.prefetch import prefetch
from .live import LiveSegmentor
from .steady import open_net, steady
from .video_comparison import VideoComparison, compare_video
from .video_seg_inferencer import Prediction, VideoSegInferencer

__all__ = [
    'FrameSource',
    'LiveSegmentor',
    'Prediction',
    'VideoComparison',
    'VideoSegInferencer',
    'compare_video',
    'open_frames',
    'open_net',
    'prefetch',
    'steady',
]
