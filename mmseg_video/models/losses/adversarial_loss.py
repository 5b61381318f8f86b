import torch
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn
from torch.nn import functional as F

from ...flow.warp import warp
from ..clip_losses import ref_flow
from ..two_logits import two_logits


@MODELS.register_module()
class AdversarialLoss(nn.Module):
    """Makes predicted label maps look like true ones to a discriminator.

    With S the class probabilities, Y the labels, smoothed, and D a net that
    tells them apart, patch by patch (Luc et al., "Semantic Segmentation using
    Adversarial Networks", 2016)::

        loss_adversarial   = -w log D(S)                      D is held fixed
        loss_discriminator = -(log D(Y) + log(1 - D(S))) / 2  S is held fixed

    Neither gradient reaches the other's parameters, so that one backward pass
    serves both optimisers (``AdversarialOptimWrapperConstructor``), also under
    DDP. What is not labelled is left out of both maps.

    With ``num_decoded=2`` the discriminator sees pairs of consecutive maps,
    the ref frame's warped along the flow to the key frame's place. There,
    labels of a video do not change: Y comes twice. Where the frames disagree,
    both maps are left out. This needs ``AddRefFlow``.

    An entry of a segmentor's ``clip_losses``; no part of it is used in tests.

    Args:
        num_classes (int): Defaults to 19.
        num_decoded (int): Maps that the discriminator sees, 1 or 2. Defaults
            to 1.
        discriminator (dict | None): Its config; ``in_channels`` is filled in.
            Defaults to None, :class:`LabelMapDiscriminator`.
        smoothing (float): How far Y is from one-hot. Defaults to 0.1.
        loss_weight (float): w. Defaults to 0.01.

    Raises:
        ValueError: If ``num_decoded`` is another number.
    """

    def __init__(
        self,
        num_classes: int = 19,
        num_decoded: int = 1,
        discriminator: dict | None = None,
        smoothing: float = 0.1,
        loss_weight: float = 0.01,
    ):
        super().__init__()
        if num_decoded not in (1, 2):
            raise ValueError(f'num_decoded must be 1 or 2, got {num_decoded}')
        self.num_classes, self.num_decoded = num_classes, num_decoded
        self.smoothing, self.loss_weight = smoothing, loss_weight
        self.discriminator = MODELS.build(
            {
                'type': 'LabelMapDiscriminator',
                **(discriminator or {}),
                'in_channels': num_classes * num_decoded,
            }
        )

    def forward(
        self, logits: Tensor, data_samples: list[SegDataSample]
    ) -> dict[str, Tensor]:
        """Both losses, from logits (N, K, classes, h, w), key frames last.

        One logit for two classes counts as two.

        Raises:
            ValueError: If they are of another number of classes.
        """
        num, frames, _, *size = logits.shape
        logits = two_logits(logits.flatten(0, 1)).unflatten(0, (num, frames))
        classes = logits.shape[2]
        if classes != self.num_classes:
            raise ValueError(
                f'AdversarialLoss has num_classes={self.num_classes}, the '
                f'decode head gives {classes}: set num_classes={classes}'
            )
        labels = torch.stack([s.gt_sem_seg.data for s in data_samples])
        labels = F.interpolate(labels.float(), size)[:, 0].long()
        known = (labels < self.num_classes)[:, None]
        # (N, h, w) -> (N, classes, h, w)
        true = F.one_hot(
            labels.clamp(max=self.num_classes - 1), self.num_classes
        )
        true = true.movedim(-1, 1).to(logits.dtype)
        true = true * (1 - self.smoothing) + self.smoothing / self.num_classes
        guess = logits[:, -1].softmax(dim=1)
        if self.num_decoded == 2:
            flow, agreement = ref_flow(data_samples, size)
            known = known & (agreement > 0.5)
            ref = warp(logits[:, 0].softmax(dim=1), flow, 'border')
            guess = torch.cat([ref, guess], dim=1)
            true = torch.cat([true, true], dim=1)
        guess, true = guess * known, true * known
        fixed = {
            name: parameter.detach()
            for name, parameter in self.discriminator.named_parameters()
        }
        fooled = torch.func.functional_call(self.discriminator, fixed, guess)
        on_true = self.discriminator(true)
        on_guess = self.discriminator(guess.detach())
        told = _loss(on_true, 1) + _loss(on_guess, 0)
        return dict(
            loss_adversarial=self.loss_weight * _loss(fooled, 1),
            loss_discriminator=told / 2,
        )


def _loss(scores: Tensor, target: int) -> Tensor:
    """-log D for target 1, -log(1 - D) for 0; D = sigmoid(scores)."""
    targets = torch.full_like(scores, target)
    return F.binary_cross_entropy_with_logits(scores, targets)
