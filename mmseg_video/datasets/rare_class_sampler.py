from collections.abc import Iterator

import numpy as np
from mmengine.dataset import InfiniteSampler
from mmengine.dist import broadcast_object_list, is_main_process
from mmseg.registry import DATA_SAMPLERS

from .base_sequence import BaseSequenceDataset
from .class_statistics import class_pixels


@DATA_SAMPLERS.register_module()
class RareClassSampler(InfiniteSampler):
    """Draws clips without end, those that show rare classes more often.

    A class c is drawn by ::

        P(c) ~ exp((1 - f_c) / T)

    with f_c its share of all labelled pixels, then one of the clips that
    show it, each alike (Hoyer et al., "DAFormer", CVPR 2022, equation 12).
    Statistics are computed by the first process, and given to the others.

    Args:
        dataset (BaseSequenceDataset): What is sampled.
        temperature (float): T; the smaller, the more rare classes. Defaults
            to 0.01, DAFormer's for Cityscapes.
        min_pixels (int): With how many pixels a clip shows a class; where no
            clip has as many, one is enough. Defaults to 3000, DAFormer's for
            1024x2048.
        cache_dir (str | None): Where statistics are kept, see
            :func:`class_pixels`. Defaults to None.
        shuffle (bool): There for mmengine's configs; must be True.
        seed (int | None): Of the draws, the same in all processes. Defaults
            to None, mmengine's.

    Raises:
        ValueError: If an argument is out of range, or nothing is labelled.
    """

    def __init__(
        self,
        dataset: BaseSequenceDataset,
        temperature: float = 0.01,
        min_pixels: int = 3000,
        cache_dir: str | None = None,
        shuffle: bool = True,
        seed: int | None = None,
    ):
        if temperature <= 0:
            raise ValueError(f'temperature must be > 0, got {temperature}')
        if not shuffle:
            raise ValueError('RareClassSampler draws: it needs shuffle=True')
        super().__init__(dataset, shuffle, seed)
        statistics = [None]
        if is_main_process():
            statistics = [class_pixels(dataset, cache_dir)]
        broadcast_object_list(statistics)
        pixels = statistics[0]
        if not pixels.any():
            raise ValueError('RareClassSampler: no sample has a label')
        self.classes = np.flatnonzero(pixels.any(axis=0)).tolist()
        self.probabilities = rare_class_probabilities(
            pixels[:, self.classes].sum(axis=0), temperature
        )
        self.samples = {}
        for c in self.classes:
            enough = np.flatnonzero(pixels[:, c] >= max(1, min_pixels))
            if not len(enough):
                enough = np.flatnonzero(pixels[:, c])
            self.samples[c] = enough

    def _infinite_indices(self) -> Iterator[int]:
        rng = np.random.default_rng(self.seed)
        while True:
            c = rng.choice(self.classes, p=self.probabilities)
            yield int(rng.choice(self.samples[int(c)]))


def rare_class_probabilities(
    pixels: np.ndarray, temperature: float
) -> np.ndarray:
    """P(c), (classes,), from the pixels of each class, (classes,)."""
    exponents = (1 - pixels / pixels.sum()) / temperature
    weights = np.exp(exponents - exponents.max())
    return weights / weights.sum()
