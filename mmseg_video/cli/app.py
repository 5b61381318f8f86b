"""A web page: a video and the predictions of two models, side by side.

pip install 'mmseg-video[app]'
mmseg-video app --model NAME ... [--samples VIDEO ...]
mmseg-video app --config CONFIG [--checkpoint CHECKPOINT] \
    [--baseline CONFIG [CHECKPOINT]] [--samples VIDEO ...] \
    [--size HEIGHT WIDTH]

Without --samples, a street scene is drawn to choose from.
"""

import argparse

from ..io.limits import Limits
from .arguments import add_baseline, add_loading, at_least, tool_parser
from .command import command

LIMITS = {
    '--max-megabytes': 'of an upload',
    '--max-megapixels': 'of a frame, in millions',
    '--max-seconds': 'that a video may take',
    '--max-waiting': 'videos that may wait; more are turned away',
}


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument(
        '--model',
        nargs='+',
        default=[],
        dest='models',
        metavar='NAME',
        help="nets to choose from: names of mmseg's zoo, hf://ID, "
        'torchvision://NAME or MODEL.onnx',
    )
    parser.add_argument('--config', help='instead of --model')
    parser.add_argument(
        '--checkpoint', help='default: the published one of the config'
    )
    add_baseline(parser, 'a second model, beside that of --config')
    parser.add_argument(
        '--samples', nargs='+', default=[], help='videos to choose from'
    )
    parser.add_argument(
        '--size',
        type=at_least(32),
        nargs=2,
        metavar=('HEIGHT', 'WIDTH'),
        help='what the models are given; default: the size of the video',
    )
    parser.add_argument(
        '--max-frames',
        type=at_least(2),
        default=300,
        help='of a video, the rest is not looked at (default: 300)',
    )
    parser.add_argument('--device')
    parser.add_argument('--host', default='127.0.0.1')
    parser.add_argument('--port', type=int, default=7860)
    limits = parser.add_argument_group('limits for each visitor')
    names = [option.removeprefix('--max-') for option in LIMITS]
    for name, (option, what) in zip(names, LIMITS.items(), strict=True):
        default = getattr(Limits, name)
        limits.add_argument(
            option,
            dest=name,
            type=at_least(1),
            default=default,
            help=f'{what} (default: {default})',
        )
    add_loading(parser)
    args = parser.parse_args(argv)
    if bool(args.models) == bool(args.config):
        parser.error('give --model NAME, or --config CONFIG')
    if args.models and (args.checkpoint or args.baseline):
        parser.error('--checkpoint and --baseline go with --config')
    args.limits = Limits(**{name: vars(args).pop(name) for name in names})
    return args


@command(parse_args)
def main(args: argparse.Namespace) -> None:
    from ..apis.web_page import serve

    serve(**vars(args))
