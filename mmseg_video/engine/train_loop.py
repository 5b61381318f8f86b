"""MMEngine's loops of iterations and of epochs, so that a resumed training
goes on as the one that was never stopped."""

import contextlib
import itertools
from collections.abc import Iterator

import torch
from mmengine import Config
from mmengine.logging import print_log
from mmengine.runner import EpochBasedTrainLoop as _EpochBasedTrainLoop
from mmengine.runner import IterBasedTrainLoop as _IterBasedTrainLoop
from mmengine.runner import Runner
from mmseg.registry import LOOPS
from torch.utils.data import DataLoader

from ..datasets.seeded import mixed_seed, seed_all, seeded_loader

# In the message hub, and so in checkpoints: the iteration after which the
# model was validated last.
VALIDATED = 'last_validated_iter'
# Likewise, of a training that counts epochs: the iterations of one, and how
# many it has done more (below 0: fewer) than in epochs of that length.
LENGTH, SURPLUS = 'epoch_length', 'epoch_surplus'


class Batches:
    """The batches of a loader that never ends; workers start with the first.

    Args:
        dataloader (DataLoader): Of :class:`SeededBatches`.
    """

    def __init__(self, dataloader: DataLoader):
        self._dataloader = dataloader
        self._iterator = None

    def __iter__(self) -> Iterator[dict]:
        return self

    def __next__(self) -> dict:
        if self._iterator is None:
            self._iterator = iter(self._dataloader)
        return next(self._iterator)

    def skip_iter(self, iterations: int) -> None:
        """Begin after so many batches of the training, without reading."""
        self._dataloader.batch_sampler.skip(iterations)
        self._iterator = None

    def end(self) -> None:
        """End the workers, which would else wait for the garbage collector."""
        self._iterator = None


class _ExactLoop:
    """What both loops do in place of MMEngine's.

    Before each iteration all generators are seeded from (seed, iteration,
    process); samples are seeded by :mod:`..datasets.seeded`. A validation that
    was due when the training was killed is made up for.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): A config is seeded; a loader that was
            built elsewhere is taken as it is.
        kwargs: Those of MMEngine's loop.
    """

    def __init__(
        self, runner: Runner, dataloader: DataLoader | dict, **kwargs
    ):
        self._seeded = not isinstance(dataloader, DataLoader)
        if self._seeded:
            dataloader = seeded_loader(dataloader, runner.seed)
        super().__init__(runner, dataloader, **kwargs)
        if self._seeded:
            self.dataloader_iterator = Batches(self.dataloader)

    def replace_dataloader(self, config: dict, done: int) -> None:
        """Go on after so many iterations with other batches; the old workers
        end first."""
        self.dataloader_iterator = self.dataloader = None
        self.dataloader = self.runner.build_dataloader(
            seeded_loader(config, self.runner.seed),
            seed=self.runner.seed,
            diff_rank_seed=self.runner.cfg.get('randomness', {}).get(
                'diff_rank_seed', False
            ),
        )
        self.dataloader_iterator = Batches(self.dataloader)
        self.dataloader_iterator.skip_iter(self._dealt(done))

    def _dealt(self, done: int) -> int:
        """Batches of the data that so many iterations have taken."""
        return done

    def run_iter(self, *args) -> None:
        """One iteration, with random numbers of its own."""
        runner = self.runner
        seed = mixed_seed(runner.seed, 1, self._iter, runner.rank)
        seed_all(seed)
        torch.manual_seed(seed)  # of all devices
        super().run_iter(*args)

    def _go_on(self) -> None:
        """Begin where the training was killed, if it was."""
        if self._iter == 0:
            return
        if hasattr(self, 'dataloader_iterator'):
            self.dataloader_iterator.skip_iter(self._dealt(self._iter))
        line = f'goes on after iteration {self._iter}'
        if self._iter >= self._max_iters:
            line = (
                f'nothing is left to train: {self._iter} of '
                f'{self._max_iters} iterations are done'
            )
        print_log(line, logger='current')
        validated = self.runner.message_hub.runtime_info.get(VALIDATED)
        if validated != self._iter:
            self._decide_current_val_interval()
            self._validate()

    @contextlib.contextmanager
    def _ended(self) -> Iterator[None]:
        """Whatever ends the training: workers end, and signals have their
        old meaning."""
        try:
            yield
        finally:
            if self._seeded:
                self.dataloader_iterator.end()
            for hook in self.runner.hooks:
                getattr(hook, 'release_signals', lambda: None)()

    def _say_what_is_not_exact(self) -> None:
        runner = self.runner
        if not self._seeded:
            print_log(
                'train_dataloader was built outside of the config: resumed, '
                'this training cannot go on exactly as it would have',
                'current',
                30,
            )
        elif runner._randomness_cfg.get('seed') is None:
            print_log(
                f'no seed is set (randomness.seed, --seed): {runner.seed} was '
                'drawn. Started again, this training is another one, and '
                'cannot be resumed exactly before its first checkpoint, '
                'which keeps that seed',
                'current',
                30,
            )


@LOOPS.register_module(name='IterBasedTrainLoop')
class ExactTrainLoop(_ExactLoop, _IterBasedTrainLoop):
    """Iterations whose random numbers depend on the seed and their number.

    It takes the place of ``IterBasedTrainLoop`` within the scope ``mmseg``.
    """

    def run(self):
        """Launch training."""
        runner = self.runner
        self._say_what_is_not_exact()
        runner.call_hook('before_train')
        runner.call_hook('before_train_epoch')
        with self._ended():
            self._go_on()
            while self._iter < self._max_iters and not self.stop_training:
                runner.model.train()
                self.run_iter(next(self.dataloader_iterator))
                self._decide_current_val_interval()
                self._validate()
        runner.call_hook('after_train_epoch')
        runner.call_hook('after_train')
        return runner.model

    def _validate(self) -> None:
        """Where it is due."""
        due = self._iter % self.val_interval == 0
        if (
            self.runner.val_loop is not None
            and self._iter >= self.val_begin
            and (due or self._iter == self._max_iters)
        ):
            self.runner.val_loop.run()


@LOOPS.register_module(name='EpochBasedTrainLoop')
class ExactEpochLoop(_ExactLoop, _EpochBasedTrainLoop):
    """Epochs of iterations whose random numbers depend on the seed and their
    number; resumed within an epoch, it goes on with the next batch.

    Resumed where an epoch has another number of iterations, with other
    processes or another batch size, it has done the same share of its epoch,
    and says so. Iterations count on: checkpoints are ordered by them.

    It takes the place of ``EpochBasedTrainLoop`` within the scope ``mmseg``.
    """

    def run(self):
        """Launch training."""
        runner = self.runner
        self._say_what_is_not_exact()
        self._count_epochs()
        runner.call_hook('before_train')
        with self._ended():
            self._go_on()
            while self._epoch < self._max_epochs and not self.stop_training:
                self.run_epoch()
                self._decide_current_val_interval()
                self._validate()
        runner.call_hook('after_train')
        return runner.model

    def run_epoch(self) -> None:
        """The rest of an epoch."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        for number, batch in enumerate(self._batches(), self._done()):
            self.run_iter(number, batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def _count_epochs(self) -> None:
        """Find the place in the present epoch, by this job's iterations.

        Raises:
            ValueError: If the checkpoint's numbers are not those of epochs.
        """
        hub, length = self.runner.message_hub, len(self.dataloader)
        before, self._surplus = length, 0
        if self._iter:
            before = hub.runtime_info.get(LENGTH, length)
            self._surplus = hub.runtime_info.get(SURPLUS, 0)
        done = self._iter - self._surplus - self._epoch * before
        if not 0 <= done <= before:
            raise ValueError(
                f'the checkpoint was written after {self._iter} iterations in '
                f'epoch {self._epoch + 1}, and an epoch has {before}: resume '
                'it with the loop, the processes and the batch size that it '
                'was trained with'
            )
        if before != length:
            there = done * length // before
            self._surplus = self._iter - there - self._epoch * length
            print_log(
                f'an epoch had {before} iterations and has {length} now '
                '(other processes, another batch size or other data): the '
                f'training goes on after {there} of them in epoch '
                f'{self._epoch + 1}, but not exactly as it would have; '
                'schedules that count iterations keep their old lengths',
                'current',
                30,
            )
        self._max_iters = self._surplus + self._max_epochs * length
        hub.update_info(LENGTH, length)
        hub.update_info(SURPLUS, self._surplus)

    def _dealt(self, done: int) -> int:
        return done - self._surplus

    def _done(self) -> int:
        """Batches of the present epoch that were trained on."""
        return self._dealt(self._iter) - self._epoch * len(self.dataloader)

    def _batches(self) -> Iterator[dict]:
        if not self._seeded:
            left = len(self.dataloader) - self._done()
            yield from itertools.islice(self.dataloader, left)
            return
        for _ in range(self._done(), len(self.dataloader)):
            # A hook may have put another one in its place.
            yield next(self.dataloader_iterator)

    def _validate(self) -> None:
        """Where it is due: an epoch has ended."""
        due = self._epoch % self.val_interval == 0
        if (
            self.runner.val_loop is not None
            and self._done() == 0
            and self._epoch >= self.val_begin
            and (due or self._epoch == self._max_epochs)
        ):
            self.runner.val_loop.run()


def name_loop(cfg: Config) -> None:
    """Name the class of a config's loop where it has ``by_epoch`` alone:
    MMEngine then takes its own."""
    loop = cfg.get('train_cfg') or {}
    if 'by_epoch' in loop and 'type' not in loop:
        kind = 'Epoch' if loop.pop('by_epoch') else 'Iter'
        loop['type'] = f'{kind}BasedTrainLoop'
