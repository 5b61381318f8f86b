"""Frames of cameras and network addresses, by OpenCV."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from .frame_source import FrameSource

logger = logging.getLogger('mmseg_video')


def open_camera(source: int | str) -> FrameSource:
    """The frames of a camera's number, or of an address (``rtsp://...``).

    A frame's time is when it came; of an address that tells the times of its
    frames, as a file on a server does, its own. That they end is logged.

    Raises:
        OSError: If it cannot be opened.
    """
    numbered = isinstance(source, int)
    what = f'camera {source}' if numbered else f"'{source}'"
    with _silent_opencv():
        video = cv2.VideoCapture(source)
    first = _next(video) if video.isOpened() else None
    if first is None:
        video.release()
        why = 'no video, or nobody answers'
        if numbered:
            why = 'no such camera, or another program holds it'
        raise OSError(f'{what} cannot be opened: {why}')

    clock = _Clock(None if numbered else video)

    def frames():
        frame, count, time = first, 0, clock.now()
        try:
            while frame is not None:
                yield frame, time
                count += 1
                frame, time = _next(video), clock.now()
        finally:
            video.release()
        logger.warning('%s gives no more frames after %d', what, count)

    fps = video.get(cv2.CAP_PROP_FPS)
    return FrameSource(frames(), fps if 0 < fps < 1000 else None)


@contextmanager
def _silent_opencv() -> Iterator[None]:
    """Its backends each say in lines of their own that there is no camera."""
    log = cv2.utils.logging
    before = log.getLogLevel()
    log.setLogLevel(log.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        log.setLogLevel(before)


def _next(video: cv2.VideoCapture) -> np.ndarray | None:
    """The next frame (H, W, 3) uint8 BGR; None where there is none."""
    there, frame = video.read()
    return frame if there else None


class _Clock:
    """When frames are shown, in seconds since the first.

    Args:
        video (VideoCapture | None): Whose own times count as long as they
            grow; None: there are none.
    """

    def __init__(self, video: cv2.VideoCapture | None):
        self.video, self.own = video, video is not None
        self.start = self.first = None
        self.last = 0.0

    def now(self) -> float:
        """Of the frame that was just read."""
        came = time.monotonic()
        told = self.video.get(cv2.CAP_PROP_POS_MSEC) / 1000 if self.own else 0
        if self.start is None:
            self.start, self.first = came, told
            return 0.0
        self.own = self.own and told - self.first > self.last
        # Where they end to grow, time goes on from there.
        since = told - self.first if self.own else came - self.start
        self.last = max(self.last, since)
        return self.last
