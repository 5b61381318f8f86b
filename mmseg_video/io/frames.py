"""Frames of videos, folders, globs, cameras and addresses, one at a time."""

import glob
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from mmengine.logging import print_log

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


def open_frames(
    source: str | os.PathLike | int, broken: str = 'error'
) -> FrameSource:
    """The frames of a video file, folder, glob, camera number or address.

    A video that ends before its last frame, and a camera that gives no more,
    end the frames, and that is logged.

    Args:
        source (str | Path | int): What to open; an address is like
            ``rtsp://...``.
        broken (str): What to do with an image, or a frame in a video, that
            cannot be read: 'error', or 'skip' it and log that. Defaults to
            'error'.

    Raises:
        FileNotFoundError: If nothing is there.
        OSError: If it cannot be opened, or, later, a frame cannot be read.
        ValueError: If ``broken`` is another word.
    """
    if broken not in ('error', 'skip'):
        raise ValueError(f"broken must be 'error' or 'skip', got '{broken}'")
    source = str(source)
    if source.isdigit():
        return _open_video(int(source), f'camera {source}', broken)
    if '://' in source:
        return _open_video(source, f"'{source}'", broken)
    if os.path.isdir(source):
        paths = [os.path.join(source, name) for name in os.listdir(source)]
        return _open_images(paths, f"the folder '{source}'", broken)
    if os.path.isfile(source):
        return _open_video(source, f"the video '{source}'", broken)
    if glob.has_magic(source):
        paths = glob.glob(source)
        return _open_images(paths, f"the pattern '{source}'", broken)
    raise FileNotFoundError(
        f"no video, folder or pattern of images '{source}'"
    )


def _open_images(paths: list[str], what: str, broken: str) -> FrameSource:
    paths = sorted(p for p in paths if p.lower().endswith(IMAGES))
    if not paths:
        raise FileNotFoundError(
            f'{what} has no images (expected {", ".join(IMAGES)})'
        )

    def frames():
        for path in paths:
            try:
                yield _read_image(path)
            except OSError as error:
                if broken == 'error':
                    raise
                print_log(f'{error}: skipped', 'current', logging.WARNING)

    return FrameSource(frames(), None, len(paths))


def _read_image(path: str) -> np.ndarray:
    check_image_file(path)
    frame = cv2.imread(path)
    if frame is None:
        raise OSError(f"'{path}' is no readable image")
    return frame


def _open_video(source: str | int, what: str, broken: str) -> FrameSource:
    video = cv2.VideoCapture(source)
    readable, first = video.read() if video.isOpened() else (False, None)
    if not readable:
        video.release()
        why = 'no video, a codec that OpenCV lacks, or no frame in it'
        if isinstance(source, int):
            why = 'no such camera, or another program holds it'
        raise OSError(f'{what} cannot be opened: {why}')
    live = isinstance(source, int) or '://' in source
    length = 0 if live else int(video.get(cv2.CAP_PROP_FRAME_COUNT))

    def frames():
        frame, count, lost = first, 0, 0
        try:
            while frame is not None:
                if lost:
                    sentence = (
                        f'{what}: {lost} of its frames cannot be read, after '
                        f'{count}'
                    )
                    if broken == 'error':
                        raise OSError(sentence)
                    print_log(
                        f'{sentence}: skipped', 'current', logging.WARNING
                    )
                yield frame
                count, lost = count + lost + 1, 0
                frame = video.read()[1]
                # A file may go on behind a frame that cannot be read.
                while frame is None and count + lost + 1 < length:
                    lost += 1
                    frame = video.read()[1]
        finally:
            video.release()
        if live or count < length:
            of = '' if live else f' of {length}'
            print_log(
                f'{what} gives no more frames after {count}{of}',
                'current',
                logging.WARNING,
            )

    fps = video.get(cv2.CAP_PROP_FPS)
    return FrameSource(
        frames(),
        fps if 0 < fps < 1000 else None,
        length if length > 0 else None,
    )
