"""Train and test many configs, with several seeds, into one table.

    mmseg-video ablate cells_and_connections
    mmseg-video ablate SPEC --dry-run       # what there is to do
    mmseg-video ablate SPEC --only v1 v2    # these, and their starts
    mmseg-video ablate SPEC --seeds 0       # a first table early
    mmseg-video ablate SPEC --report        # tables of what is there

Leaves in work_dirs/ablations/NAME: table.md, table.csv, cost.png and
flicker.png (accuracy against latency and against flicker), matrix.md and .png
(one figure over all protocols), and ENTRY/seedN, links to the runs. Run again,
it goes on where it stopped, and does what the spec has changed; specs share
the runs that they have in common. What fails is reported and does not stop the
rest.
"""

import argparse
from pathlib import Path

from ..choices import LAUNCHERS
from ..io.shipped import TOOLS
from .arguments import CfgOptions, add_loading, at_least, tool_parser
from .command import resumable_command


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument(
        'spec', help='a YAML file, or a name in configs/ablations'
    )
    parser.add_argument(
        '--out',
        type=Path,
        default='work_dirs/ablations',
        help='the folder of all ablations, default: %(default)s',
    )
    parser.add_argument(
        '--only', nargs='+', metavar='NAME', help='entries to do'
    )
    parser.add_argument(
        '--seeds', nargs='+', type=at_least(0), help='of the runs to do'
    )
    parser.add_argument(
        '--dry-run', action='store_true', help='list what there is to do'
    )
    parser.add_argument(
        '--report', action='store_true', help='only write the tables'
    )
    parser.add_argument(
        '--no-costs',
        action='store_true',
        help='leave out parameters and latency, which want an idle machine',
    )
    parser.add_argument(
        '--jobs', type=at_least(1), default=1, help='runs at the same time'
    )
    parser.add_argument('--launcher', choices=LAUNCHERS, default='none')
    parser.add_argument(
        '--gpus',
        type=at_least(1),
        default=1,
        help='processes of each run, with --launcher pytorch or slurm: each '
        'takes a batch, so another number is another training',
    )
    parser.add_argument('--partition', help='of SLURM')
    parser.add_argument('--data-root', help="the data, instead of the spec's")
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=CfgOptions,
        help='merged into every config, after the overrides',
    )
    add_loading(parser)
    return parser.parse_args(argv)


@resumable_command(parse_args)
def main(args: argparse.Namespace) -> None:
    import torch

    from ..experiments import Launcher, ablate, visible_devices

    asked = vars(args)
    keys = ('launcher', 'jobs', 'gpus', 'partition')
    launcher = {key: asked.pop(key) for key in keys}
    devices = visible_devices(torch.cuda.device_count())
    ablate(launcher=Launcher(TOOLS, devices=devices, **launcher), **asked)
