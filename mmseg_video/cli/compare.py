"""Compare two models on the same video: how right, how steady, how costly.

    mmseg-video compare rnn_unet_street RECURRENT.pth \
        --baseline unet_finetune_street FRAMEWISE.pth --out FOLDER
    mmseg-video compare rnn_unet_street --baseline unet_street --out FOLDER

Tests both on every frame in order (--num-frames T: on clips), and writes one
table with the difference of every figure and its 95 % interval (a paired
bootstrap over sequences), as comparison.md, .json and .png. With --degrade,
the same at each part of degraded frames, and a plot over it.
"""

import argparse
from pathlib import Path

from ..io.shipped import TOOLS
from .arguments import (
    add_baseline,
    add_data,
    add_files,
    add_loading,
    add_size,
    at_least,
    tool_parser,
)
from .command import resumable_command


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = tool_parser(__doc__)
    add_files(parser)
    add_baseline(parser, 'what it is compared with', required=True)
    parser.add_argument(
        '--out', type=Path, required=True, help='the folder to write'
    )
    parser.add_argument(
        '--num-frames', type=at_least(1), help='clips of T, not streams'
    )
    parser.add_argument(
        '--every',
        default=1,
        metavar='K',
        help="run the model on every K-th frame, or 'adaptive'; a framewise "
        'baseline runs on all',
    )
    parser.add_argument(
        '--degrade',
        type=float,
        nargs='+',
        default=[0.0],
        metavar='PART',
        help='of the frames, such as 0 0.1 0.2 0.4',
    )
    parser.add_argument(
        '--robustness',
        action='store_true',
        help='also under six corruptions at three strengths each: 36 tests',
    )
    add_size(parser, None, 32, help='also the latency of a frame of this size')
    add_data(parser)
    add_loading(parser)
    # CONFIG and CHECKPOINT may stand behind options.
    return parser.parse_intermixed_args(argv)


@resumable_command(parse_args)
def main(args: argparse.Namespace) -> None:
    from ..experiments import Launcher, compare_models

    compare_models(launcher=Launcher(TOOLS), **vars(args))
