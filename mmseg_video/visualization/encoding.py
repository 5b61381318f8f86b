"""Pictures as bytes of a file, for a notebook or a web page."""

import io
import tempfile
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from ..io.writers import open_writer


def encoded(picture: np.ndarray | Figure, kind: str = 'png') -> bytes:
    """A picture as an image file's bytes.

    Args:
        picture (ndarray | Figure): (H, W, 3) uint8 BGR, or a figure of
            matplotlib.
        kind (str): 'png', or 'jpeg', a fifth of the size where there are
            photographs. Defaults to 'png'.

    Raises:
        ValueError: If the kind is another one.
    """
    if kind not in ('png', 'jpeg'):
        raise ValueError(f"kind must be 'png' or 'jpeg', got '{kind}'")
    if isinstance(picture, Figure):
        buffer = io.BytesIO()
        options = dict(quality=90) if kind == 'jpeg' else {}
        picture.savefig(buffer, format=kind, pil_kwargs=options)
        return buffer.getvalue()
    return cv2.imencode(f'.{kind}', picture)[1].tobytes()


def animated(pictures: Iterable[np.ndarray], fps: float = 8) -> bytes:
    """Pictures (H, W, 3) uint8 BGR of one size as a GIF that loops.

    Args:
        pictures (Iterable[ndarray]): In the order in which they are shown.
        fps (float): Pictures per second. Defaults to 8.

    Raises:
        ValueError: If there is none, or their sizes differ.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'animation.gif')
        with open_writer(path, fps) as writer:
            for picture in pictures:
                writer.write(picture)
        return path.read_bytes()
