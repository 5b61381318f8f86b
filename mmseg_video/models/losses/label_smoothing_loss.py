from mmseg.models.losses.utils import get_class_weight, weight_reduce_loss
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from ..two_logits import two_logits


@MODELS.register_module()
class LabelSmoothingLoss(nn.Module):
    """Cross-entropy of logits (N, classes, H, W) against smoothed labels
    (N, H, W).

    A pixel's label has 1 - e + e/classes of the weight and every other class
    e/classes (Szegedy et al., "Rethinking the Inception Architecture", CVPR
    2016). mmseg's ``CrossEntropyLoss`` has none of this; like it, the mean is
    over all pixels, ignored ones count as 0.

    Args:
        smoothing (float): e. Defaults to 0.1.
        class_weight (list[float] | str | None): mmseg's. Defaults to None.
        loss_weight (float): Defaults to 1.
        loss_name (str): Defaults to 'loss_ce'.

    Raises:
        ValueError: If ``smoothing`` is out of range.
    """

    def __init__(
        self,
        smoothing: float = 0.1,
        class_weight: list[float] | str | None = None,
        loss_weight: float = 1.0,
        loss_name: str = 'loss_ce',
    ):
        super().__init__()
        if not 0 <= smoothing < 1:
            raise ValueError(f'smoothing must lie in [0, 1), got {smoothing}')
        self.smoothing = smoothing
        self.class_weight = get_class_weight(class_weight)
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(
        self,
        cls_score: Tensor,
        label: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | None = None,
        ignore_index: int = -100,
    ) -> Tensor:
        cls_score = two_logits(cls_score)
        class_weight = self.class_weight
        if class_weight is not None:
            class_weight = cls_score.new_tensor(class_weight)
        loss = F.cross_entropy(
            cls_score,
            label,
            class_weight,
            reduction='none',
            ignore_index=ignore_index,
            label_smoothing=self.smoothing,
        )
        return self.loss_weight * weight_reduce_loss(
            loss, weight, 'mean', avg_factor
        )
