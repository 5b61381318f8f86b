"""Labels that a trained model gives to frames that nobody labelled."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..models.data_preprocessor import pad_frames
from ..models.decode_heads import per_class
from ..models.inference import infer

IGNORE = 255


@torch.no_grad()
def ensemble(
    model: torch.nn.Module,
    frames: Tensor,
    size: tuple[int, int],
    scales: Sequence[float] = (1.0,),
    flip: bool = True,
) -> Tensor:
    """Probabilities (N, classes, *size) of frames (N, C, H, W), averaged.

    Over every scale, and over the frame and its mirror image. The labels of
    Chen et al., "Naive-Student", ECCV 2020, are made so.

    Args:
        model (nn.Module): A segmentor of mmseg. A recurrent one sees stills.
        frames (Tensor): As the model's preprocessor normalises them, without
            what it pads: that is done here, at each scale.
        size (tuple[int, int]): Height and width of the result.
        scales (Sequence[float]): Of height and width. Defaults to (1.0,).
        flip (bool): Whether mirror images are predicted too. Defaults to
            True.
    """
    total = 0
    for scale in scales:
        scaled = frames
        if scale != 1:
            scaled = F.interpolate(
                frames,
                scale_factor=scale,
                mode='bilinear',
                align_corners=False,
                antialias=True,
            )
        for mirrored in (False, True)[: 1 + flip]:
            inputs = scaled.flip(-1) if mirrored else scaled
            padded = pad_frames(model.data_preprocessor, inputs)
            # What was padded lies on the right and below.
            height, width = inputs.shape[2:]
            logits = infer(model, padded)[:, :, :height, :width]
            logits = logits.flip(-1) if mirrored else logits
            logits = F.interpolate(
                logits.float(), size, mode='bilinear', align_corners=False
            )
            total = total + per_class(model, logits).softmax(dim=1)
    return total / (len(scales) * (1 + flip))


def keep_confident(
    probabilities: Tensor, thresholds: Tensor
) -> tuple[np.ndarray, np.ndarray]:
    """Labels (H, W) uint8, 255 where they are not sure, and confidence.

    The confidence (H, W) uint8 is the largest probability, 255 for 1.

    Args:
        probabilities (Tensor): (classes, H, W).
        thresholds (Tensor): (classes,), the least probability at which a
            class is used.
    """
    confidence, label = probabilities.max(dim=0)
    sure = confidence >= thresholds.to(confidence)[label]
    label = torch.where(sure, label, IGNORE)
    confidence = (confidence * 255).round()
    return (
        label.to(torch.uint8).cpu().numpy(),
        confidence.to(torch.uint8).cpu().numpy(),
    )


def class_thresholds(
    classes: Sequence[str], default: float, of_classes: dict[str, float]
) -> Tensor:
    """(classes,): ``default``, or what a class has of its own.

    Raises:
        ValueError: If a class is unknown, or a threshold is none.
    """
    unknown = sorted(set(of_classes) - set(classes))
    if unknown:
        raise ValueError(
            f'no class {", ".join(unknown)}; the classes are '
            + ', '.join(classes)
        )
    values = [of_classes.get(name, default) for name in classes]
    wrong = [value for value in values if not 0 <= value <= 1]  # NaN too
    if wrong:
        raise ValueError(
            f'thresholds are probabilities in [0, 1], got {wrong[0]}'
        )
    return torch.tensor(values)
