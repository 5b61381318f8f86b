"""Resize, crop and flip of a clip, by one warp of the window that is kept."""

from collections.abc import Sequence

import cv2
import mmcv
import numpy as np
from mmcv.transforms import RandomResize
from mmseg.datasets.transforms import RandomCrop, RandomFlip, Resize

# What mmseg's transforms move too.
OTHERS = frozenset({'gt_bboxes', 'gt_keypoints', 'gt_depth_map'})


class CropFirst:
    """Draws as the transforms do, in their order, and moves pixels once.

    Args:
        transforms (Sequence): What :meth:`match` counts: ``RandomCrop``, a
            resize before it or none, a ``RandomFlip`` behind it or none.
    """

    def __init__(self, transforms: Sequence):
        self.resize = self.flip = None
        for transform in transforms:
            if isinstance(transform, RandomCrop):
                self.crop = transform
            elif isinstance(transform, RandomFlip):
                self.flip = transform
            else:
                self.resize = transform

    @staticmethod
    def match(transforms: Sequence) -> int:
        """How many of the first transforms it does together, 0 for none."""
        kinds = [type(t) for t in transforms[:3]]
        count = 0
        if kinds[0] in (Resize, RandomResize):
            resize = getattr(transforms[0], 'resize', transforms[0])
            count = 1
            if type(resize) is not Resize or (
                resize.backend,
                resize.interpolation,
            ) != ('cv2', 'bilinear'):
                return 0
        if kinds[count : count + 1] != [RandomCrop]:
            return 0
        count += 1
        flip = transforms[count] if len(transforms) > count else None
        if type(flip) is RandomFlip and flip.swap_seg_labels is None:
            count += 1
        return count

    def knows(self, results: dict) -> bool:
        """Whether what it moves is all that the transforms move, and labels
        are those that it can count."""
        label = results.get('gt_seg_map')
        if label is None and self.crop.cat_max_ratio < 1:
            return False
        return OTHERS.isdisjoint(results) and (
            label is None or label.dtype == np.uint8
        )

    def __call__(self, results: dict) -> dict:
        frames = results['img']
        source = frames[-1].shape[:2]
        self._refuse_small(source, results)
        height, width = self._resized(source, results)
        label = results.get('gt_seg_map')
        top, left = self._draw_window((height, width), source, label)
        bottom = min(top + self.crop.crop_size[0], height)
        right = min(left + self.crop.crop_size[1], width)
        rows, columns = np.arange(top, bottom), np.arange(left, right)
        if self.flip is not None:
            rows, columns = self._draw_flip(rows, columns, results)
        for key in results.get('seg_fields', ()):
            results[key] = _sample(
                results[key], rows, columns, (height, width)
            )
        results['img_shape'] = (len(rows), len(columns))
        results['img'] = _warp_clip(frames, rows, columns, (height, width))
        return results

    def _resized(self, source: tuple[int, int], results: dict) -> tuple:
        """Height and width that the frame is resized to."""
        if self.resize is None:
            return source
        height, width = source
        resize = self.resize
        if isinstance(resize, RandomResize):
            scale, resize = resize._random_scale(), resize.resize
        elif resize.scale:
            scale = resize.scale
        else:
            factors = resize.scale_factor
            scale = tuple(
                int(size * float(factor) + 0.5)
                for size, factor in zip((width, height), factors, strict=True)
            )
        results['scale'] = scale
        new = scale
        if resize.keep_ratio:
            new = mmcv.rescale_size((width, height), scale)
        results['scale_factor'] = (new[0] / width, new[1] / height)
        results['keep_ratio'] = resize.keep_ratio
        return new[1], new[0]

    def _draw_window(
        self,
        size: tuple[int, int],
        source: tuple[int, int],
        label: np.ndarray | None,
    ) -> tuple[int, int]:
        """Top and left of the crop, drawn as ``RandomCrop`` draws them."""
        crop = self.crop
        margins = [
            max(a - b, 0) for a, b in zip(size, crop.crop_size, strict=True)
        ]
        window = [np.random.randint(0, margin + 1) for margin in margins]
        if crop.cat_max_ratio >= 1:
            return tuple(window)
        for _ in range(10):
            rows, columns = (
                np.arange(start, min(start + length, end))
                for start, length, end in zip(
                    window, crop.crop_size, size, strict=True
                )
            )
            seen = _sample(label, rows, columns, size)
            counts = cv2.calcHist([seen], [0], None, [256], [0, 256]).ravel()
            if 0 <= crop.ignore_index < 256:
                counts[crop.ignore_index] = 0
            # Whole numbers, as in mmseg: a ratio may fall on the bound.
            counts = counts[counts > 0].astype(np.int64)
            if (
                len(counts) > 1
                and counts.max() / counts.sum() < crop.cat_max_ratio
            ):
                break
            window = [np.random.randint(0, margin + 1) for margin in margins]
        return tuple(window)

    def _draw_flip(
        self, rows: np.ndarray, columns: np.ndarray, results: dict
    ) -> tuple[np.ndarray, np.ndarray]:
        direction = self.flip._choose_direction()
        results['flip'] = direction is not None
        results['flip_direction'] = direction
        if direction is not None:
            results['swap_seg_labels'] = None
        if direction in ('horizontal', 'diagonal'):
            columns = columns[::-1]
        if direction in ('vertical', 'diagonal'):
            rows = rows[::-1]
        return rows, columns

    def _refuse_small(self, source: tuple[int, int], results: dict) -> None:
        """Where no draw makes a frame as large as the crop, nothing is cut:
        neither from a frame of another data set, nor by a wrong number."""
        height, width = source
        if isinstance(self.resize, RandomResize):
            resize, largest = self.resize.resize, self.resize.scale
            if isinstance(largest[0], int):
                ratio = self.resize.ratio_range[1]
                largest = tuple(int(edge * ratio) for edge in largest)
            else:
                largest = tuple(np.max(largest, axis=0).tolist())
            width, height = (
                mmcv.rescale_size((width, height), largest)
                if resize.keep_ratio
                else largest
            )
        elif self.resize is not None:
            height, width = self._resized(source, {})
        crop = self.crop.crop_size
        if height < crop[0] and width < crop[1]:
            raise ValueError(
                f'the crop (height {crop[0]}, width {crop[1]}) is larger than '
                f"the frame '{results.get('img_path')}', which is at most "
                f'{height} x {width} after the resize: lower crop_size, or '
                'resize the frames to more'
            )


def _sample(
    label: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    size: tuple[int, int],
) -> np.ndarray:
    """These rows and columns of the label map (H, W), resized to ``size`` by
    OpenCV's nearest neighbour."""
    height, width = label.shape[:2]
    if (height, width) != size:
        rows = _nearest(rows, size[0], height)
        columns = _nearest(columns, size[1], width)
    # The region first: a gather of few rows is fast, of columns slow.
    low, high = columns.min(), columns.max() + 1
    return label[rows, low:high].take(columns - low, axis=1)


def _nearest(index: np.ndarray, size: int, source: int) -> np.ndarray:
    # cv2.resize divides by the ratio in this order.
    nearest = np.floor(index * (1 / (size / source))).astype(np.intp)
    return np.minimum(nearest, source - 1)


def _warp_clip(
    frames: Sequence[np.ndarray],
    rows: np.ndarray,
    columns: np.ndarray,
    size: tuple[int, int],
) -> list[np.ndarray]:
    """The window of each frame (H, W, 3), as views of one array."""
    height, width = frames[0].shape[:2]
    shape = (len(frames), len(rows), len(columns), *frames[0].shape[2:])
    clip = np.empty(shape, np.uint8)
    if (height, width) == size:
        window = _slice(rows), _slice(columns)
        for frame, out in zip(frames, clip, strict=True):
            out[:] = frame[window]
        return list(clip)
    # Pixel centres, as cv2.resize has them: s = (d + 0.5) * source/size - 0.5
    matrix = np.zeros((2, 3))
    for axis, (index, new, old) in enumerate(
        ((columns, size[1], width), (rows, size[0], height))
    ):
        step = -1 if len(index) > 1 and index[1] < index[0] else 1
        matrix[axis, axis] = step * old / new
        matrix[axis, 2] = (index[0] + 0.5) * old / new - 0.5
    for frame, out in zip(frames, clip, strict=True):
        cv2.warpAffine(
            frame,
            matrix,
            (len(columns), len(rows)),
            dst=out,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return list(clip)


def _slice(index: np.ndarray) -> slice:
    if len(index) > 1 and index[1] < index[0]:
        end = index[-1] - 1
        return slice(index[0], None if end < 0 else end, -1)
    return slice(index[0], index[-1] + 1)
