from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch.nn.modules.batchnorm import _BatchNorm


@HOOKS.register_module()
class NormEvalHook(Hook):
    """Keeps batch norm at its running statistics during the training.

    mmseg's ``norm_eval`` of a backbone, for the whole model: the statistics
    of batches of one or two clips are noise, those of the framewise baseline
    are not. Weights and biases of the layers still train.
    """

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch=None
    ) -> None:
        # The loop sets the whole model to train mode at each iteration.
        for module in runner.model.modules():
            if isinstance(module, _BatchNorm):
                module.eval()
