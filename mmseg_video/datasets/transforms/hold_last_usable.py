import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class HoldLastUsable(BaseTransform):
    """Shows the last usable frame of a stream again in place of one that is
    flat or dark.

    A framewise net behind it holds its last map where the camera delivers
    nothing: the baseline for whatever claims to bridge lost frames by memory.

    Required Keys:

    - img: (H, W, 3) uint8, or a list of one
    - sequence, frame_id

    Modified Keys:

    - img

    Args:
        min_contrast (float): The standard deviation of the grey levels below
            which a frame is not usable. Defaults to 10: of street scenes, all
            dropped and dark frames are below it, and no other.

    Raises:
        ValueError: If it is not positive, or an unusable frame comes without
            the frame before it: frames are to be read in order.
    """

    def __init__(self, min_contrast: float = 10):
        if min_contrast <= 0:
            raise ValueError(f'min_contrast must be > 0, got {min_contrast}')
        self.min_contrast = min_contrast
        self._sequence, self._frame_id = None, -1
        self._usable: np.ndarray | None = None

    def transform(self, results: dict) -> dict:
        img = results['img']
        frame = img[-1] if isinstance(img, list) else img
        sequence, frame_id = results['sequence'], results['frame_id']
        follows = sequence == self._sequence and frame_id == self._frame_id + 1
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        if grey.std() >= self.min_contrast:
            self._usable = frame
        elif follows:
            frame = self._usable
        elif sequence == self._sequence:
            raise ValueError(
                f"frame {frame_id} of '{sequence}' is not usable, and the "
                'frame before was not read here: HoldLastUsable needs frames '
                'in order, with num_workers 0 or 1'
            )
        else:
            self._usable = frame  # a sequence begins with it
        self._sequence, self._frame_id = sequence, frame_id
        results['img'] = [frame] if isinstance(img, list) else frame
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(min_contrast={self.min_contrast})'
