"""The frame before each frame of a stream, for those transforms that ask."""

from collections.abc import Sequence

import numpy as np
from mmengine.dataset import BaseDataset


def prepare_streamed(dataset: BaseDataset, info: dict) -> dict:
    """A streamed sample of the pipeline; flow needs the frame before too.

    A transform with ``needs_previous`` (:class:`AddFlow`) gets the frame
    before as ``previous`` (H, W, 3), as the transforms in front of it give
    it, and its ``previous_path``, unless a sequence begins.

    Args:
        dataset (BaseDataset): In stream mode, with ``max_gap``.
        info (dict): The frame's entry of its data list.
    """
    transforms = dataset.pipeline.transforms
    needs = [getattr(t, 'needs_previous', False) for t in transforms]
    if not any(needs):
        return dataset.pipeline(info)
    at, idx = needs.index(True), info['sample_idx']
    results = _run(transforms[:at], info)
    # One worker sees neighbours one after the other; several do not.
    last, dataset.last_frame = (
        getattr(dataset, 'last_frame', None),
        (idx, _key_frame(results)),
    )
    before = dataset.get_data_info(idx - 1) if idx else None
    if before and follows(info, before, dataset.max_gap):
        if last is None or last[0] != idx - 1:
            before['seg_map_path'] = None  # its labels are not asked for
            last = idx - 1, _key_frame(_run(transforms[:at], before))
        results['previous'] = last[1]
        results['previous_path'] = before['img_path']
    return _run(transforms[at:], results)


def _run(transforms: Sequence, results: dict) -> dict:
    for transform in transforms:
        results = transform(results)
    return results


def _key_frame(results: dict) -> np.ndarray:
    img = results['img']
    return img[-1] if isinstance(img, list) else img


def follows(now: dict, before: dict, max_gap: int | None) -> bool:
    """Whether a frame continues the sequence of another."""
    step = now['frame_id'] - before['frame_id']
    return now['sequence'] == before['sequence'] and (
        0 < step <= (max_gap or step)
    )
