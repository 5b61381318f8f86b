"""Samples that depend on the seed and their place in a training alone.

A training draws its samples one after another. The k-th of them, counted over
all processes, is prepared with random numbers seeded from (seed, k): whoever
prepares it, and whenever. So a resumed training sees the samples that it would
have seen, with any number of workers, and two processes see those of one with
the doubled batch.
"""

import itertools
import os
import random
import signal
from collections.abc import Iterator

import numpy as np
import torch
from mmengine.dist import get_dist_info
from mmseg.registry import DATA_SAMPLERS, DATASETS
from torch.utils.data import BatchSampler, Sampler


def mixed_seed(*numbers: int) -> int:
    """A seed in [0, 2**63) from several numbers >= 0."""
    low, high = np.random.SeedSequence(numbers).generate_state(2)
    return (int(high) << 31) ^ int(low)


def seed_all(seed: int) -> None:
    """Seed the generators of Python, NumPy and PyTorch, of the CPU: it is
    called for each sample, and ``torch.manual_seed`` takes ten times as
    long."""
    random.seed(seed)
    np.random.seed([seed & 0xFFFFFFFF, seed >> 32])
    torch.default_generator.manual_seed(seed)


@DATASETS.register_module()
class SeededSamples:
    """Maps (index, seed) to the dataset's sample of that index, prepared with
    random numbers from that seed.

    Args:
        dataset (dict): The config of any dataset, whose other attributes this
            has too.
    """

    def __init__(self, dataset: dict):
        self.dataset = DATASETS.build(dataset)

    def __getattr__(self, name: str):
        if name == 'dataset' or name.startswith('__'):
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, place: tuple[int, int]) -> dict:
        index, seed = place
        seed_all(seed)
        return self.dataset[index]


@DATA_SAMPLERS.register_module()
class SeededBatches(Sampler):
    """Batches of (index, seed) without end, from any iteration on.

    A sampler that ends begins its next epoch, without the workers being made
    anew. Batches that were trained on are skipped as indices: nothing is read.

    Args:
        sampler (Sampler): What gives the indices.
        batch_size (int): Of one process.
        seed (int): Of the training.
        drop_last (bool): Whether an epoch's incomplete batch is left out.
            Defaults to False.
        batches (dict | None): The config of another batch sampler. Defaults
            to None, PyTorch's.
    """

    def __init__(
        self,
        sampler: Sampler,
        batch_size: int,
        seed: int,
        drop_last: bool = False,
        batches: dict | None = None,
    ):
        self.sampler, self.batch_size, self.seed = sampler, batch_size, seed
        if batches is None:
            self.batches = BatchSampler(sampler, batch_size, drop_last)
        else:
            self.batches = DATA_SAMPLERS.build(
                batches,
                default_args=dict(sampler=sampler, batch_size=batch_size),
            )
        self._done = 0
        self._rank, self._world_size = get_dist_info()

    def skip(self, iterations: int) -> None:
        """The next iterator begins after so many batches of the training."""
        self._done = iterations

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        place = 0
        for number, batch in enumerate(self._all_batches()):
            if number >= self._done:
                yield [
                    (index, self._seed_of(place + i))
                    for i, index in enumerate(batch)
                ]
            place += len(batch)

    def _all_batches(self) -> Iterator[list[int]]:
        for epoch in itertools.count():
            if hasattr(self.sampler, 'set_epoch'):
                self.sampler.set_epoch(epoch)
            empty = True
            for batch in self.batches:
                empty = False
                yield batch
            if empty:
                raise ValueError(
                    f'the training data gives no batch of {self.batch_size}: '
                    'lower train_dataloader.batch_size'
                )

    def _seed_of(self, place: int) -> int:
        return mixed_seed(self.seed, 0, place * self._world_size + self._rank)


def seeded_loader(loader: dict, seed: int) -> dict:
    """The config of a loader whose samples are seeded, see the module."""
    loader = dict(loader)
    loader['batch_sampler'] = dict(
        type='SeededBatches',
        seed=seed,
        drop_last=loader.pop('drop_last', False),
        batches=loader.pop('batch_sampler', None),
    )
    loader['dataset'] = dict(type='SeededSamples', dataset=loader['dataset'])
    loader.setdefault('worker_init_fn', dict(type=_leave_group))
    return loader


def _leave_group(worker_id: int) -> None:
    """Signals to the whole job are the training's to answer: it ends its
    iteration, then its workers."""
    os.setpgrp()
    for name in ('SIGINT', 'SIGUSR1'):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
