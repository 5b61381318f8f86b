"""What a visitor of a web page may ask of the machine."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one visitor may ask of the machine.

    Args:
        megabytes (float): Of an upload.
        megapixels (float): Of a frame.
        seconds (float): That a video may take; then it is given up.
        waiting (int): Videos in the queue; more are turned away.
        kept (float): Seconds after which results and uploads are deleted;
            the end of the page deletes them all.
    """

    megabytes: float = 200
    megapixels: float = 9
    seconds: float = 600
    waiting: int = 8
    kept: float = 3600
