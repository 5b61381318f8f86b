from mmseg.models.losses.utils import weight_reduce_loss
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss


@MODELS.register_module()
class SigmoidFocalLoss(nn.Module):
    """Focal loss of logits (N, classes, H, W) against labels (N, H, W), each
    class by itself.

    Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017; the sum
    over the classes, the mean over all pixels, ignored ones count as 0.
    torchvision's: mmseg's ``FocalLoss`` needs operators of mmcv that are
    compiled, and without a GPU fails on more than one class.

    Args:
        gamma (float): How much easy pixels are held back. Defaults to 2.
        alpha (float): Weight of the class that is there; the others have 1 -
            alpha. Defaults to 0.5.
        loss_weight (float): Defaults to 1.
        loss_name (str): Defaults to 'loss_focal'.
    """

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: float = 0.5,
        loss_weight: float = 1.0,
        loss_name: str = 'loss_focal',
    ):
        super().__init__()
        self.gamma, self.alpha = gamma, alpha
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
        known = label != ignore_index
        target = label.where(known, 0)
        # (N, H, W) -> (N, classes, H, W); one logit is of class 1 of two.
        if cls_score.shape[1] == 1:
            target = target[:, None]
        else:
            target = F.one_hot(target, cls_score.shape[1]).movedim(-1, 1)
        target = target.to(cls_score.dtype)
        loss = sigmoid_focal_loss(cls_score, target, self.alpha, self.gamma)
        loss = loss.sum(dim=1) * known
        return self.loss_weight * weight_reduce_loss(
            loss, weight, 'mean', avg_factor
        )
