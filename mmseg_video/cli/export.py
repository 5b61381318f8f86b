"""Export one step of a recurrent model, for ONNX Runtime.

    mmseg-video export CONFIG CHECKPOINT OUT.onnx

Needs: pip install 'mmseg-video[export]'. Then the file is checked against
PyTorch on a stream of random frames.
"""

import argparse

from .arguments import add_loading, at_least, tool_parser
from .command import command


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config')
    parser.add_argument('checkpoint')
    parser.add_argument('out', help='the .onnx file to write')
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
    add_loading(parser)
    return parser.parse_args(argv)


@command(parse_args)
def main(args: argparse.Namespace) -> None:
    from ..apis import VideoSegInferencer
    from ..deployment.onnx import export_checked

    inferencer = VideoSegInferencer(args.config, args.checkpoint, 'cpu')
    error = export_checked(
        *(inferencer.model, args.out),
        *(inferencer.classes, inferencer.palette, inferencer.flow),
        *(args.check, tuple(args.size)),
    )
    print(f'written to {args.out}')
    if error is not None:
        print(
            f'largest difference of the logits from PyTorch over {args.check} '
            f'frames: {error:.1e}'
        )
