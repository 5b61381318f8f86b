import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class DropFrames(BaseTransform):
    """Drops ref frames: the frame before shows again, as a stalled video does.

    The first frame and the key frame are never dropped, and T stays. (Frames
    that come as black are ``RandomBurst``'s.)

    Required Keys:

    - img: list of T x (H, W, 3), or (H, W, 3)

    Modified Keys:

    - img

    Args:
        prob (float): How likely each frame is dropped. Defaults to 0.1.

    Raises:
        ValueError: If ``prob`` is out of range.
    """

    # Its place among a dataset's ``augments``: before flow is computed.
    replaces_frames = True

    def __init__(self, prob: float = 0.1):
        if not 0 <= prob <= 1:
            raise ValueError(f'prob must lie in [0, 1], got {prob}')
        self.prob = prob

    def transform(self, results: dict) -> dict:
        frames = results['img']
        if not isinstance(frames, list):
            return results
        frames = list(frames)
        for t in range(1, len(frames) - 1):
            if np.random.rand() < self.prob:
                # A copy: frames must not share memory.
                frames[t] = frames[t - 1].copy()
                results['changed'] = True
        results['img'] = frames
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(prob={self.prob})'
