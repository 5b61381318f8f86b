"""Export one step of a stream, for ONNX Runtime.

    mmseg-video export CONFIG CHECKPOINT OUT.onnx
    mmseg-video export --model pidnet-s_2xb6-120k_1024x1024-cityscapes OUT.onnx

A recurrent model of ours is exported as it is; with --model, or --steady
flow, any net with the filter of its scores. Needs: pip install
'mmseg-video[export]'. The file is checked against PyTorch on a stream of
random frames.
"""

import argparse

from ..choices import STEADY
from .arguments import add_loading, add_net, at_least, tool_parser
from .command import command

ODD = 97, 163  # no multiples of any stride


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument(
        'files',
        nargs='+',
        metavar='[CONFIG CHECKPOINT] OUT',
        help="mmseg's or ours, and the .onnx file to write",
    )
    add_net(parser, 'CONFIG CHECKPOINT')
    parser.add_argument(
        '--steady',
        choices=STEADY,
        help='the filter of its scores; gated: a model of ours as it is '
        '(default: flow with --model, else gated)',
    )
    parser.add_argument(
        '--check',
        type=at_least(0),
        default=30,
        metavar='FRAMES',
        help='compare with PyTorch over a stream of so many; 0: do not',
    )
    parser.add_argument(
        '--size',
        type=at_least(32),
        nargs=2,
        default=(128, 256),
        metavar=('HEIGHT', 'WIDTH'),
        help='of the frames of that stream',
    )
    parser.add_argument(
        '--only-size',
        type=at_least(32),
        nargs=2,
        metavar=('HEIGHT', 'WIDTH'),
        help='for frames of this size alone, which every model allows; '
        'default: of any',
    )
    add_loading(parser)
    args = parser.parse_intermixed_args(argv)
    *net, args.out = args.files
    if str(args.model).endswith('.onnx'):
        parser.error(f"'{args.model}' is exported already")
    if args.model and net:
        parser.error('give --model or CONFIG CHECKPOINT, not both')
    if not args.model and len(net) != 2:
        parser.error('give CONFIG CHECKPOINT OUT.onnx, or --model NAME OUT')
    args.net = tuple(net)
    args.steady = args.steady or ('flow' if args.model else 'gated')
    if args.steady == 'gated' and args.model:
        parser.error('--steady gated is of a CONFIG CHECKPOINT of ours')
    return args


@command(parse_args)
def main(args: argparse.Namespace) -> None:
    import numpy as np

    from ..apis import VideoSegInferencer, steady
    from ..deployment.onnx import export_checked
    from ..io.shipped import find_config
    from .running import net_options

    options = net_options(args)
    if args.steady == 'gated' and not options:
        inferencer = VideoSegInferencer(*args.net, 'cpu')
    else:
        if args.net:
            args.net = find_config(args.net[0]), args.net[1]
        inferencer = steady(
            args.model or args.net,
            filter=args.steady,
            device='cpu',
            **options,
        )
    only_size = args.only_size and tuple(args.only_size)
    if args.steady != 'gated':
        # A net that fails on odd sizes is padded from here on, and so is its
        # graph.
        size = only_size or ODD
        inferencer.predict_frame(np.zeros((*size, 3), np.uint8))
    error = export_checked(
        *(inferencer.model, args.out),
        *(inferencer.classes, inferencer.palette, inferencer.flow),
        *(args.check, tuple(args.size), only_size),
    )
    print(f'written to {args.out}')
    if error is not None:
        print(
            f'largest difference of the logits from PyTorch over {args.check} '
            f'frames: {error:.1e}'
        )
