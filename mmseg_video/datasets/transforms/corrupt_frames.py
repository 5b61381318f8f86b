import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from ...choices import CORRUPTIONS
from ..corruptions import SEVERITIES, corrupt
from .frame_seed import frame_generator


@TRANSFORMS.register_module()
class CorruptFrames(BaseTransform):
    """Corrupts test video: every frame of a clip, each by its own draw.

    What is drawn for a frame depends on the seed, the sequence and the frame
    alone, so all models and protocols meet the same video.

    Required Keys:

    - img: list of T x (H, W, 3) uint8, or (H, W, 3) uint8
    - img_path, ref_img_paths (of a clip)
    - sequence (optional): of file names that other videos have too

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
        sequence = results.get('sequence')
        if not isinstance(img, list):
            results['img'] = self._corrupt(img, results['img_path'], sequence)
            return results
        paths = [*results.get('ref_img_paths', []), results['img_path']]
        results['img'] = [
            self._corrupt(frame, path, sequence)
            for frame, path in zip(img, paths[-len(img) :], strict=True)
        ]
        return results

    def _corrupt(
        self, frame: np.ndarray, path: str, sequence: str | None
    ) -> np.ndarray:
        # No folders: a key frame may stand in two.
        rng = frame_generator(self.seed, path, sequence)
        return corrupt(frame, self.kind, self.severity, rng)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(kind='{self.kind}', "
            f'severity={self.severity}, seed={self.seed})'
        )
