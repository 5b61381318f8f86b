"""Image files, read whole or refused."""

import logging
import os
from functools import cache

import cv2
import numpy as np
from PIL import Image, ImageOps

logger = logging.getLogger('mmseg_video')
PNG, JPEG = b'\x89PNG', b'\xff\xd8'
TIFFS = ('.tif', '.tiff')


def read_image(path: str | os.PathLike) -> np.ndarray:
    """The image (H, W, 3) uint8 BGR, upright as its EXIF data say.

    Grey becomes three equal channels, a palette its colours, and an alpha
    channel is left out. 16 bits become 8, see :func:`as_8_bit`; that is
    logged once of each folder.

    Raises:
        OSError: If it is missing, empty, broken off or no image.
        ValueError: If its pixels have neither 8 nor 16 bits.
    """
    check_image_file(path)
    path = os.fspath(path)
    image = cv2.imread(path, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if image is None:  # or its levels are none that colours can have
        image = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    if image is None:
        raise OSError(f"'{path}' is no readable image")
    if image.dtype != np.uint8:
        return as_8_bit(image, path)
    return _without_alpha(image, path)


def _without_alpha(image: np.ndarray, path: str) -> np.ndarray:
    """The image, or its colours where OpenCV multiplied them by the alpha
    channel: it does so in TIFF, and nowhere else."""
    if not path.lower().endswith(TIFFS):
        return image
    try:
        with Image.open(path) as file:
            if file.mode != 'RGBA':
                return image
            rgb = np.asarray(ImageOps.exif_transpose(file).convert('RGB'))
    except OSError:  # a kind that Pillow does not know
        return image
    return rgb[..., ::-1].copy()


def as_8_bit(image: np.ndarray, path: str) -> np.ndarray:
    """An image of 16 bits as uint8: its levels, divided by 257 and rounded,
    so that 65535 is 255.

    Raises:
        ValueError: If it has other levels, such as floating-point numbers.
    """
    if (image.dtype.kind, image.dtype.itemsize) != ('u', 2):
        raise ValueError(
            f"the image '{path}' has pixels of {image.dtype}, and what is "
            'white in it is not known: 8 or 16 bits are expected. Convert it, '
            'for example by ffmpeg -i IN -pix_fmt rgb24 OUT.png'
        )
    _warn_of_16_bits(os.path.dirname(path))
    return ((image + np.uint32(128)) // 257).astype(np.uint8)


@cache
def _warn_of_16_bits(folder: str) -> None:
    logger.warning(
        "images of 16 bits in '%s': their levels are divided by 257, so that "
        '65535 is white; if your camera fills fewer bits, convert them first',
        folder or '.',
    )


def check_frame_file(path: str | os.PathLike, grey: bool = False) -> None:
    """Refuse a frame to learn from that a decoder would have to change into
    8-bit colours: one of 16 bits, of grey, with an alpha channel or in CMYK.

    Args:
        path (path): The file.
        grey (bool): Whether grey is taken, as colours without saturation.
            Defaults to False.

    Raises:
        OSError: If it is missing, empty, broken off or no image.
        ValueError: With the path, what it is, and what to do.
    """
    check_image_file(path)
    with open(path, 'rb') as file:
        start = file.read(26)
        if start.startswith(PNG) and len(start) == 26:
            bits, channels = _png_format(start)
        elif start.startswith(JPEG):
            bits, channels = _jpeg_format(start + file.read())
        else:
            bits, channels = _decoded_format(path)
    if (channels == 3 and bits == 8) or (grey and channels == 1 and bits == 8):
        return
    names = {1: 'grey', 2: 'grey with alpha', 3: 'colour', 4: 'RGBA or CMYK'}
    name = names.get(channels, f'of {channels} channels')
    raise ValueError(
        f"the frame '{path}' is {bits}-bit {name}: 8-bit colour "
        '(RGB) is expected. Convert it, for example by ffmpeg -i IN -pix_fmt '
        'rgb24 OUT.png'
    )


def _png_format(start: bytes) -> tuple[int, int]:
    """Bits and channels, from a PNG's first 26 bytes."""
    bits, kind = start[24], start[25]
    if kind == 3:  # a palette, of colours
        return 8, 3
    return bits, {0: 1, 2: 3, 4: 2}.get(kind, 4)


def _jpeg_format(data: bytes) -> tuple[int, int]:
    """Bits and channels, from the header of a JPEG's frame."""
    at = 2
    while at + 10 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        # SOF0 to SOF15, among which are three that begin no frame.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return data[at + 4], data[at + 9]
        at += 2 + int.from_bytes(data[at + 2 : at + 4], 'big')
    return 8, 3  # the decoder tells what is wrong


def _decoded_format(path: str | os.PathLike) -> tuple[int, int]:
    """Bits and channels of an image of any other format."""
    image = cv2.imread(os.fspath(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise OSError(f"'{path}' is no readable image")
    channels = 1 if image.ndim == 2 else image.shape[2]
    return 8 * image.itemsize, channels


def check_image_file(path: str | os.PathLike) -> None:
    """Refuse an image file that is missing, empty or breaks off.

    Decoders may fill what is missing with grey and say nothing. Only the
    file's first and last bytes are read, where they suffice.

    Raises:
        OSError: With the path, and what to do.
    """
    if not os.path.exists(path):
        raise FileNotFoundError(f"no such image: '{path}'")
    size = os.path.getsize(path)
    with open(path, 'rb') as file:
        start = file.read(4)
        file.seek(max(0, size - 64))
        whole = size > 0 and _is_whole(start, file.read())
        if not whole and start.startswith(JPEG):
            # Cameras write previews and text behind a JPEG. Its pixels begin
            # at the last start-of-scan and have no end mark among them.
            file.seek(0)
            data = file.read()
            whole = _is_whole(start, data[data.rfind(b'\xff\xda') :])
    if not whole:
        raise OSError(
            f"the image '{path}' is empty or breaks off ({size} bytes): copy "
            'it again'
        )


def _is_whole(start: bytes, end: bytes) -> bool:
    if start.startswith(PNG):
        return b'IEND\xaeB`\x82' in end
    if start.startswith(JPEG):
        return b'\xff\xd9' in end
    return True
