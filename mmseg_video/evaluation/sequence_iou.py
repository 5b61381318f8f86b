import numpy as np
from mmseg.registry import METRICS

from .sequence_metric import SequenceMetric, labels, prediction
from .temporal_consistency import class_iou, confusion


@METRICS.register_module()
class SequenceIoUMetric(SequenceMetric):
    """mmseg's mIoU, mAcc and aAcc, but kept apart by sequence.

    The figures are those of ``IoUMetric``; what it adds are the confusions
    of single sequences, for a bootstrap over them.

    Args:
        kwargs: :class:`SequenceMetric`'s.
    """

    default_prefix = 'sequences'

    def begin(self) -> dict:
        size = len(self.dataset_meta['classes'])
        return dict(counts=np.zeros((size, size), np.int64))

    def add(self, result: dict, inputs, sample: dict) -> None:
        label = labels(sample)
        if label is not None:
            counts = result['counts']
            result['counts'] = counts + confusion(
                label, prediction(sample), len(counts), label != 255
            )

    def summarise(self, results: list[dict]) -> dict[str, float]:
        counts = sum(result['counts'] for result in results)
        if not counts.any():
            raise ValueError(
                'SequenceIoUMetric compares with labels, but no frame has one'
            )
        true = counts.sum(1)
        right = np.diag(counts)
        recall = np.where(true > 0, right / np.maximum(true, 1), np.nan)
        # A resampled set may lack a class altogether.
        return dict(
            mIoU=np.nanmean(class_iou(counts)),
            mAcc=np.nanmean(recall),
            aAcc=right.sum() / true.sum(),
        )
