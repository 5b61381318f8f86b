from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from ..models.streams import FrameInfo
from .sequence_results import write_results


class SequenceMetric(BaseMetric):
    """A metric of predictions that follow one another in time.

    Samples must come in order, one at a time, and a sequence whole to one
    process (``SequenceSampler``). ``self.results`` holds one dict for each
    sequence, with ``sequence``, ``frames``, and what :meth:`add` keeps there;
    so nothing of a sequence reaches the next, and what is gathered over
    processes is small. Within a sequence, frames are neighbours where they
    would be to the states of a stream (:meth:`FrameInfo.begins_anew`): not
    over a gap in time, nor where their size changes.

    A subclass writes :meth:`begin`, :meth:`add` and :meth:`summarise`.

    Args:
        save_dir (str | None): Where the sequences' results are kept too, as
            ``<name of the metric>.sequences.json``, for a bootstrap over
            them (``tools/compare.py``). Defaults to None.
        on_missing (str): What to do where the data lacks what the figures
            need, labels or neighbouring frames: 'error', or 'skip' to give no
            figure, and say so. Defaults to 'error'.
        kwargs: ``BaseMetric``'s.

    Raises:
        ValueError: If ``on_missing`` is another word.
    """

    def __init__(
        self, save_dir: str | None = None, on_missing: str = 'error', **kwargs
    ):
        super().__init__(**kwargs)
        if on_missing not in ('error', 'skip'):
            raise ValueError(
                f"on_missing must be 'error' or 'skip', got '{on_missing}'"
            )
        self.save_dir = save_dir
        self.on_missing = on_missing

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Take the next frames in.

        Raises:
            ValueError: If the samples do not say where they come from.
        """
        for inputs, sample in zip(
            data_batch['inputs'], data_samples, strict=True
        ):
            if 'sequence' not in sample or 'frame_id' not in sample:
                raise ValueError(
                    f"{type(self).__name__} needs samples with 'sequence' and "
                    "'frame_id': use a sequence dataset, and PackClipInputs"
                )
            info = FrameInfo(
                tuple(sample['pred_sem_seg']['data'].shape[-2:]),
                inputs.dtype,
                *(sample['sequence'], sample['frame_id']),
                sample.get('max_gap'),
            )
            if self._begins(sample):
                self.results.append(
                    dict(sequence=sample['sequence'], frames=0, **self.begin())
                )
            elif info.begins_anew(self._last):
                self.interrupt()
            self._last = info
            self.results[-1]['frames'] += 1
            self.add(self.results[-1], inputs, sample)

    def _begins(self, sample: dict) -> bool:
        if not self.results:
            return True
        same = self.results[-1]['sequence'] == sample['sequence']
        return not same or sample['frame_id'] <= self._last.frame_id

    @abstractmethod
    def begin(self) -> dict:
        """What is kept of a new sequence; forgets the one before."""

    def interrupt(self) -> None:
        """The next frame has no neighbour before it, in the same sequence."""

    @abstractmethod
    def add(self, result: dict, inputs: torch.Tensor, sample: dict) -> None:
        """Take one frame into its sequence's ``result``.

        Args:
            result (dict): What :meth:`begin` gave, and more.
            inputs (Tensor): The clip (T, C, H, W) uint8 that was predicted.
            sample (dict): A ``SegDataSample`` as a dict.
        """

    @abstractmethod
    def summarise(self, results: list[dict]) -> dict[str, float]:
        """Figures, as parts of 1, from the sequences of all processes.

        Raises:
            ValueError: If they lack what the figures need.
        """

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """The figures in percent, from whole sequences, each counted once."""
        if self.save_dir:
            path = f'{self.save_dir}/{type(self).__name__}.sequences.json'
            write_results(path, self.dataset_meta['classes'], results)
        try:
            figures = self.summarise(results)
        except ValueError as error:
            if self.on_missing == 'error':
                raise
            print_log(f'no figure: {error}', logger='current')
            return {}
        return {
            name: round(100 * float(value), 2)
            for name, value in figures.items()
        }


def prediction(sample: dict) -> np.ndarray:
    """The predicted label map (H, W) uint8."""
    label = sample['pred_sem_seg']['data'].squeeze(0)
    return label.to(torch.uint8).cpu().numpy()


def labels(sample: dict) -> np.ndarray | None:
    """The true label map (H, W) uint8, None where nothing is labelled."""
    if 'gt_sem_seg' not in sample:
        return None
    label = sample['gt_sem_seg']['data'].squeeze(0)
    label = label.to(torch.uint8).cpu().numpy()
    return None if (label == 255).all() else label


def frame_of(inputs: torch.Tensor) -> np.ndarray:
    """The predicted frame (H, W, 3) uint8 of a clip (T, C, H, W)."""
    frame = inputs[-1] if inputs.ndim == 4 else inputs
    return np.ascontiguousarray(frame.permute(1, 2, 0).cpu().numpy())
