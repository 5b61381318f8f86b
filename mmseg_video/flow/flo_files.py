"""Optical flow on disk, in Middlebury's ``.flo`` format."""

import os

import cv2
import numpy as np

from ..io.atomic import atomic_path


def read_flow(path: str | os.PathLike, size: tuple[int, int]) -> np.ndarray:
    """The flow (H, W, 2) of a ``.flo`` file.

    Raises:
        ValueError: If it is broken, of another size, or not finite.
    """
    flow = cv2.readOpticalFlow(str(path))
    if flow is None:
        raise ValueError(f"'{path}' is no readable .flo file: remove it")
    if flow.shape[:2] != tuple(size):
        raise ValueError(
            f"the flow '{path}' is {flow.shape[:2]}, the frames are {size}: "
            'it was made at another size; remove it, or name another cache_dir'
        )
    if not np.isfinite(flow).all():
        raise ValueError(
            f"the flow '{path}' has values that are not finite: remove it, "
            'so that it is made anew'
        )
    return flow


def write_flow(path: str | os.PathLike, flow: np.ndarray) -> None:
    """Write a ``.flo`` file, whole or not at all.

    Raises:
        OSError: If it cannot be written.
    """
    with atomic_path(path) as temporary:
        if not cv2.writeOpticalFlow(str(temporary), flow):
            raise OSError(f"the flow '{path}' cannot be written")
