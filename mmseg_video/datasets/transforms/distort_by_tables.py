"""Photometric distortion of a clip, by tables of 256 grey levels."""

from collections.abc import Sequence

import cv2
import numpy as np
from mmseg.datasets.transforms import PhotoMetricDistortion

LEVELS = np.arange(256, dtype=np.uint8)


class DistortByTables:
    """mmseg's ``PhotoMetricDistortion``, bit for bit, with its draws.

    Brightness and contrast map grey levels to grey levels; saturation and hue
    do so in HSV, each with a conversion there and back of its own, whose
    rounding belongs to the result. Tables that follow each other become one.

    Args:
        transforms (Sequence): One ``PhotoMetricDistortion``.
    """

    def __init__(self, transforms: Sequence):
        (self.distortion,) = transforms

    @staticmethod
    def match(transforms: Sequence) -> int:
        """1 where the first transform is one that it knows, else 0."""
        return int(type(transforms[0]) is PhotoMetricDistortion)

    def knows(self, results: dict) -> bool:
        """Whether the frames have colours."""
        return all(img.shape[2:] == (3,) for img in results['img'])

    def __call__(self, results: dict) -> dict:
        steps = self._draw()
        # Frames of a clip may be the caller's: they are not written to.
        results['img'] = _apply(results['img'], steps)
        return results

    def _draw(self) -> list[tuple[bool, np.ndarray]]:
        """Steps in order: whether in HSV, and the table."""
        distort, steps = self.distortion, []

        def add(table: np.ndarray) -> None:
            if steps and not steps[-1][0]:
                steps[-1] = (False, table[steps[-1][1]])
            else:
                steps.append((False, table))

        def contrast() -> None:
            if np.random.randint(2):
                alpha = np.random.uniform(
                    distort.contrast_lower, distort.contrast_upper
                )
                add(distort.convert(LEVELS, alpha=alpha))

        if np.random.randint(2):
            delta = distort.brightness_delta
            beta = np.random.uniform(-delta, delta)
            add(distort.convert(LEVELS, beta=beta))
        contrast_first = np.random.randint(2)
        if contrast_first:
            contrast()
        if np.random.randint(2):
            alpha = np.random.uniform(
                distort.saturation_lower, distort.saturation_upper
            )
            table = distort.convert(LEVELS, alpha=alpha)
            steps.append((True, _channels(LEVELS, table)))
        if np.random.randint(2):
            delta = distort.hue_delta
            hue = LEVELS.astype(int) + np.random.randint(-delta, delta)
            table = (hue % 180).astype(np.uint8)
            steps.append((True, _channels(table, LEVELS)))
        if not contrast_first:
            contrast()
        return steps


def _channels(hue: np.ndarray, saturation: np.ndarray) -> np.ndarray:
    """A table (1, 256, 3) for hue, saturation and value, which stays."""
    return np.stack([hue, saturation, LEVELS], -1)[None]


def _apply(
    frames: list[np.ndarray], steps: list[tuple[bool, np.ndarray]]
) -> list[np.ndarray]:
    if not steps:
        return frames
    clip = np.empty((len(frames), *frames[0].shape), np.uint8)
    hsv = np.empty_like(frames[0])
    for frame, out in zip(frames, clip, strict=True):
        for in_hsv, table in steps:
            if in_hsv:
                cv2.cvtColor(frame, cv2.COLOR_BGR2HSV, dst=hsv)
                cv2.LUT(hsv, table, dst=hsv)
                cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR, dst=out)
            else:
                cv2.LUT(frame, table, dst=out)
            frame = out
    return list(clip)
