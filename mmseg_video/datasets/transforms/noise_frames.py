import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class NoiseFrames(BaseTransform):
    """Replaces ref frames by noise, so that a net learns to doubt the past.

    Of a clip that is hit, ``num_noisy`` ref frames become uniform noise
    (Wang et al., "Noisy-LSTM", 2020: one of the clip's, with probability
    0.5). The key frame stays.

    Required Keys:

    - img: list of T x (H, W, 3) uint8, or (H, W, 3) uint8

    Modified Keys:

    - img

    Args:
        prob (float): How likely a clip is hit. Defaults to 0.5.
        num_noisy (int): How many of its ref frames, at most all. Defaults
            to 1.

    Raises:
        ValueError: If an argument is out of range.
    """

    # Its place among a dataset's ``augments``: before flow is computed.
    replaces_frames = True

    def __init__(self, prob: float = 0.5, num_noisy: int = 1):
        if not 0 <= prob <= 1:
            raise ValueError(f'prob must lie in [0, 1], got {prob}')
        if num_noisy < 1:
            raise ValueError(f'num_noisy must be >= 1, got {num_noisy}')
        self.prob, self.num_noisy = prob, num_noisy

    def transform(self, results: dict) -> dict:
        frames = results['img']
        if np.random.rand() >= self.prob or not isinstance(frames, list):
            return results
        frames = list(frames)
        refs = len(frames) - 1
        num = min(self.num_noisy, refs)
        for t in np.random.choice(refs, num, replace=False) if refs else ():
            noise = np.random.randint(256, size=frames[t].shape)
            frames[t] = noise.astype(frames[t].dtype)
            results['changed'] = True
        results['img'] = frames
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(prob={self.prob}, '
            f'num_noisy={self.num_noisy})'
        )
