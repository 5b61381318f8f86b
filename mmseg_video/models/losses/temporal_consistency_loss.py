from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from ...flow.warp import warp
from ..clip_losses import ref_flow


@MODELS.register_module()
class TemporalConsistencyLoss(nn.Module):
    """Squared difference of logits along the optical flow, of key frames and
    ref frames.

    With Z the logits and V how well the two frames agree, pixel by pixel ::

        L = w mean((V Z_key - V warp(Z_ref))^2)
        V = exp(-|sum over colours of (I_key - warp I_ref)|)

    (Liu et al., "Efficient Semantic Video Segmentation with Per-frame
    Inference", ECCV 2020; w = 0.1.) Occluded pixels disagree and hardly
    count. Flow and V come with the samples (``AddRefFlow``), at the frames'
    size; the logits are compared at their own.

    An entry of a segmentor's ``clip_losses``. The gradient reaches both
    frames.

    Args:
        loss_weight (float): w. Defaults to 0.1.
        loss_name (str): Defaults to 'loss_consistency'.
    """

    num_decoded = 2

    def __init__(
        self, loss_weight: float = 0.1, loss_name: str = 'loss_consistency'
    ):
        super().__init__()
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(
        self, logits: Tensor, data_samples: list[SegDataSample]
    ) -> dict[str, Tensor]:
        """The loss, from logits (N, 2, classes, h, w), ref frames first."""
        ref, key = logits.unbind(dim=1)
        flow, agreement = ref_flow(data_samples, logits.shape[3:])
        difference = agreement * (key - warp(ref, flow, 'border'))
        return {self.loss_name: self.loss_weight * difference.square().mean()}
