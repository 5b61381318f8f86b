import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch import Tensor


@HOOKS.register_module()
class FiniteLogitsHook(Hook):
    """Ends a test, or a validation, whose logits are NaN or infinite: their
    labels are those of class 0, and the figures look like any others.

    Raises:
        RuntimeError: With the image.
    """

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        for sample in outputs or ():
            logits = sample.get('seg_logits')
            if logits is None or _sum(logits.data).isfinite():
                continue
            raise RuntimeError(
                f"the logits of '{sample.metainfo.get('img_path', '?')}' are "
                'not finite: no figure is written. Look at the weights of '
                'that checkpoint, and test without --amp'
            )

    after_test_iter = after_val_iter


def _sum(logits: Tensor) -> Tensor:
    """Not finite where one of them is not; read once. float16 overflows."""
    return logits.sum(dtype=torch.promote_types(logits.dtype, torch.float32))
