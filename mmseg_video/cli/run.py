"""Run any segmentation net on video, steadied.

    mmseg-video run VIDEO.mp4 --out OUT.mp4
    mmseg-video run VIDEO.mp4 --model pidnet-s_2xb6-120k_1024x1024-cityscapes \
        --out OUT.mp4
    mmseg-video run VIDEO.mp4 CONFIG CHECKPOINT --every 3 --out OUT.mp4
    mmseg-video run 0 --model hf://ID --live --show
    mmseg-video run FOLDER --model NAME --labels LABELS --out DRAWN

INPUT is a video file, a folder of frames, a quoted glob, a camera number or
an address (rtsp://...). Without a model it is the net of CamVid's classes
that comes with the package. A folder of videos, a quoted glob of videos or a
list (.txt, a path on each line) are many: each gets its name in the folders
that are named, those that are done are left out when it is run again, and the
processes of torchrun or srun share them.

Ctrl-C ends a camera; what was seen until then is written.
"""

import argparse
import math
from pathlib import Path

from ..choices import DRAWINGS, FLOWS, LAUNCHERS, STEADY
from .arguments import (
    add_baseline,
    add_files,
    add_loading,
    add_max_frames,
    add_min_contrast,
    add_net,
    at_least,
    every,
    tool_parser,
)
from .command import command


def seconds(text: str) -> float:
    """An argparse type: SECONDS, MM:SS or HH:MM:SS, as seconds."""
    try:
        parts = [float(part) for part in text.split(':')]
    except ValueError:
        parts = []
    if not 1 <= len(parts) <= 3 or min(parts) < 0:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no time: give seconds, MM:SS or HH:MM:SS"
        )
    total = 0.0
    for part in parts:
        total = 60 * total + part
    return total


def parse_args(argv=None) -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('input')
    add_files(parser, nargs='?')
    add_net(parser, 'CONFIG CHECKPOINT')
    add_baseline(
        parser, 'a second model of the same classes, as it is, drawn beside'
    )
    graph = parser.add_argument_group('of a MODEL.onnx of others')
    graph.add_argument(
        '--mean',
        type=float,
        nargs=3,
        metavar='M',
        help='that it subtracts from the colours, of values in 0 to 255, in '
        'the order that it reads (default: 0)',
    )
    graph.add_argument(
        '--std',
        type=float,
        nargs=3,
        metavar='S',
        help='that it divides them by (default: 1)',
    )
    graph.add_argument(
        '--bgr', action='store_true', help='it reads blue first, not red'
    )
    graph.add_argument(
        '--providers',
        nargs='+',
        metavar='NAME',
        help="ONNX Runtime's, such as CUDAExecutionProvider, the first that "
        'can (default: all that are there)',
    )
    way = parser.add_argument_group('how')
    way.add_argument(
        '--steady',
        choices=STEADY,
        help='the filter of its scores; none and gated: the model as it is '
        '(default: flow, and none for a net that averages its scores itself, '
        'as a gated EMA does)',
    )
    way.add_argument(
        '--flow',
        choices=FLOWS,
        default='dis',
        help="of --steady flow: estimated, or the codec's motion vectors, of "
        'H.264, MPEG-4 and MPEG-2 files (default: %(default)s)',
    )
    way.add_argument(
        '--every',
        type=every,
        default=1,
        metavar='K',
        help='the net runs on every K-th frame, or as many as it takes: '
        'adaptive; the others are answered from the past (default: 1)',
    )
    way.add_argument(
        '--max-every',
        type=at_least(1),
        metavar='M',
        help='with adaptive: at least on every M-th',
    )
    way.add_argument(
        '--tolerance',
        type=float,
        metavar='X',
        help='with adaptive: the part of the image that flow may leave '
        'unexplained',
    )
    add_min_contrast(way)
    way.add_argument(
        '--max-held',
        type=at_least(1),
        metavar='N',
        help='of such frames in a row, after which the net runs again '
        '(default: 30)',
    )
    ahead = way.add_mutually_exclusive_group()
    ahead.add_argument(
        '--lag',
        type=at_least(1),
        metavar='L',
        help='look ahead L frames; answers are as much later',
    )
    ahead.add_argument(
        '--offline', action='store_true', help='look at past and future'
    )
    ahead.add_argument(
        '--live',
        action='store_true',
        help='answer each frame at once, the net works at its own pace',
    )
    way.add_argument('--device')
    way.add_argument('--amp', action='store_true', help='mixed precision')
    part = parser.add_argument_group('which frames')
    part.add_argument(
        '--start', type=seconds, help='seconds, MM:SS or HH:MM:SS'
    )
    part.add_argument('--end', type=seconds, help='likewise')
    part.add_argument(
        '--stride', type=at_least(1), default=1, help='every so many'
    )
    add_max_frames(part)
    part.add_argument(
        '--resize',
        type=at_least(32),
        nargs=2,
        metavar=('HEIGHT', 'WIDTH'),
        help='of what the model sees, and of all that is written; default: '
        'the size of the source',
    )
    part.add_argument(
        '--broken',
        choices=['error', 'skip'],
        default='error',
        help='what to do with a frame that cannot be read',
    )
    out = parser.add_argument_group('what comes out')
    out.add_argument(
        '--out',
        type=Path,
        help='.mp4, .gif, .webm or a folder; of many videos a folder',
    )
    out.add_argument(
        '--labels',
        type=Path,
        metavar='DIR',
        help='label maps (PNG of class ids), under the names of the frames or '
        'their numbers in the video, and classes.json',
    )
    out.add_argument(
        '--json',
        type=Path,
        metavar='FILE',
        help='an .ndjson, a line for each frame: time, shares of the classes, '
        'flicker, ms',
    )
    out.add_argument(
        '--heat-map',
        type=Path,
        metavar='PNG',
        help='a picture of where predictions flicker, of a baseline too',
    )
    out.add_argument('--show', action='store_true', help='in a window; q ends')
    out.add_argument(
        '--draw',
        choices=DRAWINGS,
        help='default: overlay, and beside where there is a baseline',
    )
    out.add_argument('--opacity', type=float, default=0.55)
    out.add_argument(
        '--legend',
        action='store_true',
        help='a strip below each frame that names the classes in it (--draw '
        'beside always has a legend)',
    )
    out.add_argument(
        '--panel-width',
        type=at_least(32),
        default=480,
        help='of a panel of --draw beside, in pixels',
    )
    out.add_argument(
        '--fps',
        type=float,
        help="default: each frame at the source's time, else 10",
    )
    out.add_argument(
        '--format',
        choices=['mp4', 'gif', 'webm', 'frames'],
        default='mp4',
        help='of the drawn videos, where there are many (default: mp4)',
    )
    parser.add_argument('--launcher', choices=LAUNCHERS, default='none')
    add_loading(parser)
    # CONFIG and CHECKPOINT may stand behind options.
    args = parser.parse_intermixed_args(argv)
    if args.model and args.config:
        parser.error('give --model or CONFIG CHECKPOINT, not both')
    _check_net(parser, args)
    if args.flow != 'dis' and args.steady not in (None, 'flow'):
        parser.error(f'--flow {args.flow} is of --steady flow: leave one out')
    if args.live and args.every != 1:
        parser.error('--live works at its own pace: leave out --every')
    return args


def _check_net(
    parser: argparse.ArgumentParser, args: argparse.Namespace
) -> None:
    """Refuse what is said of a net that it cannot be said of."""
    of_graph = args.mean or args.std or args.bgr or args.providers
    if of_graph and not str(args.model).endswith('.onnx'):
        parser.error(
            '--mean, --std, --bgr and --providers are of --model MODEL.onnx: '
            'other nets know their colours'
        )
    if not all(0 < value < math.inf for value in args.std or ()):
        parser.error(f'--std must be above 0, got {args.std}')
    if not all(math.isfinite(value) for value in args.mean or ()):
        parser.error(f'--mean must be numbers, got {args.mean}')
    if args.classes and not (args.model or args.config):
        parser.error('--classes are those of a model: name one by --model')


@command(parse_args)
def main(args: argparse.Namespace) -> None:
    from .running import run

    run(args)
