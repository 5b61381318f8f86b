from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform, Compose
from mmseg.registry import TRANSFORMS

from .crop_first import CropFirst
from .distort_by_tables import DistortByTables
from .for_each_frame import ForEachFrame


@TRANSFORMS.register_module()
class ClipAugment(BaseTransform):
    """Applies transforms to every frame of a clip, with the same draws, fast.

    It stands where :class:`ForEachFrame` stands, with the same list of
    mmseg's transforms, and draws the same numbers in the same order. What it
    knows is done another way:

    - ``[Resize | RandomResize,] RandomCrop[, RandomFlip]``: the window is
      chosen first, then warped out of each frame by one ``cv2.warpAffine``.
      Labels are equal, and so are frames that keep their size; resized ones
      are within one grey level on nearly all pixels.
    - ``PhotoMetricDistortion``: by lookup tables, bit for bit the same.

    Every other transform, and one of these with settings that its fast way
    lacks (Pillow, another interpolation, swapped labels, float frames), is
    left to :class:`ForEachFrame`. The clip is one array, of which ``img``
    lists the frames, so that packing copies nothing.

    Required Keys:

    - img: list of T x (H, W, 3), or (H, W, 3)
    - gt_seg_map (H, W) (optional)

    Modified Keys:

    - img: list of T x (H', W', 3), or (H', W', 3)
    - gt_seg_map (H', W')

    Added Keys: those of the transforms.

    Args:
        transforms (Sequence[dict]): Configs of the transforms.

    Raises:
        ValueError: If the crop is larger than the frame, whatever is drawn.
    """

    def __init__(self, transforms: Sequence[dict]):
        self.transforms = Compose(transforms)
        self.steps = _fast_steps(self.transforms.transforms)

    def transform(self, results: dict) -> dict | None:
        still = not isinstance(results['img'], list)
        results = dict(results)
        if still:
            results['img'] = [results['img']]
        for step in self.steps:
            results = step(results)
            if results is None:
                return None
        if still:
            results['img'] = results['img'][0]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(transforms={self.transforms})'


class _Fast(BaseTransform):
    """The fast way where it knows the sample, else the general one."""

    def __init__(self, fast, transforms: Sequence[BaseTransform]):
        self.fast, self.general = fast, ForEachFrame(transforms)

    def transform(self, results: dict) -> dict | None:
        eight_bit = all(img.dtype == np.uint8 for img in results['img'])
        if eight_bit and self.fast.knows(results):
            return self.fast(results)
        return self.general(results)


def _fast_steps(transforms: Sequence) -> list:
    """The transforms, in order, as steps that take a whole clip."""
    steps, rest = [], list(transforms)
    while rest:
        for fast_way in (CropFirst, DistortByTables):
            count = fast_way.match(rest)
            if count:
                taken, rest = rest[:count], rest[count:]
                steps.append(_Fast(fast_way(taken), taken))
                break
        else:
            steps.append(ForEachFrame([rest.pop(0)]))
    return steps
