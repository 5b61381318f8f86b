from collections.abc import Callable, Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from ..ref_frames import select_ref_frames


@TRANSFORMS.register_module()
class RandomFrameInterval(BaseTransform):
    """Draws the stride of the clip, one for all its frames: faster motion.

    Stands before ``LoadRefFrames``. Where the past is too short for the
    stride, the clip is padded by repeating its first frame.

    Required Keys:

    - img_path
    - past_img_paths (optional, a still has none)
    - num_frames (optional, 1)

    Modified Keys:

    - frame_interval
    - ref_img_paths

    Args:
        intervals (Sequence[int]): What is drawn from, each alike. Defaults to
            (1, 2, 3).

    Raises:
        ValueError: If there is no interval, or one below 1.
    """

    # Where a dataset puts it among its ``augments``: before frames are loaded.
    chooses_frames = True

    def __init__(self, intervals: Sequence[int] = (1, 2, 3)):
        if not intervals or min(intervals) < 1:
            raise ValueError(
                f'intervals must be numbers of frames >= 1, got {intervals}'
            )
        self.intervals = tuple(intervals)
        self.max_interval = max(intervals)

    def transform(self, results: dict) -> dict:
        interval = int(np.random.choice(self.intervals))
        results['frame_interval'] = interval
        results['ref_img_paths'], results['num_padded'] = select_ref_frames(
            results.get('past_img_paths', ()),
            results.get('img_path'),
            results.get('num_frames', 1),
            interval,
        )
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(intervals={self.intervals})'


def longest_interval(transform: Callable) -> int:
    """The longest stride that a transform may draw, 0 where it draws none.

    A dataset keeps a past that is long enough for it. Wrappers, such as
    ``Compose`` and ``RandomApply``, are looked into.
    """
    inner = getattr(transform, 'transforms', ())
    # Wrappers keep a list, or a Compose that need not be iterable.
    inner = inner if isinstance(inner, list | tuple) else [inner]
    own = getattr(transform, 'max_interval', 0)
    return max([own, *map(longest_interval, inner)])
