import torch
from mmengine.dist import all_reduce
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch import Tensor
from torch.nn.utils import get_total_norm

from ..weights import read_checkpoint
from .sequence_state_hook import unwrap


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stops a training at the first loss or weight that is NaN or infinite;
    MMEngine trains on.

    After each iteration its loss and the norm of all trained weights are
    looked at, on their device: one number is waited for, at a time when
    MMEngine waits for the losses anyway. The error names the iteration, the
    losses and the images, and all processes stop where one of them has such a
    loss. Before every checkpoint and validation all tensors are looked at,
    buffers too, so that the last checkpoint is a good one.

    Raises:
        RuntimeError: With the iteration, the losses and the images.
    """

    # Before CheckpointHook.
    priority = 'ABOVE_NORMAL'

    def __init__(self):
        self._trained = False  # since the last look at all tensors

    def before_train(self, runner: Runner) -> None:
        self._weights = [
            p for p in unwrap(runner.model).parameters() if p.numel()
        ]

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        self._trained = True
        losses = {
            name: torch.as_tensor(value).detach().float().mean()
            for name, value in (outputs or {}).items()
            if 'loss' in name
        }
        # It is of the weights after the step; a step that the loss scale
        # leaves out leaves them as they are.
        trained = [w.detach() for w in self._weights if w.requires_grad]
        norm = get_total_norm(trained)
        total = losses.get('loss', norm.new_zeros(())).to(norm)
        broken = (~torch.stack([total, norm]).isfinite()).int()
        all_reduce(broken, 'max')
        loss_broken, weights_broken = broken.tolist()
        if loss_broken:
            samples = (data_batch or {}).get('data_samples') or []
            images = [s.metainfo.get('img_path', '?') for s in samples]
            raise RuntimeError(_of_losses(runner, losses, images))
        if weights_broken or self._saves(runner):
            self._look_at_all(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        self._look_at_all(runner)

    def before_val_epoch(self, runner: Runner) -> None:
        # Within a training: the best checkpoint is written after it.
        if self._trained:
            self._look_at_all(runner)

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

    def _look_at_all(self, runner: Runner) -> None:
        """A finite loss may have had a gradient that was not."""
        self._trained = False
        names = not_finite(unwrap(runner.model).state_dict())
        if names:
            raise RuntimeError(
                f'after iteration {runner.iter + 1} {len(names)} tensors of '
                f"weights are not finite, such as '{names[0]}', while the "
                'loss is: no checkpoint is written. '
                f'{_last_checkpoint(runner)}; lower the learning rate or clip '
                'the gradient'
            )


def not_finite(state_dict: dict[str, Tensor]) -> list[str]:
    """Names of the tensors that hold NaN or infinity."""
    weights = {
        name: value
        for name, value in state_dict.items()
        if isinstance(value, Tensor)
        and value.is_floating_point()
        and value.numel()
    }
    if not weights:
        return []
    # One wait for the GPU, not one for each tensor.
    finite = torch.stack([w.isfinite().all() for w in weights.values()])
    return [n for n, f in zip(weights, finite.tolist(), strict=True) if not f]


def _of_losses(
    runner: Runner, losses: dict[str, Tensor], images: list[str]
) -> str:
    losses = {name: float(value) for name, value in losses.items()}
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
    return (
        f'the loss of iteration {runner.iter + 1} is not finite: {what}, with '
        f'{losses} on {images}. {_last_checkpoint(runner)}; check the weight '
        'of that loss and those images, lower the learning rate or clip the '
        'gradient'
    )


def _last_checkpoint(runner: Runner) -> str:
    """The sentence that names it; it is read again before it is named."""
    path = runner.message_hub.runtime_info.get('last_ckpt')
    try:
        if path and not not_finite(read_checkpoint(path, 'cpu')['state_dict']):
            return f"The last good checkpoint is '{path}'"
    except (OSError, ValueError, KeyError):
        pass
    return 'There is no good checkpoint yet'
