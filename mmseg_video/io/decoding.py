"""Images from bytes: by a fast decoder where it is installed, else OpenCV."""

import logging
from functools import cache

import cv2
import numpy as np

from .images import PNG

logger = logging.getLogger('mmseg_video')
# Bytes of a PNG's header: its width and height, then these five.
EIGHT_BIT_RGB = b'\x08\x02\x00\x00\x00'
EIGHT_BIT_GREY = b'\x08\x00\x00\x00\x00'
# Chunks by which OpenCV turns an image, or makes it transparent.
OTHER_CHUNKS = (b'eXIf', b'tRNS')


def decode_colour(data: bytes) -> np.ndarray | None:
    """The image (H, W, 3) uint8 BGR, as ``cv2.imdecode`` gives it.

    An 8-bit RGB PNG is decoded by kornia-rs where that is installed, to the
    same pixels in less than half the time. All else is OpenCV's: JPEG too,
    whose libjpeg-turbo no other package is faster than.

    Returns:
        ndarray | None: None where it is no readable image.
    """
    if is_plain_png(data):
        decode = png_decoder()
        size = tuple(int.from_bytes(data[i : i + 4], 'big') for i in (20, 16))
        if decode is not None:
            try:
                rgb = decode(data, size, 'rgb')
            except Exception:  # what it refuses, OpenCV may still read
                rgb = None
            if rgb is not None:
                return cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR, dst=rgb)
    if not data:
        return None
    buffer = np.frombuffer(data, np.uint8)
    return cv2.imdecode(buffer, cv2.IMREAD_COLOR)


@cache
def png_decoder():
    """kornia-rs' decoder, or None; which is logged once in a process."""
    try:
        from kornia_rs.io import decode_image_png_u8
    except ImportError:
        logger.info(
            "PNGs are decoded by OpenCV: pip install 'mmseg-video[fast]' "
            'brings a decoder that takes less than half the time'
        )
        return None
    return decode_image_png_u8


def is_plain_png(data: bytes) -> bool:
    """Whether it is an 8-bit RGB PNG that is neither turned nor transparent
    nor interlaced."""
    return (
        data.startswith(PNG)
        and data[24:29] == EIGHT_BIT_RGB
        and not any(chunk in data for chunk in OTHER_CHUNKS)
    )


def is_grey_png(data: bytes) -> bool:
    """Whether it is an 8-bit grey PNG: no palette, whose indices OpenCV does
    not give."""
    return data.startswith(PNG) and data[24:29] == EIGHT_BIT_GREY
