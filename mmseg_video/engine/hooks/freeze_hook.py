from collections.abc import Sequence

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import MMDistributedDataParallel, is_model_wrapper
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch import nn

from .sequence_state_hook import unwrap


@HOOKS.register_module()
class FreezeHook(Hook):
    """Trains only the rest of the model, for the first n iterations.

    The frozen modules are as in a test (batch norm by its running
    statistics, no dropout), get no gradient, and keep every tensor bit for
    bit; the gradient still passes through them. Afterwards they are as if
    they had never been frozen. What is frozen depends on the iteration alone,
    so a resumed training goes on as it was.

    ``MMDistributedDataParallel`` waits for the gradients of the parameters
    that trained when it was made, so it is made anew at both ends; nothing
    needs to be set for it. Other wrappers are refused.

    Args:
        num_iters (int | None): n. Defaults to None, the whole training.
        modules (Sequence[str]): Their names in the segmentor. Defaults to
            ('backbone', 'decode_head').

    Raises:
        ValueError: If a module does not exist, or nothing is left to train.
        TypeError: If another wrapper than the one named is around the model.
    """

    def __init__(
        self,
        num_iters: int | None = None,
        modules: Sequence[str] = ('backbone', 'decode_head'),
    ):
        if num_iters is not None and num_iters < 1:
            raise ValueError(f'num_iters must be >= 1, got {num_iters}')
        self.num_iters = float('inf') if num_iters is None else num_iters
        self.names = tuple(modules)
        self._frozen: list[nn.Parameter] = []

    def before_train(self, runner: Runner) -> None:
        if runner.iter >= self.num_iters:
            return
        modules = self._modules(runner)
        # What the config freezes for good is not this hook's to release.
        self._frozen = [
            p for m in modules for p in m.parameters() if p.requires_grad
        ]
        self._set_trainable(runner, False)
        left = sum(
            p.numel() for p in runner.model.parameters() if p.requires_grad
        )
        if not left:
            raise ValueError(
                f'FreezeHook: beside {", ".join(self.names)} there is nothing '
                'in the model to train'
            )
        end = f'until iteration {self.num_iters}'
        if self.num_iters == float('inf'):
            end = 'for the whole training'
        print_log(
            f'{", ".join(self.names)}: frozen {end}; {left} parameters train',
            logger='current',
        )

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch=None
    ) -> None:
        if runner.iter < self.num_iters:
            # The loop sets the whole model to train mode at each iteration.
            for module in self._modules(runner):
                module.eval()
        elif self._frozen:
            self._set_trainable(runner, True)
            print_log(
                f'{", ".join(self.names)}: not frozen any more',
                logger='current',
            )
            self._frozen = []

    def _modules(self, runner: Runner) -> list[nn.Module]:
        model = unwrap(runner.model)
        modules = dict(model.named_modules())
        unknown = [name for name in self.names if name not in modules]
        if unknown:
            children = [name for name, _ in model.named_children()]
            raise ValueError(
                f'FreezeHook: the model has no {", ".join(unknown)}; it has '
                f'{", ".join(children)}'
            )
        return [modules[name] for name in self.names]

    def _set_trainable(self, runner: Runner, trainable: bool) -> None:
        for parameter in self._frozen:
            parameter.requires_grad_(trainable)
        if not is_model_wrapper(runner.model):
            return
        if not isinstance(runner.model, MMDistributedDataParallel):
            raise TypeError(
                'FreezeHook knows how to freeze inside '
                'MMDistributedDataParallel, not inside '
                f'{type(runner.model).__name__}'
            )
        training = runner.model.training
        model, runner.model = runner.model.module, None
        runner.model = runner.wrap_model(
            runner.cfg.get('model_wrapper_cfg'), model
        ).train(training)
