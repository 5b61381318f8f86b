"""A model run on videos: one with all that is asked of it, or many."""

from .many import Many, find_videos, run_videos
from .outputs import Drawing, Targets
from .results import Way, frame_results
from .video import Excerpt, run_video

__all__ = [
    'Drawing',
    'Excerpt',
    'Many',
    'Targets',
    'Way',
    'find_videos',
    'frame_results',
    'run_video',
    'run_videos',
]
