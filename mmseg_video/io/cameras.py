"""Frames of cameras and network addresses, by OpenCV."""

import logging

import cv2

from .frame_source import FrameSource

logger = logging.getLogger('mmseg_video')


def open_camera(source: int | str) -> FrameSource:
    """The frames of a camera's number, or of an address (``rtsp://...``).

    That they end is logged.

    Raises:
        OSError: If it cannot be opened.
    """
    numbered = isinstance(source, int)
    what = f'camera {source}' if numbered else f"'{source}'"
    video = cv2.VideoCapture(source)
    first = video.read()[1] if video.isOpened() else None
    if first is None:
        video.release()
        why = 'no video, or nobody answers'
        if numbered:
            why = 'no such camera, or another program holds it'
        raise OSError(f'{what} cannot be opened: {why}')

    def frames():
        frame, count = first, 0
        try:
            while frame is not None:
                yield frame, None
                count += 1
                frame = video.read()[1]
        finally:
            video.release()
        logger.warning('%s gives no more frames after %d', what, count)

    fps = video.get(cv2.CAP_PROP_FPS)
    return FrameSource(frames(), fps if 0 < fps < 1000 else None)
