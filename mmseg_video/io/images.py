"""Image files, read whole or refused."""

import os

import cv2
import numpy as np

PNG, JPEG = b'\x89PNG', b'\xff\xd8'


def read_image(path: str | os.PathLike) -> np.ndarray:
    """The image (H, W, 3) uint8 BGR, upright as its EXIF data say.

    Raises:
        OSError: If it is missing, empty, broken off or no image.
    """
    check_image_file(path)
    image = cv2.imread(os.fspath(path))
    if image is None:
        raise OSError(f"'{path}' is no readable image")
    return image


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
