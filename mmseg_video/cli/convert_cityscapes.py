"""Makes Cityscapes' ``*_gtFine_labelTrainIds.png``, the labels to train on.

From ``*_labelIds.png`` where they are there, else from the polygons::

    mmseg-video convert-cityscapes data/cityscapes

What is made already is skipped, so an interrupted run can be started again.
"""

import argparse
import os
from pathlib import Path

from .arguments import at_least, tool_parser
from .command import command


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('root', type=Path, help='the folder with gtFine')
    parser.add_argument(
        '--out', type=Path, help='where to write, instead of ROOT/gtFine'
    )
    parser.add_argument(
        '--workers',
        type=at_least(1),
        default=os.cpu_count(),
        help='processes (default: one per core)',
    )
    return parser.parse_args(argv)


@command(parse_args)
def main(args: argparse.Namespace) -> None:
    from ..datasets.converters.cityscapes import convert_cityscapes

    made, there, out = convert_cityscapes(args.root, args.out, args.workers)
    print(f"{made} labels made, {there} were there, in '{out}'")
