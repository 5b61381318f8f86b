from collections.abc import Sequence

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from ...flow.estimators import OPTICAL_FLOWS
from ...flow.images import as_frame, warp_image


@TRANSFORMS.register_module()
class InterpolateFrames(BaseTransform):
    """Slows a clip down: frames in between take the place of its past.

    The clip keeps its T frames and its key frame. Slowed down by 2, frame
    T-1-k shows the time k/2 frames before the key frame; a time between two
    real frames is interpolated, by flow or by blending.

    By flow, the frame at time t between the frames 0 and 1 is ::

        F_t0 = -(1-t) t F_01 + t^2 F_10
        F_t1 = (1-t)^2 F_01 - t (1-t) F_10
        I_t = (1-t) I_0(x + F_t0) + t I_1(x + F_t1)

    (Jiang et al., "Super SloMo", CVPR 2018, equations 1 and 4, without its
    learned refinement).

    Stands behind ``LoadRefFrames``; behind the crop it is cheaper. A still
    and a clip of one frame stay as they are.

    Required Keys:

    - img: list of T x (H, W, 3), or (H, W, 3)

    Modified Keys:

    - img

    Args:
        prob (float): How likely a clip is slowed down. Defaults to 0.5.
        factors (Sequence[float]): By how much, each alike. Defaults to
            (2,).
        flow (dict | None): A flow backend. Defaults to None, which blends
            frames without flow.

    Raises:
        ValueError: If an argument is out of range.
    """

    # Its place among a dataset's ``augments``: before flow is computed.
    replaces_frames = True

    def __init__(
        self,
        prob: float = 0.5,
        factors: Sequence[float] = (2,),
        flow: dict | None = None,
    ):
        if not 0 <= prob <= 1:
            raise ValueError(f'prob must lie in [0, 1], got {prob}')
        if not factors or min(factors) <= 1:
            raise ValueError(f'factors must be > 1, got {factors}')
        self.prob, self.factors = prob, tuple(factors)
        self.flow = None if flow is None else OPTICAL_FLOWS.build(flow)

    def transform(self, results: dict) -> dict:
        if np.random.rand() >= self.prob:
            return results
        factor = float(np.random.choice(self.factors))
        frames = results['img']
        if not isinstance(frames, list) or len(frames) == 1:
            return results
        last, flows = len(frames) - 1, {}
        results['changed'] = True
        results['img'] = [
            self._frame_at(last - (last - k) / factor, frames, flows)
            for k in range(last)
        ] + [frames[last]]
        return results

    def _frame_at(self, time: float, frames: list, flows: dict) -> np.ndarray:
        """The frame at ``time``; ``flows`` keeps the flow of pairs."""
        i = int(time)
        t = np.float32(time - i)
        if t < 1e-3:
            return frames[i].copy()
        first, second = frames[i], frames[i + 1]
        if self.flow is not None:
            if i not in flows:
                pair = as_frame(first), as_frame(second)
                flows[i] = self.flow(*pair), self.flow(*pair[::-1])
            forth, back = flows[i]
            to_first = -(1 - t) * t * forth + t**2 * back
            to_second = (1 - t) ** 2 * forth - t * (1 - t) * back
            first = warp_image(first, to_first)
            second = warp_image(second, to_second)
        return cv2.addWeighted(first, float(1 - t), second, float(t), 0)

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(prob={self.prob}, '
            f'factors={self.factors}, flow={type(self.flow).__name__})'
        )
