"""Label maps and frames seen along optical flow."""

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
    """The second frame's map (H, W) as the first frame sees it.

    Nearest neighbour: between two ids there is no third.

    Args:
        label (ndarray): Map (H, W) uint8 of the second frame.
        flow (ndarray): Flow (H, W, 2) from the first to the second.
        outside (int | None): What is seen beyond the second frame. Defaults
            to None, its edge.
    """
    border = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
    return cv2.remap(
        label,
        _grid(flow.shape[:2]) + flow,
        None,
        cv2.INTER_NEAREST,
        borderMode=border,
        borderValue=outside or 0,
    )


def warp_image(frame: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """The frame (H, W, 3) read at each pixel's (x, y) + flow, bilinearly.

    Beyond the frame, its edge is seen.
    """
    return cv2.remap(
        frame,
        _grid(flow.shape[:2]) + flow,
        None,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def photometric_agreement(
    first: np.ndarray, second: np.ndarray, flow: np.ndarray, unit: float = 57.0
) -> np.ndarray:
    """How well two frames agree along the flow, (H, W) float32 in [0, 1].

    V = exp(-|sum over colours of (I_1 - warp I_2)|), 0 where the flow leaves
    the second frame (Liu et al., "Efficient Semantic Video Segmentation with
    Per-frame Inference", ECCV 2020).

    Args:
        first, second (ndarray): Frames (H, W, 3) uint8.
        flow (ndarray): Flow (H, W, 2) from the first to the second.
        unit (float): Grey levels that count as a difference of 1. Defaults
            to 57, the usual standard deviation that nets divide by.
    """
    warped = warp_image(second, flow).astype(np.float32)
    difference = np.abs((first - warped).sum(axis=-1)) / unit
    height, width = flow.shape[:2]
    target = _grid((height, width)) + flow
    x, y = target[..., 0], target[..., 1]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return (np.exp(-difference) * inside).astype(np.float32)


def as_frame(img: np.ndarray) -> np.ndarray:
    """The frame (H, W, 3) as uint8, which optical flow needs."""
    if img.dtype == np.uint8:
        return img
    return np.clip(img, 0, 255).astype(np.uint8)


def is_consistent(
    flow: np.ndarray, back: np.ndarray, tolerance: float = 1.0
) -> np.ndarray:
    """Mask (H, W) of the pixels of the first frame that the second shows too.

    A pixel that goes there by the flow and comes back by the other must be
    where it was, within ``tolerance`` pixels plus 1 % of its way (Sundaram et
    al., "Dense point trajectories by GPU-accelerated large displacement
    optical flow", ECCV 2010), and must not leave the frame.

    Args:
        flow (ndarray): Flow (H, W, 2) from the first frame to the second.
        back (ndarray): Flow (H, W, 2) from the second to the first.
        tolerance (float): In pixels. Defaults to 1.
    """
    height, width = flow.shape[:2]
    target = _grid((height, width)) + flow
    x, y = target[..., 0], target[..., 1]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    returned = cv2.remap(back, target, None, cv2.INTER_LINEAR)
    error = np.linalg.norm(flow + returned, axis=-1)
    way = np.linalg.norm(flow, axis=-1) + np.linalg.norm(returned, axis=-1)
    return inside & (error <= tolerance + 0.01 * way)


def _grid(size: tuple[int, int]) -> np.ndarray:
    """Each pixel's own (x, y), (H, W, 2)."""
    height, width = size
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y], axis=-1).astype(np.float32)
