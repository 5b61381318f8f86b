import torch
from torch import Tensor


def two_logits(logits: Tensor) -> Tensor:
    """Logits (N, classes, h, w) whose softmax has every class.

    A head may have one logit for two classes, with a sigmoid. Of it become
    two, 0 and itself, as softmax([0, x]) = [1 - sigmoid(x), sigmoid(x)].
    """
    if logits.shape[1] != 1:
        return logits
    return torch.cat([torch.zeros_like(logits), logits], dim=1)
