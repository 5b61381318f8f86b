"""Small videos with known motion, and what a model predicts of them."""

import cv2
import numpy as np
import torch


def texture(height, width, seed=0):
    """Smooth random texture, (H, W, 3) uint8, that flow can follow."""
    rng = np.random.default_rng(seed)
    img = rng.integers(0, 256, (height, width, 3), np.uint8)
    return cv2.normalize(
        cv2.GaussianBlur(img, (0, 0), 2.5), None, 0, 255, cv2.NORM_MINMAX
    )


def blocks(height, width, classes=4, seed=0, size=16):
    """A label map (H, W) uint8 of square blocks."""
    rng = np.random.default_rng(seed)
    shape = (-(-height // size), -(-width // size))
    small = rng.integers(0, classes, shape, np.uint8)
    return np.kron(small, np.ones((size, size), np.uint8))[:height, :width]


def panned(picture, num_frames, step, width):
    """Frames (.., width) of a camera that moves right by ``step`` pixels."""
    return [picture[:, t * step : t * step + width] for t in range(num_frames)]


def feed(
    metric,
    frames,
    predictions,
    labels=None,
    sequence='a',
    first=0,
    ref=None,
    **meta,
):
    """Give a metric the frames of one sequence, in clips behind ``ref``."""
    for t, (frame, predicted) in enumerate(
        zip(frames, predictions, strict=True)
    ):
        clip = np.stack([frame] if ref is None else [ref, frame])
        clip = torch.from_numpy(clip).permute(0, 3, 1, 2)
        sample = dict(
            sequence=sequence,
            frame_id=first + t,
            **meta,
            pred_sem_seg=dict(data=torch.from_numpy(predicted.copy())[None]),
        )
        if labels is not None:
            label = torch.from_numpy(labels[t].copy())[None]
            sample['gt_sem_seg'] = dict(data=label)
        metric.process(dict(inputs=[clip]), [sample])


def result(metric):
    return metric.evaluate(sum(r['frames'] for r in metric.results))
