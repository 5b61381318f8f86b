"""How a trained model sees the frames that it labels: each alone, or in its
video."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.dataset import pseudo_collate
from torch import Tensor
from torch.utils.data import DataLoader, Subset

from ..datasets import BaseSequenceDataset
from ..engine.launch import autocast_test
from .pseudo_labels import ensemble
from .two_sided import OFFLINE, check_two_sided
from .video_seg_inferencer import VideoSegInferencer


@dataclass
class FramesAlone:
    """Each frame over scales and mirror images, see :func:`ensemble`.

    Args:
        inferencer (VideoSegInferencer): Of a model of mmseg or ours; a
            recurrent one sees stills.
        scales (Sequence[float]): Defaults to (0.75, 1.0, 1.25).
        flip (bool): Whether mirror images count too. Defaults to True.
        amp (bool): Mixed precision. Defaults to False.

    Raises:
        ValueError: If a scale is none.
    """

    inferencer: VideoSegInferencer
    scales: Sequence[float] = (0.75, 1.0, 1.25)
    flip: bool = True
    amp: bool = False

    def __post_init__(self):
        if not self.scales or not all(0.05 <= s <= 20 for s in self.scales):
            raise ValueError(
                f'scales are {list(self.scales)}, expected numbers from 0.05 '
                'to 20, such as 0.75 1 1.25'
            )

    @property
    def settings(self) -> dict:
        return dict(scales=list(self.scales), flip=self.flip)

    def units(self, dataset, frames: Sequence[int]) -> list[list[int]]:
        """What several processes share: single frames."""
        return [[index] for index in frames]

    def probabilities(
        self, dataset: BaseSequenceDataset, frames: Sequence[int], workers: int
    ) -> Iterator[tuple[int, Tensor]]:
        """Frame -> (classes, H, W), at the size that the frame has on disk."""
        model = self.inferencer.model
        if hasattr(model, 'reset_states') and model.test_cfg:
            # Scales and flips share no state.
            model.test_cfg['streaming'] = False
        loader = _loader(dataset, frames, workers)
        for index, batch in zip(frames, loader, strict=True):
            height, width = batch['inputs'][0].shape[-2:]
            inputs = model.data_preprocessor(batch)['inputs']
            # (1, 1, C, H, W) of a clip preprocessor
            inputs = inputs.reshape(-1, *inputs.shape[-3:])
            inputs = inputs[:, :, :height, :width]  # without what it padded
            with autocast_test(self.amp, inputs.device):
                size = _size(batch)
                yield (
                    index,
                    ensemble(model, inputs, size, self.scales, self.flip)[0],
                )


@dataclass
class FramesInVideo:
    """Each frame with its past and its future, by the two-sided filter.

    Flat and dark frames are labelled by those around them.

    Args:
        inferencer (VideoSegInferencer): One of :func:`steady`, with a filter
            and ``probabilities=True``.

    Raises:
        ValueError: If it has no filter that looks at the future.
    """

    inferencer: VideoSegInferencer

    def __post_init__(self):
        check_two_sided(self.inferencer)

    @property
    def settings(self) -> dict:
        return dict(offline=True)

    def units(self, dataset, frames: Sequence[int]) -> list[list[int]]:
        """What several processes share: the frames of a sequence."""
        return list(_by_sequence(dataset, frames))

    def probabilities(
        self, dataset: BaseSequenceDataset, frames: Sequence[int], workers: int
    ) -> Iterator[tuple[int, Tensor]]:
        """Frame -> (classes, H, W), at the size that the frame has on disk."""
        asked = {*frames}
        for sequence in _by_sequence(dataset, range(len(dataset))):
            if asked.isdisjoint(sequence):
                continue
            sizes: deque[tuple[int, int]] = deque()
            loader = _loader(dataset, sequence, workers)
            video = self.inferencer.predict(_video(loader, sizes), lag=OFFLINE)
            for index, prediction in zip(sequence, video, strict=True):
                size = sizes.popleft()
                if index in asked:
                    scores = torch.from_numpy(prediction.probabilities)
                    yield index, _resized(scores, size)


def _by_sequence(
    dataset: BaseSequenceDataset, frames: Sequence[int]
) -> Iterator[list[int]]:
    def sequence(index: int) -> str:
        return dataset.get_data_info(index)['sequence']

    for _, group in groupby(frames, sequence):
        yield list(group)


def _loader(
    dataset: BaseSequenceDataset, frames: Sequence[int], workers: int
) -> DataLoader:
    return DataLoader(
        Subset(dataset, frames), num_workers=workers, collate_fn=pseudo_collate
    )


def _size(batch: dict) -> tuple[int, int]:
    return tuple(batch['data_samples'][0].ori_shape[:2])


def _video(loader: DataLoader, sizes: deque) -> Iterator[np.ndarray]:
    """Frames (H, W, 3) as the config reads them; their sizes on disk go into
    ``sizes``."""
    for batch in loader:
        sizes.append(_size(batch))
        frame = batch['inputs'][0]  # (1, C, H, W) or (C, H, W)
        frame = frame.reshape(frame.shape[-3:])
        yield np.ascontiguousarray(frame.permute(1, 2, 0).numpy())


def _resized(scores: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(scores.shape[1:]) == size:
        return scores
    return F.interpolate(
        scores[None], size, mode='bilinear', align_corners=False
    )[0]
