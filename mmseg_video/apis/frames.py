"""Frames of a video, a folder, a glob or a camera, one at a time."""

import glob
import os
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from ..datasets.transforms.loading import check_image_file

IMAGES = ('.png', '.jpg', '.jpeg', '.bmp', '.webp')


@dataclass
class FrameSource:
    """Iterates over frames (H, W, 3) uint8 BGR.

    ``fps`` is the source's frame rate, or None where it has none; ``length``
    the number of frames, or None where it is not known.
    """

    frames: Iterator[np.ndarray]
    fps: float | None
    length: int | None

    def __iter__(self) -> Iterator[np.ndarray]:
        return self.frames


def open_frames(source: str) -> FrameSource:
    """The frames of a video file, a folder, a glob or a camera number.

    Raises:
        FileNotFoundError: If nothing is there.
        OSError: If it cannot be opened, or, later, a frame cannot be read.
    """
    if source.isdigit():
        return _open_video(int(source), f'camera {source}')
    if os.path.isdir(source):
        paths = [os.path.join(source, name) for name in os.listdir(source)]
        return _open_images(paths, f"the folder '{source}'")
    if os.path.isfile(source):
        return _open_video(source, f"the video '{source}'")
    if glob.has_magic(source):
        return _open_images(glob.glob(source), f"the pattern '{source}'")
    raise FileNotFoundError(
        f"no video, folder or pattern of images '{source}'"
    )


def _open_images(paths: list[str], what: str) -> FrameSource:
    paths = sorted(p for p in paths if p.lower().endswith(IMAGES))
    if not paths:
        raise FileNotFoundError(
            f'{what} has no images (expected {", ".join(IMAGES)})'
        )

    def frames():
        for path in paths:
            check_image_file(path)
            frame = cv2.imread(path)
            if frame is None:
                raise OSError(f"'{path}' is no readable image")
            yield frame

    return FrameSource(frames(), None, len(paths))


def _open_video(source: str | int, what: str) -> FrameSource:
    video = cv2.VideoCapture(source)
    readable, first = video.read() if video.isOpened() else (False, None)
    if not readable:
        video.release()
        why = 'no video, a codec that OpenCV lacks, or no frame in it'
        if isinstance(source, int):
            why = 'no such camera, or another program holds it'
        raise OSError(f'{what} cannot be opened: {why}')
    length = int(video.get(cv2.CAP_PROP_FRAME_COUNT))

    def frames():
        frame, readable = first, True
        try:
            while readable:
                yield frame
                readable, frame = video.read()
        finally:
            video.release()

    fps = video.get(cv2.CAP_PROP_FPS)
    return FrameSource(
        frames(),
        fps if 0 < fps < 1000 else None,
        length if length > 0 else None,
    )
