"""Look through the data of a config: mmseg-video check-data CONFIG [--all]

Files that are missing or cannot be decoded, sizes, bit depths, ids of labels,
classes, gaps, duplicates and key frames without ref frames: one report.
"""

import argparse

from .arguments import add_data, at_least, tool_parser
from .command import command


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='a path, or a name of the zoo')
    parser.add_argument(
        '--all',
        action='store_true',
        dest='everything',
        help='read all frames and labels; ended, it goes on where it was',
    )
    parser.add_argument(
        '--samples',
        type=at_least(1),
        default=200,
        help='without --all, read so many of each split (default: 200)',
    )
    parser.add_argument(
        '--workers',
        type=at_least(1),
        help='processes that read (default: one for each core)',
    )
    parser.add_argument(
        '--work-dir', help='default: work_dirs/<name of the config>'
    )
    add_data(parser)
    return parser.parse_args(argv)


@command(parse_args)
def main(args: argparse.Namespace) -> None:
    from ..apis.check_data import check_data

    print(check_data(**vars(args)))
