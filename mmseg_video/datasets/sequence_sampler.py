from collections.abc import Iterator

from mmengine.dist import get_dist_info
from mmseg.registry import DATA_SAMPLERS
from torch.utils.data import Sampler

from ..io.partition import partition
from .base_sequence import BaseSequenceDataset


@DATA_SAMPLERS.register_module()
class SequenceSampler(Sampler):
    """Deals whole sequences to processes: a stream's frames stay together.

    Every sample is dealt once, none is repeated to make the shares even: with
    fewer sequences than processes, some have nothing to do. The longest
    sequence goes first, each to the process with the fewest frames so far;
    within a process they run in the order of the dataset.

    Args:
        dataset (BaseSequenceDataset): What is sampled.
        shuffle (bool): There for mmengine's configs; must be False.
        seed (int | None): There for mmengine; not used.

    Raises:
        ValueError: If ``shuffle`` is set.
        TypeError: If the dataset does not know its sequences.
    """

    # SequenceStateHook lets streams through where this is True.
    keeps_sequences_whole = True

    def __init__(
        self,
        dataset: BaseSequenceDataset,
        shuffle: bool = False,
        seed: int | None = None,
    ):
        if shuffle:
            raise ValueError('a stream cannot be shuffled: set shuffle=False')
        if not hasattr(dataset, 'get_data_info'):
            raise TypeError(
                f'SequenceSampler needs a sequence dataset, got '
                f'{type(dataset).__name__}'
            )
        rank, world_size = get_dist_info()
        runs = sequences_of(dataset)
        mine = partition([len(run) for run in runs], world_size)[rank]
        self.indices = sorted(index for i in mine for index in runs[i])

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices)

    def __len__(self) -> int:
        return len(self.indices)

    def set_epoch(self, epoch: int) -> None:
        """Nothing is drawn, so nothing changes."""


def sequences_of(dataset: BaseSequenceDataset) -> list[list[int]]:
    """Runs of sample indices that belong to one sequence, in order."""
    runs, last = [], object()
    for index in range(len(dataset)):
        sequence = dataset.get_data_info(index)['sequence']
        if sequence != last:
            runs.append([])
            last = sequence
        runs[-1].append(index)
    return runs
