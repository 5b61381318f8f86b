import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.distributed as dist
from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook as _CheckpointHook
from mmengine.hooks import EMAHook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch import Tensor

from .. import atomic_backend  # noqa: F401, registers it
from ..checkpoints import run_of
from ..plain import restore_histories, to_plain
from ..train_loop import VALIDATED
from ..weights import read_checkpoint
from ..work_dir import set_run
from .sequence_state_hook import unwrap


class _RemovalsLast:
    """A file backend whose removals wait for the end of a block."""

    def __init__(self, backend):
        self._backend, self._waiting, self._depth = backend, [], 0

    def __getattr__(self, name: str):
        return getattr(self._backend, name)

    def remove(self, path: str) -> None:
        self._waiting.append(path)

    @contextlib.contextmanager
    def removals_last(self) -> Iterator[None]:
        self._depth += 1
        try:
            yield
        except BaseException:
            # What was to replace them may not be there.
            self._waiting.clear()
            raise
        finally:
            self._depth -= 1
        if not self._depth:
            for path in self._waiting:
                if self._backend.isfile(path):
                    self._backend.remove(path)
            self._waiting.clear()


@HOOKS.register_module(name='CheckpointHook')
class SafeCheckpointHook(_CheckpointHook):
    """MMEngine's ``CheckpointHook``; a whole checkpoint is there at any time.

    It takes the place of ``CheckpointHook`` within the scope ``mmseg``.

    - Local files are replaced whole (:class:`AtomicLocalBackend`), unless
      ``backend_args`` say otherwise; MMEngine writes into the one that is
      there.
    - An old checkpoint, the best one too, is removed when the new one is
      written; MMEngine removes it before.
    - A checkpoint is data: what it holds can be read without unpickling
      anything.
    - It has all that a training needs to go on exactly: beside MMEngine's, the
      buffers of the other processes where they differ, the gradients that
      are being accumulated, and whether the model was validated.
    - It has the training's identity, so that those of another training in the
      same folder are told apart.
    - Paths in it count relative to the work dir, which may be moved.

    Args:
        args, kwargs: :class:`CheckpointHook`'s.
    """

    def __init__(self, *args, **kwargs):
        local = '://' not in str(kwargs.get('out_dir'))
        if local and not kwargs.get('file_client_args'):
            kwargs.setdefault('backend_args', dict(backend='atomic_local'))
        super().__init__(*args, **kwargs)
        self._run = self._resumed = self._processes = None
        self._left_over, self._trains = [], False
        self._written = 0
        self.saved_iter = None  # of the last checkpoint

    # -- a training begins, or goes on

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        if not runner._resume:
            return
        restore_histories(checkpoint.get('message_hub', {}))
        self._run = run_of(checkpoint)
        self._resumed = checkpoint.pop('processes', None)
        self.saved_iter = checkpoint['meta'].get('iter')
        meta = checkpoint['meta']
        # Equal is enough for us; MMEngine compares pickles.
        ours = getattr(runner.train_dataloader.dataset, 'metainfo', None)
        if meta.get('dataset_meta') == to_plain(ours):
            meta['dataset_meta'] = ours

    def before_train(self, runner: Runner) -> None:
        super().before_train(runner)
        self._trains = True
        self.file_backend = _RemovalsLast(self.file_backend)
        self._find_again(runner)
        if self._resumed is not None:
            self._restore(runner)
        if not is_main_process():
            return
        self._run = set_run(runner.work_dir, self._run)
        if runner._resume and self.max_keep_ckpts > 0:
            self._left_over = self._find_left_over(runner)

    def _find_again(self, runner: Runner) -> None:
        """The best checkpoints of a work dir that was moved."""

        def here(path: str | None) -> str | None:
            if not path:
                return path
            name = re.split(r'[/\\]', str(path))[-1]
            return self.file_backend.join_path(self.out_dir, name)

        hub = runner.message_hub
        for key, value in list(hub.runtime_info.items()):
            if key == 'last_ckpt' or (
                key.startswith('best_ckpt') and isinstance(value, str)
            ):
                hub.update_info(key, here(value))
        if getattr(self, 'best_ckpt_path', None):
            self.best_ckpt_path = here(self.best_ckpt_path)
        for key, path in getattr(self, 'best_ckpt_path_dict', {}).items():
            self.best_ckpt_path_dict[key] = here(path)

    def _find_left_over(self, runner: Runner) -> list[Path]:
        """This training's checkpoints that nobody counts any more: written
        where it was stopped, or not removed where it was killed."""
        begin, end = map(re.escape, self.filename_tmpl.split('{}'))
        name = re.compile(rf'{begin}(\d+)(_iter_\d+)?{end}')
        done = runner.epoch if self.by_epoch else runner.iter
        return [
            path
            for path in Path(self.out_dir).iterdir()
            if (match := name.fullmatch(path.name))
            and int(match[1]) <= done
            and (match[2] or int(match[1]) not in self.keep_ckpt_ids)
            and self._is_ours(path)
        ]

    def _is_ours(self, path: Path) -> bool:
        try:
            return run_of(read_checkpoint(path, 'cpu')) == self._run
        except ValueError:
            return False

    # -- a checkpoint is written

    def _save_checkpoint_with_step(
        self, runner: Runner, step: int | str, meta: dict
    ) -> None:
        self._processes = _processes_state(runner)
        with self.file_backend.removals_last():
            super()._save_checkpoint_with_step(runner, step, meta)
            for path in self._left_over:
                if path.name != self.filename_tmpl.format(step):
                    self.file_backend.remove(str(path))
            self._left_over = []
        self._processes = None
        self.saved_iter = meta['iter']
        self._written += 1

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        if not self.save_best:
            return
        with self.file_backend.removals_last():
            super()._save_best_checkpoint(runner, metrics)

    def after_val_epoch(self, runner: Runner, metrics=None) -> None:
        if not self._trains:
            super().after_val_epoch(runner, metrics)
            return
        hub = runner.message_hub
        hub.update_info(VALIDATED, runner.iter)
        # As in a training without a break; one that was resumed to make up
        # for its last validation begins with the iterations that are done.
        if runner.iter:
            hub.update_info('iter', runner.iter - 1)
        written = self._written
        super().after_val_epoch(runner, metrics)
        if self.saved_iter == runner.iter and self._written == written:
            # MMEngine writes it again only with a new best one; without that
            # a resumed training could not know that it was validated.
            self._save_checkpoint_with_step(
                runner,
                runner.epoch if self.by_epoch else runner.iter,
                dict(epoch=runner.epoch, iter=runner.iter),
            )

    def save_extra(self, runner: Runner, done: int) -> str:
        """A checkpoint after so many iterations, beside those that are kept:
        it goes when a resumed training has written its next one.

        Where checkpoints count epochs, it is named after both, such as
        ``epoch_3_iter_350.pth``. Returns its path.
        """
        step = f'{runner.epoch}_iter_{done}' if self.by_epoch else done
        keep, self.max_keep_ckpts = self.max_keep_ckpts, -1
        try:
            self._save_checkpoint_with_step(
                runner, step, dict(epoch=runner.epoch, iter=done)
            )
        finally:
            self.max_keep_ckpts = keep
        return self.last_ckpt

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        checkpoint['meta']['run'] = self._run
        if self._processes is not None:
            checkpoint['processes'] = self._processes
        plain = to_plain(checkpoint)
        checkpoint.clear()
        checkpoint.update(plain)

    # -- what each process has of its own

    def _restore(self, runner: Runner) -> None:
        states, self._resumed = self._resumed, None
        if len(states) != runner.world_size:
            print_log(
                f'the checkpoint was written by {len(states)} processes, this '
                f'training has {runner.world_size}: it goes on, but not '
                'exactly as it would have',
                'current',
                30,
            )
            return
        tensors = _own_tensors(runner)
        for name, value in states[runner.rank].items():
            kind, key = name.split(':', 1)
            if kind == 'gradient':
                parameter = tensors['parameter'][key]
                parameter.grad = value.to(parameter)
            else:
                tensors[kind][key].data.copy_(value)


def _own_tensors(runner: Runner) -> dict[str, dict[str, Tensor]]:
    """Parameters, and the buffers that processes may not share."""
    model = unwrap(runner.model)
    averages = [h.ema_model for h in runner.hooks if isinstance(h, EMAHook)]
    return dict(
        parameter=dict(model.named_parameters()),
        buffer=dict(model.named_buffers()),
        average={k: v for m in averages for k, v in m.named_buffers()},
    )


def _processes_state(runner: Runner) -> list[dict[str, Tensor]]:
    """Of each process, what a checkpoint of the first one lacks: gradients
    that are being accumulated, and buffers that differ (batch norm counts for
    itself in each). In the others it is empty."""
    tensors = _own_tensors(runner)
    own = {
        f'gradient:{name}': parameter.grad.detach().cpu()
        for name, parameter in tensors['parameter'].items()
        if parameter.grad is not None
    }
    if runner.world_size == 1:
        return [own]
    for kind in ('buffer', 'average'):
        own |= {
            f'{kind}:{name}': value.detach().cpu()
            for name, value in tensors[kind].items()
        }
    states = [None] * runner.world_size if runner.rank == 0 else None
    dist.gather_object(own, states)
    if states is None:
        return []
    first = states[0]
    return [
        {
            name: value
            for name, value in state.items()
            if name.startswith('gradient:')
            or not torch.equal(value, first[name])
        }
        for state in states
    ]
