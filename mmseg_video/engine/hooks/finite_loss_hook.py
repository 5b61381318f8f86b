import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stops a training whose loss is NaN or infinite; MMEngine trains on.

    Runs before the checkpoint hook, so no checkpoint is written of that
    iteration or later. All processes stop where one of them has such a loss.

    Args:
        interval (int): Every how many iterations to look, since a look waits
            for the GPU. Checkpoints are only safe where it divides theirs.
            Defaults to 10.

    Raises:
        RuntimeError: With the iteration, the losses and the images.
    """

    priority = 'ABOVE_NORMAL'

    def __init__(self, interval: int = 10):
        self.interval = interval

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        if not self.every_n_train_iters(runner, self.interval):
            return
        losses = {
            k: float(torch.as_tensor(v).detach()) for k, v in outputs.items()
        }
        broken = (~torch.as_tensor(outputs['loss']).detach().isfinite()).int()
        all_reduce(broken, 'max')
        if not broken:
            return
        images = [
            sample.metainfo.get('img_path', '?')
            for sample in data_batch['data_samples']
        ]
        raise RuntimeError(
            f'the loss of iteration {runner.iter + 1} is not finite: {losses} '
            f'on {images}. The last checkpoint is from before; lower the '
            'learning rate or clip the gradient'
        )
