"""A model run on videos: one with all that is asked of it, or many."""

from .many import Many, find_videos, run_videos
from .outputs import Drawing, Targets
from .video import Excerpt, Way, run_video

__all__ = [
    'Drawing',
    'Excerpt',
    'Many',
    'Targets',
    'Way',
    'find_videos',
    'run_video',
    'run_videos',
]
