import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS
from torch.utils.data import get_worker_info

from ...flow.usable_frames import Sight, UsableFrames
from ..previous_frame import follows


@TRANSFORMS.register_module()
class HoldLastUsable(BaseTransform):
    """Shows the last usable frame of a stream in place of one that is flat or
    dark, and says so.

    A framewise net behind it gives its last map again where the camera
    delivers nothing. A segmentor that streams (:class:`ClipSegmentor`) does
    not run there: its last logits are the answer, and its states wait. Flow
    (``AddFlow``) leads from the next usable frame to the last one.

    Required Keys:

    - img: (H, W, 3) uint8, or a list of one
    - sequence, frame_id
    - max_gap (optional)

    Modified Keys:

    - img

    Added Keys:

    - held (bool): whether it is another frame's
    - changed: True where it, or the frame before, is

    Args:
        min_contrast, max_held: Which frames are usable, see
            :class:`UsableFrames`.

    Raises:
        ValueError: If one is out of range, a sample is a clip of several
            frames, or frames are not read in order.
    """

    def __init__(
        self,
        min_contrast: float = UsableFrames.min_contrast,
        max_held: int = UsableFrames.max_held,
    ):
        self.usable = UsableFrames(min_contrast, max_held)
        self._place: dict | None = None
        self._sight: Sight | None = None
        self._frame: np.ndarray | None = None

    def transform(self, results: dict) -> dict:
        img = results['img']
        frames = img if isinstance(img, list) else [img]
        worker = get_worker_info()
        if len(frames) > 1 or (worker and worker.num_workers > 1):
            raise ValueError(
                'HoldLastUsable needs the frames of a stream, all of them and '
                f'in order, got clips of {len(frames)} or '
                f'{worker.num_workers if worker else 1} workers: test with '
                '--stream, and num_workers 0 or 1'
            )
        before = self._place
        self._place = {key: results[key] for key in ('sequence', 'frame_id')}
        if not before or not follows(results, before, results.get('max_gap')):
            self._sight = None
        last = self._sight
        self._sight = self.usable.next(last, frames[0])
        results['held'] = not self._sight.usable
        if self._sight.usable:
            self._frame = frames[0]
        if results['held'] or (last is not None and not last.usable):
            results['changed'] = True  # flow of files leads elsewhere
        shown = self._frame.copy()  # the next steps may write to it
        results['img'] = [shown] if isinstance(img, list) else shown
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(min_contrast={self.usable.min_contrast}, '
            f'max_held={self.usable.max_held})'
        )
