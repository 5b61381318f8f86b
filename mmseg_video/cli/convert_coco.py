"""Makes semantic maps of COCO's ``instances_*.json``, to pretrain on.

    mmseg-video convert-coco data/coco

reads ``annotations/instances_SPLIT.json`` and the sizes of the images in
``SPLIT/``, and writes ``semantic/SPLIT/000000000009.png``: 8 bit, a pixel is
its object's category id, 1 to 90; 0 where no object is (the background, the
91st class); 255 in crowds, to be ignored. Where objects overlap, the smaller
one is drawn last; crowds are drawn first, under all objects.

What is made already is skipped, so an interrupted run can be started again.
"""

import argparse
import os
from pathlib import Path

from .arguments import at_least, tool_parser
from .command import command


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument(
        'root', type=Path, help='the folder with annotations/ and images'
    )
    parser.add_argument(
        '--splits',
        nargs='+',
        help='such as train2017 val2017; default: all in annotations/',
    )
    parser.add_argument(
        '--out', type=Path, help='where to write, instead of ROOT/semantic'
    )
    parser.add_argument(
        '--only-present',
        action='store_true',
        help='leave out images whose file is missing, of a partial copy',
    )
    parser.add_argument(
        '--outside',
        choices=['error', 'clip'],
        default='error',
        help='polygons that reach outside the image (default: error)',
    )
    parser.add_argument(
        '--workers',
        type=at_least(1),
        default=os.cpu_count(),
        help='processes (default: one for each core)',
    )
    return parser.parse_args(argv)


@command(parse_args)
def main(args: argparse.Namespace) -> None:
    from ..datasets.converters.coco_semantic import convert_coco

    for folder, found, there in convert_coco(**vars(args)):
        print(
            f"{found['maps']} maps made, {there} were there, in '{folder}'; "
            f'{found["objects"]} objects, {found["empty_objects"]} more have '
            'no pixel'
        )
