from collections.abc import Iterator

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

BORDERS = dict(reflect=cv2.BORDER_REFLECT_101, constant=cv2.BORDER_CONSTANT)


@TRANSFORMS.register_module()
class StillToClip(BaseTransform):
    """Makes a clip of T frames from a still: ``img`` becomes T x (H, W, 3).

    A camera that pans, zooms and turns a little over the still, and comes to
    it with the last frame: that one is the still itself, untouched, so its
    labels hold. It lets recurrent modules be pretrained on data sets of
    stills. Stands where ``LoadRefFrames`` stands for video, behind
    ``LoadImageFromFile``; a clip of T = 1 is the still alone.

    The end of the motion (shift, zoom, angle) is drawn once a clip from
    NumPy's global random state, as mmcv's transforms draw. With the easing
    e(u) = 3 u^2 - 2 u^3, and a part of it drawn as well, from u_1 in
    [0, 0.25] to u_T in [0.75, 1], so that some clips begin or end in motion,
    frame t is the still moved by

        a_t = (e(u_T) - e(u_t)) / (e(u_T) - e(u_1)),  a_1 = 1,  a_T = 0

    of the drawn shift and angle, and zoomed by zoom^a_t.

    Required Keys:

    - img (H, W, 3)
    - num_frames (optional, the data set's T)

    Modified Keys:

    - img: list of T x (H, W, 3), in time order, key frame last
    - num_frames

    Args:
        num_frames (int | None): T. Defaults to None, the data set's; a data
            set that has none gives T = 1.
        max_shift (float): The longest pan, as a part of the frame's width and
            height. Defaults to 0.1.
        max_zoom (float): The strongest zoom, in or out. Defaults to 1.15.
        max_angle (float): The largest turn in degrees. Defaults to 4.
        border (str): What is seen beyond the still: 'reflect' or 'constant'.
            Defaults to 'reflect'.
        pad_val (int): The grey level of a constant border. Defaults to 0.

    Raises:
        ValueError: If an argument is out of range, or ``img`` is a clip.
    """

    def __init__(
        self,
        num_frames: int | None = None,
        max_shift: float = 0.1,
        max_zoom: float = 1.15,
        max_angle: float = 4.0,
        border: str = 'reflect',
        pad_val: int = 0,
    ):
        if num_frames is not None and num_frames < 1:
            raise ValueError(f'num_frames must be >= 1, got {num_frames}')
        if not 0 <= max_shift < 1:
            raise ValueError(f'max_shift must lie in [0, 1), got {max_shift}')
        if max_zoom < 1:
            raise ValueError(f'max_zoom must be >= 1, got {max_zoom}')
        if not 0 <= max_angle <= 180:
            raise ValueError(
                f'max_angle must lie in [0, 180] degrees, got {max_angle}'
            )
        if border not in BORDERS:
            raise ValueError(
                f"border must be one of {sorted(BORDERS)}, got '{border}'"
            )
        self.num_frames = num_frames
        self.max_shift, self.max_zoom = max_shift, max_zoom
        self.max_angle = max_angle
        self.border, self.pad_val = border, pad_val

    def transform(self, results: dict) -> dict:
        still = results['img']
        if isinstance(still, list):
            raise ValueError(
                f"'{results.get('img_path')}' is a clip of {len(still)} "
                'frames already: StillToClip takes the place of '
                'LoadRefFrames, not one behind it'
            )
        num_frames = self.num_frames or results.get('num_frames', 1)
        results['num_frames'] = num_frames
        results['img'] = [
            *(
                self._warp(still, matrix)
                for matrix in self._motion(still, num_frames)
            ),
            still,
        ]
        return results

    def _motion(
        self, still: np.ndarray, num_frames: int
    ) -> Iterator[np.ndarray]:
        """Affine matrices (2, 3) of the T-1 frames before the still."""
        h, w = still.shape[:2]
        shift = np.random.uniform(-self.max_shift, self.max_shift, 2) * (w, h)
        zoom = self.max_zoom ** np.random.uniform(-1, 1)
        angle = np.random.uniform(-self.max_angle, self.max_angle)
        begin = np.random.uniform(0, 0.25)
        end = np.random.uniform(0.75, 1)
        # A clip of one frame draws as much as a long one, so that T alone
        # changes nothing else.
        u = np.linspace(begin, end, num_frames)
        eased = 3 * u**2 - 2 * u**3
        center = ((w - 1) / 2, (h - 1) / 2)
        for amount in (eased[-1] - eased[:-1]) / (eased[-1] - eased[0] or 1):
            matrix = cv2.getRotationMatrix2D(
                center, amount * angle, zoom**amount
            )
            matrix[:, 2] += amount * shift
            yield matrix

    def _warp(self, still: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        return cv2.warpAffine(
            still,
            matrix,
            still.shape[1::-1],
            flags=cv2.INTER_LINEAR,
            borderMode=BORDERS[self.border],
            borderValue=(self.pad_val,) * 3,
        )

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(num_frames={self.num_frames}, '
            f'max_shift={self.max_shift}, max_zoom={self.max_zoom}, '
            f"max_angle={self.max_angle}, border='{self.border}', "
            f'pad_val={self.pad_val})'
        )
