"""Clips of a batch mixed in pairs, with one mask or weight for all T frames.

Each clip is mixed with the one before it in the batch. A mixed clip takes no
part in losses over time: its flow to a ref frame counts as agreeing nowhere.
Its flow from frame to frame is, pixel by pixel, that of the clip of which it
shows more.
"""

from abc import ABC, abstractmethod

import numpy as np
import torch
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn


class ClipMix(nn.Module, ABC):
    """Maps clips (N, T, C, H, W) and samples to mixed ones.

    Frames (N, C, H, W) are mixed likewise. What is drawn comes from NumPy's
    global random state.

    Args:
        prob (float): How likely each clip is mixed with another. Defaults to
            0.5.

    Raises:
        ValueError: If ``prob`` is out of range.
    """

    def __init__(self, prob: float = 0.5):
        super().__init__()
        if not 0 <= prob <= 1:
            raise ValueError(f'prob must lie in [0, 1], got {prob}')
        self.prob = prob

    @abstractmethod
    def draw(self, other: Tensor) -> tuple[Tensor, Tensor]:
        """How much of the other clip comes in, (H, W), of its pixels and of
        its labels.

        Args:
            other (Tensor): The other clip's labels (H, W).
        """

    def forward(
        self, inputs: Tensor, data_samples: list[SegDataSample]
    ) -> tuple[Tensor, list[SegDataSample]]:
        labels = [sample.gt_sem_seg.data for sample in data_samples]
        flows = [sample.get('flow') for sample in data_samples]
        mixed = list(inputs)
        for n, sample in enumerate(data_samples):
            if len(data_samples) == 1 or np.random.rand() >= self.prob:
                continue
            pixels, ids = self.draw(labels[n - 1][0])
            # (H, W) against (T, C, H, W) or (C, H, W)
            mixed[n] = torch.lerp(inputs[n], inputs[n - 1], pixels)
            label = torch.where(ids, labels[n - 1], labels[n])
            sample.gt_sem_seg.data = label
            if 'ref_flow' in sample:
                sample.ref_flow.data[2] = 0
            if flows[n] is not None:
                # (h, w) against (T, 3, h, w)
                other = _resized(pixels, flows[n].shape[2:]) > 0.5
                sample.flow = torch.where(other, flows[n - 1], flows[n])
        return torch.stack(mixed), data_samples


def _resized(maps: Tensor, size: tuple[int, int]) -> Tensor:
    return nn.functional.interpolate(maps[None, None], size)[0, 0]


@MODELS.register_module()
class ClipCutMix(ClipMix):
    """Pastes a box of another clip over a clip, the same in all frames.

    The box has a share of the frame that is drawn from Beta(alpha, alpha)
    (Yun et al., "CutMix", ICCV 2019).

    Args:
        alpha (float): Defaults to 1, any share alike.
        prob (float): See :class:`ClipMix`. Defaults to 0.5.
    """

    def __init__(self, alpha: float = 1.0, prob: float = 0.5):
        super().__init__(prob)
        self.alpha = alpha

    def draw(self, other: Tensor) -> tuple[Tensor, Tensor]:
        height, width = other.shape
        side = np.sqrt(np.random.beta(self.alpha, self.alpha))
        h, w = round(height * side), round(width * side)
        y = np.random.randint(height - h + 1)
        x = np.random.randint(width - w + 1)
        mask = torch.zeros_like(other, dtype=torch.bool)
        mask[y : y + h, x : x + w] = True
        return mask.float(), mask


@MODELS.register_module()
class ClipClassMix(ClipMix):
    """Pastes half of the classes of another clip over a clip.

    The mask is where the other's key frame shows them, in all frames (Olsson
    et al., "ClassMix", WACV 2021).

    Args:
        prob (float): See :class:`ClipMix`. Defaults to 0.5.
        ignore_index (int): No class. Defaults to 255.
    """

    def __init__(self, prob: float = 0.5, ignore_index: int = 255):
        super().__init__(prob)
        self.ignore_index = ignore_index

    def draw(self, other: Tensor) -> tuple[Tensor, Tensor]:
        classes = other.unique().tolist()
        classes = [c for c in classes if c != self.ignore_index]
        chosen = np.random.permutation(classes)[: (len(classes) + 1) // 2]
        mask = torch.isin(other, other.new_tensor(chosen))
        return mask.float(), mask


@MODELS.register_module()
class ClipMixUp(ClipMix):
    """Blends a clip with another, weight lam drawn from Beta(alpha, alpha).

    The loss of mixup (Zhang et al., ICLR 2018) has two terms, lam L(y) +
    (1 - lam) L(y'). Each pixel's label is drawn here, y' with probability
    1 - lam: for a loss that is a mean over pixels (cross-entropy, focal), its
    expectation is those two terms, and every head and loss of mmseg works as
    it is. For a loss over whole maps (Dice, Lovasz) it is not.

    Args:
        alpha (float): Defaults to 0.2.
        prob (float): See :class:`ClipMix`. Defaults to 0.5.
    """

    def __init__(self, alpha: float = 0.2, prob: float = 0.5):
        super().__init__(prob)
        self.alpha = alpha

    def draw(self, other: Tensor) -> tuple[Tensor, Tensor]:
        share = np.random.beta(self.alpha, self.alpha)
        ids = torch.from_numpy(np.random.rand(*other.shape) < share)
        pixels = torch.full(other.shape, share, device=other.device)
        return pixels.float(), ids.to(other.device)
