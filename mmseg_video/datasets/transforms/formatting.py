import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.datasets.transforms import PackSegInputs
from mmseg.registry import TRANSFORMS

CLIP_META_KEYS = (
    'sequence',
    'frame_id',
    'num_frames',
    'frame_interval',
    'ref_img_paths',
    'flow_gap',
    'max_gap',
    'label_weight',
    'degraded',
    'held',
)


@TRANSFORMS.register_module()
class PackClipInputs(PackSegInputs):
    """Packs a clip as ``inputs`` (T, 3, H, W) uint8 and one SegDataSample.

    The sample is the key frame's, with mmseg's meta keys and the clip's. A
    still, one array (H, W, 3), is packed as a clip of one frame. Frames that
    are one array already, as :class:`ClipAugment` leaves them, are not copied:
    their tensor is that array, seen as (T, 3, H, W).

    Required Keys:

    - img: list of T x (H, W, 3), or (H, W, 3)
    - gt_seg_map (H, W) (optional)
    - ref_flow (3, H, W) (optional), becomes the sample's field of this name
    - flow (T, 3, h, w) (optional), likewise

    Args:
        kwargs: :class:`PackSegInputs`'s; ``meta_keys`` defaults to its own
            and ``CLIP_META_KEYS``.

    Raises:
        ValueError: If the flow has another size than the frames.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        if 'meta_keys' not in kwargs:
            self.meta_keys = (*self.meta_keys, *CLIP_META_KEYS)

    def transform(self, results: dict) -> dict:
        img = results['img']
        frames = img if isinstance(img, list) else [img]
        inputs = _as_tensor(frames)
        rest = {key: results[key] for key in results if key != 'img'}
        packed = super().transform(rest)
        if 'ref_flow' in results:
            flow = torch.from_numpy(results['ref_flow'])
            if flow.shape[1:] != inputs.shape[2:]:
                raise ValueError(
                    f'ref_flow is {tuple(flow.shape[1:])}, the frames are '
                    f'{tuple(inputs.shape[2:])}: AddRefFlow stands behind the '
                    'transforms that move pixels'
                )
            packed['data_samples'].ref_flow = PixelData(data=flow)
        if 'flow' in results:
            packed['data_samples'].flow = torch.from_numpy(results['flow'])
        return dict(inputs=inputs, **packed)


def _as_tensor(frames: list[np.ndarray]) -> torch.Tensor:
    """T x (H, W, 3) as (T, 3, H, W)."""
    clip = frames[0].base
    if isinstance(clip, np.ndarray) and _lists(clip, frames):
        return torch.from_numpy(clip).permute(0, 3, 1, 2)
    clip = np.stack(frames).transpose(0, 3, 1, 2)
    return torch.from_numpy(np.ascontiguousarray(clip))


def _lists(clip: np.ndarray, frames: list[np.ndarray]) -> bool:
    """Whether the frames are those of the array, all of them and in order."""
    if clip.ndim != 4 or len(clip) != len(frames) or not clip.flags.owndata:
        return False
    return all(
        frame.__array_interface__ == own.__array_interface__
        for frame, own in zip(frames, clip, strict=True)
    )
