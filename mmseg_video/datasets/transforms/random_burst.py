from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from ..degradations import KINDS, NOISE_SIGMA, degrade
from .frame_seed import frame_generator


@TRANSFORMS.register_module()
class RandomBurst(BaseTransform):
    """Degrades a run of frames of a clip, as a camera does in a short burst:
    the clip's end with its key frame, or ref frames alone.

    In training it makes the past worth looking at: where the key frame is
    always clean, a net has no reason to. Give it to the framewise baseline
    too. In tests, with ``seed``, it measures robustness: each frame's fate
    depends on the seed and the frame alone, not on the order of loading, so
    that all models meet the same frames.

    Required Keys:

    - img: list of T x (H, W, 3) uint8, or (H, W, 3) uint8
    - img_path (only with ``seed``)
    - sequence (optional): of file names that other videos have too

    Modified Keys:

    - img

    Added Keys:

    - degraded (str | None): the key frame's kind

    Args:
        prob (float): How likely the key frame is degraded. Defaults to 0.3.
        max_length (int): The longest burst, in frames; of a clip of more
            than one frame, the first stays clean. Defaults to 2.
        ref_prob (float): How likely, where the key frame stays clean, a burst
            hits ref frames. Defaults to 0.
        kinds (Sequence[str]): What is drawn from: 'dropped', 'dark', 'noisy',
            'blurred'. Defaults to all of them.
        seed (int | None): Defaults to None, drawn anew every time.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        prob: float = 0.3,
        max_length: int = 2,
        kinds: Sequence[str] = KINDS,
        seed: int | None = None,
        ref_prob: float = 0,
    ):
        for name, value in (('prob', prob), ('ref_prob', ref_prob)):
            if not 0 <= value <= 1:
                raise ValueError(f'{name} must lie in [0, 1], got {value}')
        if max_length < 1:
            raise ValueError(f'max_length must be >= 1, got {max_length}')
        if not kinds or set(kinds) - set(KINDS):
            raise ValueError(f'kinds must be some of {KINDS}, got {kinds}')
        self.prob, self.max_length = prob, max_length
        self.kinds, self.seed = tuple(kinds), seed
        self.ref_prob = ref_prob

    def transform(self, results: dict) -> dict:
        rng = self._generator(results)
        # One draw decides both, so that ref_prob changes no key frame's fate.
        draw = rng.random()
        results.setdefault('degraded', None)
        if draw >= self.prob + (1 - self.prob) * self.ref_prob:
            return results
        kind = str(rng.choice(self.kinds))
        length = int(rng.integers(1, self.max_length + 1))
        img, results['changed'] = results['img'], True
        frames = list(img) if isinstance(img, list) else [img]
        key_frame = len(frames) - 1
        # The first frame of more than one stays clean.
        begin = min(1, key_frame)
        if draw < self.prob:
            hit = range(max(begin, len(frames) - length), len(frames))
            results['degraded'] = kind
        else:
            begin = int(rng.integers(begin, max(begin + 1, key_frame)))
            hit = range(begin, min(begin + length, key_frame))
        for t in hit:
            frames[t] = self._degrade(frames[t], kind, rng)
        results['img'] = frames if isinstance(img, list) else frames[0]
        return results

    def _generator(self, results: dict) -> np.random.Generator:
        if self.seed is None:
            # NumPy's global state is what the workers seed.
            return np.random.default_rng(np.random.randint(2**31, size=4))
        # Not the folders before the split: they differ by machine.
        return frame_generator(
            self.seed,
            results['img_path'],
            results.get('sequence'),
            num_folders=1,
        )

    @staticmethod
    def _degrade(frame: np.ndarray, kind: str, rng) -> np.ndarray:
        noise = rng.standard_normal(frame.shape, np.float32) * NOISE_SIGMA
        return degrade(frame, kind, rng, noise.astype(np.int16))

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(prob={self.prob}, '
            f'max_length={self.max_length}, kinds={self.kinds}, '
            f'seed={self.seed}, ref_prob={self.ref_prob})'
        )
