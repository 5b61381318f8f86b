from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from ..two_logits import two_logits


@MODELS.register_module()
class BoundaryF1Loss(nn.Module):
    r"""How badly the boundaries in logits (N, classes, H, W) fit those in
    labels (N, H, W): 1 - F1, the mean over the classes that have one.

    Bokhovkin and Burnaev, "Boundary Loss for Remote Sensing Imagery Semantic
    Segmentation", ISNN 2019. With Y a class's map, guessed (softmax) or true,
    and pool_k the maximum over k x k pixels:

    .. math::
        B &= pool_3(1 - Y) - (1 - Y) \\
        P &= \frac{\sum B_{guess} \, pool_k(B_{true})}{\sum B_{guess}}, \quad
        R = \frac{\sum B_{true} \, pool_k(B_{guess})}{\sum B_{true}} \\
        F_1 &= 2 P R / (P + R)

    Pixels that are not labelled, and those beside them, have no boundary. It
    stands beside a loss of the regions; mmseg's ``BoundaryLoss`` is of the
    boundary map that PIDNet's head predicts.

    Args:
        tolerance (int): How many pixels a boundary may be off, (k - 1) / 2.
            Defaults to 2.
        loss_weight (float): Defaults to 1.
        loss_name (str): Defaults to 'loss_boundary'.

    Raises:
        ValueError: If ``tolerance`` is no number of pixels.
    """

    def __init__(
        self,
        tolerance: int = 2,
        loss_weight: float = 1.0,
        loss_name: str = 'loss_boundary',
    ):
        super().__init__()
        if not isinstance(tolerance, int) or tolerance < 0:
            raise ValueError(
                f'tolerance must be a number of pixels >= 0, got {tolerance!r}'
            )
        self.tolerance = tolerance
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
        # (N, H, W) -> (N, classes, H, W)
        cls_score = two_logits(cls_score)
        true = F.one_hot(label.where(known, 0), cls_score.shape[1])
        guess = cls_score.float().softmax(dim=1)
        near = 1 - _widest(1 - known[:, None].float(), 1)
        if weight is not None:
            near = near * weight[:, None]
        true = _boundary(true.movedim(-1, 1).to(guess.dtype)) * near
        guess = _boundary(guess) * near
        hit = (guess * _widest(true, self.tolerance)).sum(dim=(0, 2, 3))
        found = (true * _widest(guess, self.tolerance)).sum(dim=(0, 2, 3))
        num_true = true.sum(dim=(0, 2, 3))
        present = num_true > 0
        precision = hit / guess.sum(dim=(0, 2, 3)).clamp(min=1e-6)
        recall = found / num_true.clamp(min=1e-6)
        f1 = 2 * precision * recall / (precision + recall).clamp(min=1e-6)
        # Without a boundary in the labels: 0, which still has a gradient.
        loss = ((1 - f1) * present).sum() / present.sum().clamp(min=1)
        return self.loss_weight * loss


def _widest(maps: Tensor, reach: int) -> Tensor:
    """The maximum of maps (N, C, H, W) over the pixels within reach."""
    return F.max_pool2d(maps, 2 * reach + 1, stride=1, padding=reach)


def _boundary(maps: Tensor) -> Tensor:
    """Where a class's map (N, C, H, W) ends: its outermost pixels."""
    return _widest(1 - maps, 1) - (1 - maps)
