"""Nets of torchvision."""

import difflib
import os
import pickle
from collections.abc import Sequence
from http.client import HTTPException

import torch

from .callable_net import CallableNet

SCHEME = 'torchvision://'


def open_torchvision(
    name: str, classes: Sequence[str] | None = None, **options
) -> CallableNet:
    """A segmentation model of torchvision with its best weights.

    Args:
        name (str): ``torchvision://NAME``, such as
            ``torchvision://lraspp_mobilenet_v3_large``.
        classes (Sequence[str] | None): In place of the model's own names.
            Defaults to None.
        options: :class:`Framewise`'s.

    Raises:
        OSError: If the weights cannot be fetched, or arrive damaged.
        ValueError: If there is no such model.
    """
    from torchvision import models

    key = name.removeprefix(SCHEME)
    known = models.list_models(module=models.segmentation)
    if key not in known:
        close = difflib.get_close_matches(key, known, 3, 0.3) or known
        raise ValueError(
            f"torchvision has no segmentation model '{key}': it has "
            f'{", ".join(close)}'
        )
    weights = models.get_model_weights(key).DEFAULT
    names = weights.meta['categories']
    extra = {} if key.startswith('lraspp') else dict(aux_loss=True)
    net = models.get_model(
        key,
        weights=None,
        weights_backbone=None,
        num_classes=len(names),
        **extra,
    )
    values = _fetch(weights.url)
    net.load_state_dict(values)
    transforms = weights.transforms()
    return CallableNet(
        net.eval(),
        classes or names,
        mean=[255 * value for value in transforms.mean],
        std=[255 * value for value in transforms.std],
        **options,
    )


def _fetch(url: str) -> dict:
    """Weights by name, from torch's cache or from there."""
    path = os.path.join(
        torch.hub.get_dir(), 'checkpoints', os.path.basename(url)
    )
    try:
        return torch.hub.load_state_dict_from_url(
            url, map_location='cpu', weights_only=True, check_hash=True
        )
    except (OSError, HTTPException) as error:
        raise OSError(
            f"cannot fetch the weights '{url}': {error}. Download them on a "
            f"machine with a network and put the file at '{path}'"
        ) from None
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        why = str(error).splitlines()[0]
        raise OSError(
            f"the weights '{url}' arrived damaged: {why}. Remove '{path}', "
            'if it is there, and try again'
        ) from None
