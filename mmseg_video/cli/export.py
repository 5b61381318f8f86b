"""Export one step of a stream, for ONNX Runtime.

    mmseg-video export CONFIG CHECKPOINT OUT.onnx
    mmseg-video export unet_imagenet_camvid OUT.onnx --only-size 360 480
    mmseg-video export --model pidnet-s_2xb6-120k_1024x1024-cityscapes OUT.onnx

A recurrent model of ours is exported as it is; any other net, or with
--steady flow, with the filter of its scores. A name whose weights are
published needs no CHECKPOINT. Needs: pip install 'mmseg-video[export]'. The
file is checked against PyTorch on a stream of random frames.
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
        metavar='[CONFIG [CHECKPOINT]] OUT',
        help="mmseg's or ours, and the .onnx file to write",
    )
    add_net(parser, 'CONFIG CHECKPOINT')
    parser.add_argument(
        '--steady',
        choices=STEADY,
        help='the filter of its scores; gated: a CONFIG [CHECKPOINT] of ours '
        'as it is (default: gated where that carries states, none for a '
        '--model that averages its scores itself, else flow)',
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
    if not args.model and len(net) not in (1, 2):
        parser.error(
            'give CONFIG [CHECKPOINT] OUT.onnx, or --model NAME OUT.onnx'
        )
    if not str(args.out).lower().endswith('.onnx'):
        parser.error(f"the file to write comes last, an .onnx: '{args.out}'")
    args.config, args.checkpoint = (*net, None, None)[:2]
    if args.steady == 'gated' and args.model:
        parser.error('--steady gated is of a CONFIG CHECKPOINT of ours')
    return args


@command(parse_args)
def main(args: argparse.Namespace) -> None:
    import numpy as np

    from ..apis import VideoSegInferencer, steady
    from ..apis.segmentors import load_segmentor
    from ..deployment.onnx import export_checked
    from .running import config_path, net_options

    options = net_options(args)
    net, filter = args.model, args.steady
    if not net:
        net = load_segmentor(config_path(args.config), args.checkpoint)
        carries = getattr(net.model, 'state_maps', None)
        filter = filter or ('gated' if carries else 'flow')
    as_it_is = filter == 'gated' and not options
    if as_it_is:
        inferencer = VideoSegInferencer.from_loaded(net, 'cpu')
    else:
        inferencer = steady(net, filter=filter, device='cpu', **options)
    only_size = args.only_size and tuple(args.only_size)
    if not as_it_is:
        # A net that fails on odd sizes is padded from here on, and so is its
        # graph.
        size = only_size or ODD
        inferencer.predict_frame(np.zeros((*size, 3), np.uint8))
    if not only_size:
        print(
            'exporting for frames of any size, which takes minutes where a '
            'net pads by the size of its input (EfficientNet); --only-size '
            'HEIGHT WIDTH takes less',
            flush=True,
        )
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
