import zlib

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from ...choices import CORRUPTIONS
from ..corruptions import SEVERITIES, corrupt


@TRANSFORMS.register_module()
class CorruptFrames(BaseTransform):
    """Corrupts test video: every frame of a clip, each by its own draw.

    What is drawn for a frame depends on the seed, the sequence and the frame
    alone, so all models and protocols meet the same video.

    Required Keys:

    - img: list of T x (H, W, 3) uint8, or (H, W, 3) uint8
    - img_path, ref_img_paths (of a clip)

    Modified Keys:

    - img

    Args:
        kind (str): One of ``CORRUPTIONS``.
        severity (int): 1, 2 or 3.
        seed (int): Defaults to 0.

    Raises:
        ValueError: If kind or severity is another one.
    """

    def __init__(self, kind: str, severity: int, seed: int = 0):
        if kind not in CORRUPTIONS:
            raise ValueError(
                f"kind must be one of {CORRUPTIONS}, not '{kind}'"
            )
        if severity not in SEVERITIES:
            raise ValueError(
                f'severity must be one of {SEVERITIES}, got {severity}'
            )
        self.kind, self.severity, self.seed = kind, severity, seed

    def transform(self, results: dict) -> dict:
        img, results['changed'] = results['img'], True
        if not isinstance(img, list):
            results['img'] = self._corrupt(img, results['img_path'])
            return results
        paths = [*results.get('ref_img_paths', []), results['img_path']]
        results['img'] = [
            self._corrupt(frame, path)
            for frame, path in zip(img, paths[-len(img) :], strict=True)
        ]
        return results

    def _corrupt(self, frame: np.ndarray, path: str) -> np.ndarray:
        # The file's name alone: a key frame may stand in two folders.
        name = path.replace('\\', '/').split('/')[-1]
        rng = np.random.default_rng([self.seed, zlib.crc32(name.encode())])
        return corrupt(frame, self.kind, self.severity, rng)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(kind='{self.kind}', "
            f'severity={self.severity}, seed={self.seed})'
        )
