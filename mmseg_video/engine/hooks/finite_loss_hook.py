from dataclasses import dataclass

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch import Tensor

from .sequence_state_hook import unwrap


@dataclass
class _Iteration:
    """What is kept of one, until it is looked at."""

    number: int
    losses: dict[str, Tensor]
    images: list[str]


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stops a training whose loss is NaN or infinite; MMEngine trains on.

    The losses of every iteration are kept on their device and looked at
    together, since a look waits for the GPU: the error names the first
    iteration that went wrong, its losses and its images. A look comes before
    every checkpoint and validation, and then at the weights too, so that the
    last checkpoint is a good one. All processes stop where one of them has
    such a loss.

    Args:
        interval (int): Every how many iterations to look. Defaults to 10.

    Raises:
        RuntimeError: With the iteration, the losses and the images.
    """

    # Before CheckpointHook, which removes an old one before it writes.
    priority = 'ABOVE_NORMAL'

    def __init__(self, interval: int = 10):
        self.interval = interval
        self._kept = []
        self._trained = False  # since the last look at the weights

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        self._trained = True
        samples = (data_batch or {}).get('data_samples') or []
        self._kept.append(
            _Iteration(
                runner.iter + 1,
                {
                    name: torch.as_tensor(value).detach().float().mean()
                    for name, value in (outputs or {}).items()
                    if 'loss' in name
                },
                [s.metainfo.get('img_path', '?') for s in samples],
            )
        )
        saves = self._saves(runner)
        if saves or self.every_n_train_iters(runner, self.interval):
            self._look(runner)
        if saves:
            self._look_at_weights(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        self._look(runner)
        self._look_at_weights(runner)

    def before_val_epoch(self, runner: Runner) -> None:
        # Within a training: the best checkpoint is written after it.
        if self._trained:
            self._look(runner)
            self._look_at_weights(runner)

    def _saves(self, runner: Runner) -> bool:
        """Whether a checkpoint is written after this iteration."""
        return self.is_last_train_iter(runner) or any(
            isinstance(hook, CheckpointHook)
            and not hook.by_epoch
            and self.every_n_train_iters(
                runner, hook.interval, hook.save_begin
            )
            for hook in runner.hooks
        )

    def _look(self, runner: Runner) -> None:
        kept, self._kept = self._kept, []
        totals = [i.losses['loss'] for i in kept if 'loss' in i.losses]
        if not totals:
            return
        broken = (~torch.stack(totals).isfinite()).int()
        all_reduce(broken, 'max')
        if not broken.any():
            return
        first = kept[int(broken.nonzero()[0])]
        losses = {name: float(value) for name, value in first.losses.items()}
        total = losses.pop('loss')
        bad = {
            name: value
            for name, value in losses.items()
            if not torch.tensor(value).isfinite()
        }
        if bad:
            what = ' and '.join(f'{k} is {v}' for k, v in bad.items())
        elif torch.tensor(total).isfinite():
            what = 'it is finite here, not in another process'
        else:
            what = f'the sum of {losses} is {total}'
        raise RuntimeError(
            f'the loss of iteration {first.number} is not finite: {what}, '
            f'with {losses} on {first.images}. {_last_checkpoint(runner)}; '
            'check the weight of that loss and those images, lower the '
            'learning rate or clip the gradient'
        )

    def _look_at_weights(self, runner: Runner) -> None:
        """A finite loss may have had a gradient that was not."""
        self._trained = False
        weights = {
            name: value
            for name, value in unwrap(runner.model).state_dict().items()
            if value.is_floating_point() and value.numel()
        }
        # One wait for the GPU, not one for each tensor.
        finite = torch.stack([w.isfinite().all() for w in weights.values()])
        if finite.all():
            return
        names = [n for n, f in zip(weights, finite, strict=True) if not f]
        raise RuntimeError(
            f'after iteration {runner.iter + 1} {len(names)} of '
            f'{len(weights)} tensors of weights are not finite, such as '
            f"'{names[0]}', while the loss is: no checkpoint is written. "
            f'{_last_checkpoint(runner)}; lower the learning rate or clip the '
            'gradient'
        )


def _last_checkpoint(runner: Runner) -> str:
    hub = runner.message_hub
    if 'last_ckpt' not in hub.runtime_info:
        return 'No checkpoint was written yet'
    return f"The last good checkpoint is '{hub.get_info('last_ckpt')}'"
