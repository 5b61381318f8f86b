"""Street scenes: a seeded generator of labelled driving video."""

from .scene import KEY_FRAME, NUM_FRAMES, StreetScene
from .writer import write_street_scenes

__all__ = ['KEY_FRAME', 'NUM_FRAMES', 'StreetScene', 'write_street_scenes']
