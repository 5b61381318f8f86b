from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from ...flow.estimators import OPTICAL_FLOWS
from ...flow.images import as_frame, photometric_agreement


@TRANSFORMS.register_module()
class AddFlow(BaseTransform):
    """Adds the flow from the key frame to a ref frame, for losses over time.

    ``ref_flow`` (3, H, W) is where a key frame's pixel (x, y) is found in the
    ref frame, (x + dx, y + dy), and how well the two agree there, in [0, 1]
    (:func:`photometric_agreement`). The ref frame is ``flow_gap`` frames
    before the key frame, drawn anew for each clip.

    Stands behind the transforms that move pixels. Frames that are degraded
    behind it keep the flow, and the agreement, of the clean ones.

    Required Keys:

    - img: list of T x (H, W, 3)

    Added Keys:

    - ref_flow (3, H, W) float32: dx, dy, agreement
    - flow_gap (int)

    Args:
        gaps (Sequence[int]): What the gap is drawn from, as far as the clip
            is long enough. Defaults to (1, 2, 3).
        flow (dict | None): A flow backend. Defaults to None, DIS, fast.

    Raises:
        ValueError: If there is no gap, or one below 1; if the clip is too
            short for every gap.
    """

    def __init__(
        self, gaps: Sequence[int] = (1, 2, 3), flow: dict | None = None
    ):
        if not gaps or min(gaps) < 1:
            raise ValueError(
                f'gaps must be numbers of frames >= 1, got {gaps}'
            )
        self.gaps = tuple(gaps)
        self.flow = OPTICAL_FLOWS.build(
            flow or dict(type='DISFlow', preset='fast')
        )

    def transform(self, results: dict) -> dict:
        frames = results['img']
        num_frames = len(frames) if isinstance(frames, list) else 1
        gaps = [gap for gap in self.gaps if gap < num_frames]
        if not gaps:
            raise ValueError(
                f'AddFlow: the clip of {results.get("img_path")} has T='
                f'{num_frames} frames, too few for a gap of {min(self.gaps)}: '
                f'set num_frames={min(self.gaps) + 1} or more for the dataset'
            )
        gap = int(np.random.choice(gaps))
        key, ref = as_frame(frames[-1]), as_frame(frames[-1 - gap])
        flow = self.flow(key, ref)
        agreement = photometric_agreement(key, ref, flow)
        results['ref_flow'] = np.concatenate(
            [flow.transpose(2, 0, 1), agreement[None]]
        )
        results['flow_gap'] = gap
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(gaps={self.gaps}, '
            f'flow={type(self.flow).__name__})'
        )
