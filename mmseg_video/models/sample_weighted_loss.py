from collections.abc import Sequence

from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class SampleWeightedLoss(nn.Module):
    """Any loss of mmseg, averaged over a batch with a weight per sample:
    sum_i w_i L_i / N.

    Where all weights are 1, it is the loss itself, on the whole batch. A
    sample without any label counts 0: the mean of no pixels, which some
    losses (Lovasz) take, is NaN. The weights are the samples'
    ``label_weight``; :class:`LabelWeightHook` hands them over before each
    iteration, as mmseg's heads give a loss nothing but logits and labels.

    Args:
        loss (dict): Config of the loss.
    """

    def __init__(self, loss: dict):
        super().__init__()
        self.loss = MODELS.build(loss)
        self.weights: Sequence[float] | None = None

    @property
    def loss_name(self) -> str:
        return self.loss.loss_name

    def forward(
        self,
        logits: Tensor,
        label: Tensor,
        weight: Tensor | None = None,
        **kwargs,
    ) -> Tensor:
        """The weighted loss of logits (N, classes, H, W).

        Args:
            logits (Tensor): (N, classes, H, W).
            label (Tensor): (N, H, W).
            weight (Tensor | None): Weights of the pixels (N, H, W), of a
                head's pixel sampler. Defaults to None.
            kwargs: The loss's.

        Raises:
            ValueError: If there are weights for another number of samples.
        """
        void = label == kwargs.get('ignore_index', 255)
        if void.all():
            return 0 * logits.sum()
        if self.weights is None or set(self.weights) == {1.0}:
            return self.loss(logits, label, weight=weight, **kwargs)
        if len(self.weights) != len(label):
            raise ValueError(
                f'{len(self.weights)} label_weights for {len(label)} samples: '
                'SampleWeightedLoss reads one of each sample of the batch'
            )
        total = 0
        for i, sample_weight in enumerate(self.weights):
            if void[i].all():
                continue
            one = slice(i, i + 1)
            pixels = None if weight is None else weight[one]
            loss = self.loss(logits[one], label[one], weight=pixels, **kwargs)
            total = total + sample_weight * loss
        return total / len(label)
