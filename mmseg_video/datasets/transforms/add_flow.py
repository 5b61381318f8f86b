import os.path as osp
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from ...flow.estimators import OPTICAL_FLOWS, build_flow
from ...flow.images import as_frame
from ...flow.opencv import ComputedFlow
from ...flow.reliability import photometric_agreement


@TRANSFORMS.register_module()
class AddFlow(BaseTransform):
    """Adds the flow from each frame of a clip to the one before it, for
    flow-compensated models and filters.

    The first frame of a clip has none: there is no motion, and nothing to
    warp. In a stream, the data set gives the frame before (``previous``),
    unless a sequence begins.

    Stands behind all transforms that change the frames: the model sees the
    flow of what it sees.

    Required Keys:

    - img: list of T x (H, W, 3), or (H, W, 3)
    - previous (H, W, 3), previous_path (optional)
    - sequence, img_path, ref_img_paths (optional), which name a pair of
      frames: ``SEQUENCE/FRAME_FRAMEBEFORE`` for ``PrecomputedFlow``; a cache
      of computed flow adds a check sum of the frames, which transforms may
      have changed
    - flip, changed (optional): whether they have; precomputed flow is
      refused then

    Added Keys:

    - flow (T, 3, h, w) float32: fields of :class:`FlowToPrevious`

    Args:
        estimator (dict | None): Config of an optical flow. Defaults to None,
            ``dict(type='DISFlow', preset='fast')``.
        kwargs: :class:`FlowToPrevious`'s: ``min_size``, ``max_error_ratio``
            and ``photometric_scale``.

    Raises:
        ValueError: If an argument is out of range.
    """

    needs_previous = True

    def __init__(self, estimator: dict | None = None, **kwargs):
        self.flow = build_flow(estimator, **kwargs)

    def transform(self, results: dict) -> dict:
        img = results['img']
        frames = img if isinstance(img, list) else [img]
        frames = [results.pop('previous', None), *frames]
        reduced = [f if f is None else self.flow.reduce(f) for f in frames]
        paths = [
            results.pop('previous_path', None),
            *(results.get('ref_img_paths') or ()),
            results.get('img_path'),
        ]
        if len(paths) != len(frames):
            paths = [None] * len(frames)
        pairs = zip(pairwise(reduced), pairwise(paths), strict=True)
        results['flow'] = np.stack(
            [
                self._between(results, before, frame, names)
                for (before, frame), names in pairs
            ]
        )
        return results

    def _between(
        self,
        results: dict,
        before: np.ndarray | None,
        frame: np.ndarray,
        paths: tuple[str | None, str | None],
    ) -> np.ndarray:
        """The flow field from a frame to the one before."""
        if before is not None and np.array_equal(frame, before):
            before = None  # repeated, so nothing moves
        name = None
        if before is not None and None not in (
            results.get('sequence'),
            *paths,
        ):
            stems = [osp.splitext(osp.basename(p))[0] for p in paths[::-1]]
            name = f'{results["sequence"]}/{"_".join(stems)}'
            if isinstance(self.flow.estimator, ComputedFlow):
                name = self.flow.estimator.name_of(name, frame, before)
            elif results.get('flip') or results.get('changed'):
                name = None
        return self.flow(frame, before, name)

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(estimator='
            f'{type(self.flow.estimator).__name__})'
        )


@TRANSFORMS.register_module()
class AddRefFlow(BaseTransform):
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
        estimator (dict | None): Config of an optical flow. Defaults to None,
            ``dict(type='DISFlow', preset='fast')``.

    Raises:
        ValueError: If there is no gap, or one below 1; if the clip is too
            short for every gap.
    """

    def __init__(
        self, gaps: Sequence[int] = (1, 2, 3), estimator: dict | None = None
    ):
        if not gaps or min(gaps) < 1:
            raise ValueError(
                f'gaps must be numbers of frames >= 1, got {gaps}'
            )
        self.gaps = tuple(gaps)
        self.estimator = OPTICAL_FLOWS.build(
            estimator or dict(type='DISFlow', preset='fast')
        )

    def transform(self, results: dict) -> dict:
        frames = results['img']
        num_frames = len(frames) if isinstance(frames, list) else 1
        gaps = [gap for gap in self.gaps if gap < num_frames]
        if not gaps:
            raise ValueError(
                f'AddRefFlow: the clip of {results.get("img_path")} has T='
                f'{num_frames} frames, too few for a gap of {min(self.gaps)}: '
                f'set num_frames={min(self.gaps) + 1} or more for the dataset'
            )
        gap = int(np.random.choice(gaps))
        key, ref = as_frame(frames[-1]), as_frame(frames[-1 - gap])
        flow = self.estimator(key, ref)
        agreement = photometric_agreement(key, ref, flow)
        results['ref_flow'] = np.concatenate(
            [flow.transpose(2, 0, 1), agreement[None]]
        )
        results['flow_gap'] = gap
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(gaps={self.gaps}, '
            f'estimator={type(self.estimator).__name__})'
        )
