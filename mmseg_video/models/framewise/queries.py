"""Scores of classes from queries that each have a class and a mask."""

import torch
from torch import Tensor

# What no mask covers is as unlikely as this, in each class.
FLOOR = 1e-3


def sum_of_queries(classes: Tensor, masks: Tensor) -> Tensor:
    """Scores (N, classes, h, w) in [0, Q], from Q queries.

    Args:
        classes (Tensor): Logits (N, Q, classes + 1), no class last.
        masks (Tensor): Logits (N, Q, h, w).
    """
    classes = classes.float().softmax(-1)[..., :-1]
    return torch.einsum('nqc,nqhw->nchw', classes, masks.float().sigmoid())


def log_scores(scores: Tensor) -> Tensor:
    """Logits from such scores."""
    return (scores + FLOOR).log()
