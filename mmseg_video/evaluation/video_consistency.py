from collections import deque
from collections.abc import Sequence

import numpy as np
from mmengine.logging import print_log
from mmseg.registry import METRICS

from .sequence_metric import SequenceMetric, labels, prediction


@METRICS.register_module()
class VideoConsistencyMetric(SequenceMetric):
    """VC_n of VSPW (Miao et al., CVPR 2021), for labels on every frame.

    Over every window of n frames: of the pixels whose label is the same in
    all n frames, the share that is predicted right in all n; the mean over
    all windows of all sequences. Windows where no label stays are left out.

    The authors' code counts otherwise: a prediction need only be the same in
    all n frames, right or not; ignored pixels count as a class; and the last
    window of each sequence is left out. ``VC8_VSPW_code`` is that number, for
    comparison with published ones; ``VC8`` is the one to go by.

    Args:
        lengths (Sequence[int]): Each n. Defaults to (8, 16).
        kwargs: :class:`SequenceMetric`'s.

    Raises:
        ValueError: If a length is below 2; if frames have no labels; if no
            sequence is as long as the shortest window.
    """

    def __init__(
        self,
        lengths: Sequence[int] = (8, 16),
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not lengths or min(lengths) < 2:
            raise ValueError(
                f'lengths must be numbers of frames >= 2, got {lengths}'
            )
        self.lengths = sorted(set(lengths))

    def begin(self) -> dict:
        self._labels = deque(maxlen=self.lengths[-1])
        self._predictions = deque(maxlen=self.lengths[-1])
        sums = dict(sum=0.0, windows=0, code_sum=0.0, code_windows=0)
        return dict(unlabelled=0, **{f'VC{n}': {**sums} for n in self.lengths})

    def interrupt(self) -> None:
        self._labels.clear()
        self._predictions.clear()

    def add(self, result: dict, inputs, sample: dict) -> None:
        label = labels(sample)
        if label is None and self.on_missing == 'skip':
            result['unlabelled'] += 1
            self.interrupt()
            return
        if label is None:
            raise ValueError(
                'VideoConsistencyMetric needs a label on every frame, frame '
                f"{sample['frame_id']} of '{sample['sequence']}' has none: "
                'take it out of the evaluator, or name the labels (street '
                'scenes: --all-labels)'
            )
        self._labels.append(label)
        self._predictions.append(prediction(sample))
        for n in self.lengths:
            if len(self._labels) >= n:
                self._add_window(result[f'VC{n}'], n)

    def _add_window(self, sums: dict, n: int) -> None:
        true = list(self._labels)[-n:]
        guessed = list(self._predictions)[-n:]
        # Theirs leaves the last window out: count the one before instead.
        sums['code_sum'] += sums.pop('pending', 0.0)
        sums['code_windows'] += sums.pop('pending_windows', 0)
        still = np.logical_and.reduce([x == true[0] for x in true[1:]])
        same = np.logical_and.reduce([x == guessed[0] for x in guessed[1:]])
        if still.any():
            sums['pending'] = np.count_nonzero(same & still) / still.sum()
            sums['pending_windows'] = 1
        still &= true[0] != 255
        if still.any():
            right = same & (guessed[0] == true[0])
            sums['sum'] += np.count_nonzero(right & still) / still.sum()
            sums['windows'] += 1

    def summarise(self, results: list[dict]) -> dict[str, float]:
        unlabelled = sum(result['unlabelled'] for result in results)
        if unlabelled:
            frames = sum(result['frames'] for result in results)
            raise ValueError(
                f'VideoConsistencyMetric needs a label on every frame, '
                f'{unlabelled} of {frames} have none'
            )
        figures = {}
        for n in self.lengths:
            total = {
                key: sum(result[f'VC{n}'][key] for result in results)
                for key in ('sum', 'windows', 'code_sum', 'code_windows')
            }
            if total['windows']:
                figures[f'VC{n}'] = total['sum'] / total['windows']
            else:
                print_log(
                    f'VC{n} is left out: no window of {n} frames to count',
                    'current',
                    30,
                )
            if total['code_windows']:
                figures[f'VC{n}_VSPW_code'] = (
                    total['code_sum'] / total['code_windows']
                )
        if not figures:
            raise ValueError(
                f'VideoConsistencyMetric: no sequence has {self.lengths[0]} '
                'labelled frames: test with --stream, or name shorter lengths'
            )
        return figures
