"""Images and label maps warped along optical flow, by OpenCV.

The geometry is that of :mod:`mmseg_video.flow.warp`: what a pixel (x, y)
becomes is read at (x + dx, y + dy), counted in pixels.
"""

import cv2
import numpy as np


def resize_flow(flow: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The flow (H, W, 2) for frames of another size (height, width)."""
    if flow.shape[:2] == tuple(size):
        return flow
    height, width = size
    scale = np.float32([width / flow.shape[1], height / flow.shape[0]])
    return cv2.resize(flow, (width, height)) * scale


def warp_labels(
    label: np.ndarray, flow: np.ndarray, outside: int | None = None
) -> np.ndarray:
    """The second frame's label map (H, W) as the first frame has it.

    Nearest neighbour: between two ids there is no third.

    Args:
        label (ndarray): Map (H, W) uint8 of the second frame.
        flow (ndarray): Flow (H, W, 2) from the first to the second.
        outside (int | None): The id beyond the second frame. Defaults to
            None, its edge.
    """
    border = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
    return cv2.remap(
        label,
        target(flow),
        None,
        cv2.INTER_NEAREST,
        borderMode=border,
        borderValue=outside or 0,
    )


def warp_image(image: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """The image (H, W, C) read at each pixel's (x, y) + flow, bilinearly.

    Beyond it, its edge is read.
    """
    return cv2.remap(
        image,
        target(flow),
        None,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def as_frame(img: np.ndarray) -> np.ndarray:
    """The frame (H, W, 3) as uint8, which optical flow needs."""
    if img.dtype == np.uint8:
        return img
    return np.clip(img, 0, 255).astype(np.uint8)


def target(flow: np.ndarray) -> np.ndarray:
    """Where each pixel goes, (x, y) + flow, (H, W, 2)."""
    height, width = flow.shape[:2]
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y], axis=-1).astype(np.float32) + flow


def inside(flow: np.ndarray) -> np.ndarray:
    """Mask (H, W) of the pixels that stay in the frame."""
    height, width = flow.shape[:2]
    x, y = np.moveaxis(target(flow), -1, 0)
    return (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
