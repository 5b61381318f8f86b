import numpy as np
from mmseg.registry import METRICS

from .sequence_metric import SequenceMetric, labels, prediction
from .temporal_consistency import class_iou, confusion


@METRICS.register_module()
class SequenceIoUMetric(SequenceMetric):
    """mmseg's mIoU, mAcc and aAcc, but kept apart by sequence.

    The figures are those of ``IoUMetric``; what it adds are the confusions
    of single sequences, for a bootstrap over them. Where the data says which
    frames are degraded and some are, there are also ``mIoU_clean`` and
    ``mIoU_degraded`` (and so on), of the clean and of the degraded frames.

    Args:
        kwargs: :class:`SequenceMetric`'s.
    """

    default_prefix = 'sequences'

    def begin(self) -> dict:
        size = len(self.dataset_meta['classes'])
        zeros = np.zeros((size, size), np.int64)
        return dict(counts=zeros, degraded_counts=zeros)

    def add(self, result: dict, inputs, sample: dict) -> None:
        label = labels(sample)
        if label is not None:
            size = len(result['counts'])
            counts = confusion(label, prediction(sample), size, label != 255)
            result['counts'] = result['counts'] + counts
            if sample.get('degraded'):
                result['degraded_counts'] = result['degraded_counts'] + counts

    def summarise(self, results: list[dict]) -> dict[str, float]:
        counts = sum(result['counts'] for result in results)
        if not counts.any():
            raise ValueError(
                'SequenceIoUMetric compares with labels, but no frame has one'
            )
        figures = self._figures(counts)
        degraded = sum(result['degraded_counts'] for result in results)
        for subset, part in dict(
            clean=counts - degraded, degraded=degraded
        ).items():
            if degraded.any() and part.any():
                of_part = self._figures(part).items()
                figures |= {f'{name}_{subset}': v for name, v in of_part}
        return figures

    @staticmethod
    def _figures(counts: np.ndarray) -> dict[str, float]:
        true = counts.sum(1)
        right = np.diag(counts)
        recall = np.where(true > 0, right / np.maximum(true, 1), np.nan)
        # A resampled set may lack a class altogether.
        return dict(
            mIoU=np.nanmean(class_iou(counts)),
            mAcc=np.nanmean(recall),
            aAcc=right.sum() / true.sum(),
        )
