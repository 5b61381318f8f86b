import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ReverseRefFrames(BaseTransform):
    """Turns the ref frames' order round; the key frame stays last.

    So the past is not always smooth, and what is next to the key frame not
    always closest to it. The loss on the key frame's labels allows this;
    ``AddRefFlow`` behind it takes the frames as they then are.

    Required Keys:

    - img: list of T x (H, W, 3), or (H, W, 3)

    Modified Keys:

    - img

    Args:
        prob (float): How likely. Defaults to 0.5.

    Raises:
        ValueError: If ``prob`` is out of range.
    """

    # Its place among a dataset's ``augments``: before flow is computed.
    replaces_frames = True

    def __init__(self, prob: float = 0.5):
        if not 0 <= prob <= 1:
            raise ValueError(f'prob must lie in [0, 1], got {prob}')
        self.prob = prob

    def transform(self, results: dict) -> dict:
        frames = results['img']
        if np.random.rand() < self.prob and isinstance(frames, list):
            results['img'] = [*frames[-2::-1], frames[-1]]
            results['changed'] = True
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(prob={self.prob})'
