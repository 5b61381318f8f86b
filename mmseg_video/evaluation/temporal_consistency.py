from abc import abstractmethod

import numpy as np
from mmseg.registry import METRICS

from ..flow.estimators import OPTICAL_FLOWS
from ..flow.images import resize_flow, warp_labels
from ..flow.reliability import is_consistent
from .sequence_metric import SequenceMetric, frame_of, labels, prediction


class FlowMetric(SequenceMetric):
    """A metric of neighbouring predictions, warped by optical flow.

    Args:
        flow (dict): Config of an optical flow. Defaults to
            ``dict(type='DISFlow')``.
        occlusion_mask (bool): Whether pixels that the second frame does not
            show are left out, told by the flow back. Defaults to False.
        kwargs: :class:`SequenceMetric`'s.
    """

    def __init__(
        self,
        flow: dict | None = None,
        occlusion_mask: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.flow = OPTICAL_FLOWS.build(flow or dict(type='DISFlow'))
        self.occlusion_mask = occlusion_mask

    def begin(self) -> dict:
        self._before = None
        return dict(pairs=0)

    def interrupt(self) -> None:
        self._before = None

    def add(self, result: dict, inputs, sample: dict) -> None:
        now = frame_of(inputs), prediction(sample), sample
        before, self._before = self._before, now
        if before is None:
            return
        result['pairs'] += 1
        flow = self._flow_between(before, now)
        mask = np.ones(before[1].shape, bool)
        if self.occlusion_mask:
            mask = is_consistent(flow, self._flow_between(now, before))
        self.add_pair(result, before[1], now[1], flow, mask)

    def _flow_between(self, one: tuple, other: tuple) -> np.ndarray:
        """Flow (H, W, 2) at the size of the predictions."""
        pair = (
            f'{one[2]["sequence"]}/{one[2]["frame_id"]:06d}_'
            f'{other[2]["frame_id"]:06d}'
        )
        first, second = one[0], other[0]
        name = self.flow.name_of(pair, first, second)
        return resize_flow(self.flow(first, second, name), one[1].shape)

    @abstractmethod
    def add_pair(
        self,
        result: dict,
        first: np.ndarray,
        second: np.ndarray,
        flow: np.ndarray,
        mask: np.ndarray,
    ) -> None:
        """Take in two neighbouring predictions (H, W).

        Args:
            result (dict): Of their sequence.
            first, second (ndarray): The predictions.
            flow (ndarray): Flow (H, W, 2) from the first to the second.
            mask (ndarray): Which pixels (H, W) of the first count.
        """

    def _check_pairs(self, results: list[dict]) -> None:
        if not sum(result['pairs'] for result in results):
            raise ValueError(
                f'{type(self).__name__} compares neighbouring frames, but no '
                "sequence has two: test with --stream (mode='stream')"
            )


@METRICS.register_module()
class TemporalConsistencyMetric(FlowMetric):
    """TC: mIoU between a prediction and the next one, warped back by flow.

    Two definitions are in use, with the confusion of all pairs of all
    sequences pooled in both:

    - ``TC_ETC`` (Liu et al., "Efficient semantic video segmentation with
      per-frame inference", ECCV 2020): beyond the next frame its edge goes
      on; mean over the classes that occur in either.
    - ``TC_VSPW`` (Miao et al., "VSPW", CVPR 2021): beyond the next frame is
      class 0; mean over the classes that occur in the earlier predictions.

    Both papers' code warps ids bilinearly or in float; here the nearest is
    taken. Their flow is FlowNet2's and RAFT's: name the flow beside a figure.

    Args:
        kwargs: :class:`FlowMetric`'s.
    """

    def begin(self) -> dict:
        size = len(self.dataset_meta['classes'])
        return dict(
            super().begin(),
            etc=np.zeros((size, size), np.int64),
            vspw=np.zeros((size, size), np.int64),
        )

    def add_pair(self, result, first, second, flow, mask) -> None:
        for name, outside in (('etc', None), ('vspw', 0)):
            warped = warp_labels(second, flow, outside)
            result[name] += confusion(first, warped, len(result[name]), mask)

    def summarise(self, results: list[dict]) -> dict[str, float]:
        self._check_pairs(results)
        etc = sum(result['etc'] for result in results)
        vspw = sum(result['vspw'] for result in results)
        earlier = vspw.sum(1) > 0
        return dict(
            TC_ETC=np.nanmean(class_iou(etc)),
            TC_VSPW=class_iou(vspw)[earlier].mean(),
        )


@METRICS.register_module()
class FlickerMetric(FlowMetric):
    """The share of pixels whose class changes from a frame to the next.

    - ``flicker``: at the same place; what moves changes too
    - ``flicker_compensated``: along the flow, where it stays in the frame

    Where both frames are labelled, also:

    - ``flicker_static``: of the pixels whose label stays at their place,
      those whose prediction changes; a perfect prediction has 0.
      ``flicker_static_clean`` is that of pairs of clean frames, where the
      data says that some are degraded
    - ``flicker_labels``: the labels' own ``flicker``. A prediction below
      it does not see all that moves

    Args:
        kwargs: :class:`FlowMetric`'s.
    """

    def begin(self) -> dict:
        keys = ('changed', 'pixels', 'warped_changed', 'warped')
        labelled = (
            *('stay_changed', 'stay', 'label_changed', 'labelled'),
            *('degraded_stay_changed', 'degraded_stay'),
        )
        return super().begin() | dict.fromkeys((*keys, *labelled), 0)

    def add(self, result: dict, inputs, sample: dict) -> None:
        before = self._before
        super().add(result, inputs, sample)
        if before is None:
            return
        pairs = [(prediction(s), labels(s)) for s in (before[2], sample)]
        (first, was), (second, label) = pairs
        if was is None or label is None:
            return
        known = (was != 255) & (label != 255)
        stay = known & (was == label)
        changed = np.count_nonzero(stay & (first != second))
        result['stay_changed'] += changed
        result['stay'] += np.count_nonzero(stay)
        if sample.get('degraded') or before[2].get('degraded'):
            result['degraded_stay_changed'] += changed
            result['degraded_stay'] += np.count_nonzero(stay)
        result['label_changed'] += np.count_nonzero(known & ~stay)
        result['labelled'] += np.count_nonzero(known)

    def add_pair(self, result, first, second, flow, mask) -> None:
        for key, count in changes(first, second, flow, mask).items():
            result[key] += count

    def summarise(self, results: list[dict]) -> dict[str, float]:
        self._check_pairs(results)

        def ratio(part, whole):
            return sum(r[part] for r in results) / max(
                1, sum(r[whole] for r in results)
            )

        figures = dict(
            flicker=ratio('changed', 'pixels'),
            flicker_compensated=ratio('warped_changed', 'warped'),
        )
        if any(result['stay'] for result in results):
            figures['flicker_static'] = ratio('stay_changed', 'stay')
            figures['flicker_labels'] = ratio('label_changed', 'labelled')
        if any(result['degraded_stay'] for result in results):
            changed, stay = (
                sum(r[key] - r[f'degraded_{key}'] for r in results)
                for key in ('stay_changed', 'stay')
            )
            figures['flicker_static_clean'] = changed / max(1, stay)
        return figures


def changes(
    first: np.ndarray,
    second: np.ndarray,
    flow: np.ndarray,
    mask: np.ndarray | bool = True,
) -> dict[str, int]:
    """How many pixels change their class from a prediction to the next.

    ``changed`` of ``pixels`` at the same place; ``warped_changed`` of
    ``warped`` along the flow (H, W, 2), where it stays in the frame and the
    mask (H, W) holds.
    """
    warped = warp_labels(second, flow, outside=255)
    counts = mask & (warped != 255)
    return dict(
        changed=int(np.count_nonzero(first != second)),
        pixels=first.size,
        warped_changed=int(np.count_nonzero((first != warped) & counts)),
        warped=int(np.count_nonzero(counts)),
    )


def confusion(
    rows: np.ndarray, columns: np.ndarray, size: int, mask: np.ndarray
) -> np.ndarray:
    """Counts (size, size) of ids that meet; ids outside are left out."""
    mask = mask & (rows < size) & (columns < size)
    pairs = rows[mask].astype(np.int64) * size + columns[mask]
    return np.bincount(pairs, minlength=size * size).reshape(size, size)


def class_iou(counts: np.ndarray) -> np.ndarray:
    """IoU of each class, NaN for one that does not occur."""
    overlap = np.diag(counts)
    union = counts.sum(0) + counts.sum(1) - overlap
    return np.where(union > 0, overlap / np.maximum(union, 1), np.nan)
