"""The main job in one command: is the recurrent model better, and by how much?

From a framewise baseline, which it trains first where none is published, it
trains that net on and the recurrent modules behind it, on street scenes for
about the same time; tests both; writes a table, curves and a GIF. Without
--dataset it makes street scenes to do so on. Run again, it goes on where it
stopped.
"""

import argparse
from pathlib import Path

from ..io.shipped import ROOT, TOOLS
from .arguments import CfgOptions, tool_parser
from .command import resumable_command


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument(
        '--dataset',
        choices=['street', 'cityscapes', 'camvid'],
        default='street',
    )
    parser.add_argument('--data-root', help='your Cityscapes or CamVid')
    parser.add_argument(
        '--snippets',
        type=int,
        nargs=2,
        default=(240, 80),
        metavar=('TRAIN', 'TEST'),
        help='street scenes to make',
    )
    parser.add_argument('--out', type=Path, default='work_dirs/quickstart')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=CfgOptions,
        metavar='KEY=VALUE',
        help='merged into every config, such as train_dataloader.batch_size=4',
    )
    args = parser.parse_args(argv)
    if (args.dataset == 'street') != (args.data_root is None):
        parser.error('--dataset cityscapes|camvid and --data-root go together')
    return args


@resumable_command(parse_args)
def main(args: argparse.Namespace) -> None:
    from ..experiments import Launcher, run_quickstart

    run_quickstart(ROOT, Launcher(TOOLS), **vars(args))
