"""Frames of image files that hold several: WebP, PNG and TIFF."""

import os
from collections.abc import Iterator

import numpy as np
from PIL import Image

from .frame_source import FrameSource
from .images import as_8_bit, check_image_file

# Not JPEG: what a phone puts behind the picture is no next frame.
ANIMATED = ('.webp', '.png', '.tif', '.tiff')


def open_animation(path: str | os.PathLike) -> FrameSource | None:
    """The frames of an image file that holds several, at their times; None
    if it holds one.

    Args:
        path (path): The file.

    Raises:
        OSError: If it is empty, broken off or no image; later, if a frame
            cannot be read.
        ValueError: Later, if its pixels have neither 8 nor 16 bits.
    """
    if not os.fspath(path).lower().endswith(ANIMATED):
        return None
    check_image_file(path)
    with Image.open(path) as image:
        number = getattr(image, 'n_frames', 1)
        if number < 2:
            return None
        try:
            image.load()  # WebP tells the times then
        except (OSError, SyntaxError, EOFError) as error:
            raise OSError(f"'{path}' cannot be read: {error}") from None
        seconds = _seconds(image)

    def frames() -> Iterator[tuple[np.ndarray, float | None]]:
        time = 0.0
        with Image.open(path) as image:
            for i in range(number):
                try:
                    image.seek(i)
                    frame = _colours(image, os.fspath(path))
                except (OSError, SyntaxError, EOFError) as error:
                    raise OSError(
                        f"'{path}': its frame {i} cannot be read: {error}"
                    ) from None
                yield frame, time if seconds else None
                time += _seconds(image) or 0.1

    return FrameSource(frames(), seconds and 1 / seconds, number)


def _colours(image: Image.Image, path: str) -> np.ndarray:
    """Its present frame (H, W, 3) uint8 BGR."""
    if image.mode.startswith(('I', 'F')):  # which Pillow would cut off at 255
        grey = as_8_bit(np.asarray(image), path)
        return np.repeat(grey[..., None], 3, axis=2)
    return np.asarray(image.convert('RGB'))[..., ::-1].copy()


def _seconds(image: Image.Image) -> float | None:
    """For which its present frame is shown; None where it does not say."""
    return image.info.get('duration', 0) / 1000 or None
