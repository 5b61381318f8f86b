import random
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from mmcv.transforms import BaseTransform, Compose
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ForEachFrame(BaseTransform):
    """Applies transforms to every frame of a clip, with the same draws.

    Python's, NumPy's and torch's (CPU) random states are replayed before each
    frame, so any transform of mmseg works as it is and treats all frames
    alike; afterwards they are as after one frame. Transforms with a generator
    of their own, as albumentations from version 2 on (``Albu``), are given a
    seed drawn from NumPy's instead. Each frame is given the
    label map too, since some draws look at it (``RandomCrop``'s
    ``cat_max_ratio``); the key frame's is kept. Where a transform drops a
    frame (None), the clip is dropped. A still, one array (H, W, 3), stays one.

    Required Keys:

    - img: list of T x (H, W, 3), or (H, W, 3)
    - gt_seg_map (H, W) (optional)

    Modified Keys:

    - img: list of T x (H', W', 3), or (H', W', 3)
    - gt_seg_map (H', W')

    Added Keys: those of the transforms, for the key frame.

    Args:
        transforms (Sequence[dict]): Configs of the transforms.
    """

    def __init__(self, transforms: Sequence[dict]):
        self.transforms = Compose(transforms)
        self._own_chance = [
            t.aug
            for t in _all_transforms(self.transforms)
            if hasattr(getattr(t, 'aug', None), 'set_random_seed')
        ]

    def transform(self, results: dict) -> dict | None:
        if not isinstance(results['img'], list):
            return self.transforms(results)
        seed = np.random.randint(2**31) if self._own_chance else None
        python_state, numpy_state = random.getstate(), np.random.get_state()
        torch_state = torch.get_rng_state()
        frames = []
        # The key frame is last: its results, and the random states after it,
        # go on.
        for img in results['img']:
            random.setstate(python_state)
            np.random.set_state(numpy_state)
            torch.set_rng_state(torch_state)
            for source in self._own_chance:
                source.set_random_seed(seed)
            frame = {**results, 'img': img}
            for key in ('gt_seg_map', 'seg_fields'):
                if key in results:
                    frame[key] = results[key].copy()
            frame = self.transforms(frame)
            if frame is None:
                return None
            frames.append(frame['img'])
        frame['img'] = frames
        return frame

    def __repr__(self) -> str:
        return f'{type(self).__name__}(transforms={self.transforms})'


def _all_transforms(transform) -> Iterator:
    """A transform and those inside it."""
    yield transform
    inner = getattr(transform, 'transforms', ())
    for other in inner if isinstance(inner, list | tuple) else ():
        yield from _all_transforms(other)
