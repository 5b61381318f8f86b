"""Where optical flow can be relied on, by what the frames look like."""

import cv2
import numpy as np

from .images import inside, resize_flow, target, warp_image

# Grey levels of a photometric difference of 1: the usual standard deviation
# that nets divide by.
UNIT = 57.0


def photometric_agreement(
    first: np.ndarray, second: np.ndarray, flow: np.ndarray, unit: float = UNIT
) -> np.ndarray:
    """How well two frames agree along the flow, (H, W) float32 in [0, 1].

    V = exp(-|sum over colours of (I_1 - warp I_2)|), 0 where the flow leaves
    the second frame (Liu et al., "Efficient Semantic Video Segmentation with
    Per-frame Inference", ECCV 2020).

    Args:
        first, second (ndarray): Frames (H, W, 3) uint8.
        flow (ndarray): Flow (H, W, 2) from the first to the second.
        unit (float): Grey levels that count as a difference of 1. Defaults
            to 57.
    """
    warped = warp_image(second, flow).astype(np.float32)
    difference = np.abs((first - warped).sum(axis=-1)) / unit
    return (np.exp(-difference) * inside(flow)).astype(np.float32)


def photometric_weight(
    first: np.ndarray, second: np.ndarray, flow: np.ndarray, scale: float
) -> np.ndarray:
    """``exp(-|I_1 - warp I_2| / scale)``, (H, W) float32 in (0, 1].

    The occlusion mask of :func:`photometric_agreement` with a scale, the mean
    over the colours for their sum, and frames smoothed by 5x5 pixels, so that
    sensor noise is no change.

    Args:
        first, second (ndarray): Frames (H, W, 3) uint8.
        flow (ndarray): Flow (H, W, 2) from the first to the second.
        scale (float): In grey levels.
    """
    return np.exp(-photometric_difference(first, second, flow) / scale)


def noise_weight(
    first: np.ndarray,
    second: np.ndarray,
    flow: np.ndarray,
    scale: float,
    blur: int = 5,
) -> np.ndarray:
    """exp(-|dI| / (scale (median |dI| + 0.5))), (H, W) float32 in (0, 1],
    with dI = I_1 - warp I_2.

    The median is the frame's own noise, so that one scale serves sharp and
    noisy video: what differs by more than the rest of the frame does was
    covered, or is where the flow is wrong.

    Args:
        first, second (ndarray): Frames (H, W, 3) uint8.
        flow (ndarray): Flow (H, W, 2) from the first to the second.
        scale (float): How many times the noise is a difference of 1.
        blur (int): Of :func:`photometric_difference`. Defaults to 5.
    """
    difference = photometric_difference(first, second, flow, blur)
    noise = float(np.median(difference[::2, ::2])) + 0.5
    return np.exp(difference / (-scale * noise))


def photometric_difference(
    first: np.ndarray, second: np.ndarray, flow: np.ndarray, blur: int = 5
) -> np.ndarray:
    """|I_1 - warp I_2|, the mean over the colours, (H, W) float32.

    Args:
        first, second (ndarray): Frames (H, W, 3) uint8.
        flow (ndarray): Flow (H, W, 2) from the first to the second.
        blur (int): Side of the window that both are smoothed by; 1 is not at
            all. Defaults to 5.
    """
    now, then = (cv2.blur(frame, (blur, blur)) for frame in (first, second))
    difference = cv2.absdiff(now, warp_image(then, flow))
    return cv2.transform(difference.astype(np.float32), np.full((1, 3), 1 / 3))


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
    returned = cv2.remap(back, target(flow), None, cv2.INTER_LINEAR)
    error = np.linalg.norm(flow + returned, axis=-1)
    way = np.linalg.norm(flow, axis=-1) + np.linalg.norm(returned, axis=-1)
    return inside(flow) & (error <= tolerance + 0.01 * way)


def is_reliable(
    first: np.ndarray,
    second: np.ndarray,
    flow: np.ndarray,
    max_error_ratio: float,
) -> bool:
    """Whether warping lowers the photometric error of the whole frame.

    A dropped, dark or noisy frame has a flow too, and it means nothing. With
    e the mean difference of the two frames, both at a quarter of their size,
    grey, of mean 0 and deviation 1 and smoothed, and e_warped that from the
    second one warped, the flow is reliable if e_warped < max_error_ratio * e.

    Args:
        first, second (ndarray): Frames (H, W, 3) uint8.
        flow (ndarray): Flow (H, W, 2) from the first to the second.
        max_error_ratio (float): See above.
    """
    now, warped, then, valid = _smooth(first, second, flow)
    error, error_still = (
        float((np.abs(now - grey) * valid).sum()) for grey in (warped, then)
    )
    return error < max_error_ratio * error_still


def explains_nothing(
    first: np.ndarray,
    second: np.ndarray,
    flow: np.ndarray,
    max_error: float = 0.4,
) -> bool:
    """Whether the second frame, warped, has nothing of the first: between
    them is a cut, or one of the two is blank.

    With the frames as in :func:`is_reliable`: whether their difference
    exceeds ``max_error`` of what they themselves deviate from grey. Unrelated
    frames have 0.5 to 1.4, neighbours 0.02 to 0.15.

    Args:
        first, second (ndarray): Frames (H, W, 3) uint8.
        flow (ndarray): Flow (H, W, 2) from the first to the second.
        max_error (float): See above. Defaults to 0.4.
    """
    now, warped, _, valid = _smooth(first, second, flow)
    error = float((np.abs(now - warped) * valid).sum())
    deviation = (np.abs(now) + np.abs(warped)) / 2 + 0.05  # noise is none
    return error > max_error * float((deviation * valid).sum())


def is_blank(frame: np.ndarray, min_contrast: float = 4.0) -> bool:
    """Whether the grey levels of a frame (H, W, 3) deviate by less than
    ``min_contrast`` from their mean: it was dropped, or shows nothing."""
    return float(frame[::4, ::4].std()) < min_contrast


def _smooth(
    first: np.ndarray, second: np.ndarray, flow: np.ndarray
) -> tuple[np.ndarray, ...]:
    """The first frame, the second one warped, the second one, as
    :func:`is_reliable` compares them, and which pixels stay in the frame."""
    height, width = (max(1, length // 4) for length in first.shape[:2])
    now, then = (
        _standardised(frame, width, height) for frame in (first, second)
    )
    flow = resize_flow(flow, (height, width))
    valid = inside(flow).astype(np.float32)
    # Between pixels the warp is a mean of several, and less noisy than what
    # it is compared with: after this all three are smooth.
    now, warped, then = (
        cv2.blur(grey, (5, 5)) for grey in (now, warp_image(then, flow), then)
    )
    return now, warped, then, valid


def _standardised(frame: np.ndarray, width: int, height: int) -> np.ndarray:
    """The frame in grey (height, width), of mean 0 and deviation 1 (0 where
    nothing differs: a grey level is added to the deviation)."""
    # Reduced before the mean over the colours, which commutes.
    small = cv2.resize(
        frame.astype(np.float32),
        (width, height),
        interpolation=cv2.INTER_AREA,
    )
    grey = small.mean(axis=-1)
    return (grey - grey.mean()) / (grey.std() + 1)
