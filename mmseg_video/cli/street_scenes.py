"""Make street scenes: labelled driving video in Cityscapes' layout.

mmseg-video street-scenes data/street_scenes \
    --train 240 --val 20 --test 80 --size 128 256
"""

import argparse
import os

from .arguments import tool_parser
from .command import command


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('root', help='the folder to write')
    parser.add_argument('--train', type=int, default=120, help='snippets')
    parser.add_argument('--val', type=int, default=60, help='snippets')
    parser.add_argument(
        '--test', type=int, help='snippets, default: as many as of --val'
    )
    parser.add_argument(
        '--size',
        type=int,
        nargs=2,
        default=(256, 512),
        metavar=('HEIGHT', 'WIDTH'),
    )
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--burst-rate',
        type=float,
        default=0.1,
        help='bursts of degraded frames that begin, per frame; 0: clean video',
    )
    parser.add_argument(
        '--longest-burst',
        type=int,
        default=3,
        metavar='FRAMES',
    )
    parser.add_argument(
        '--frames',
        type=int,
        nargs=2,
        metavar=('FIRST', 'LAST'),
        help='of the 30 of a snippet (default: all); 8 19 is what T=12 reads',
    )
    parser.add_argument(
        '--all-labels',
        action='store_true',
        help='labels of all frames, in gtFine_sequence',
    )
    parser.add_argument(
        '--variants',
        action='store_true',
        help='also the scenes of test without bursts (test_clean), with long '
        'ones (test_long_bursts), behind a dirty lens (test_occlusion), in '
        'lasting darkness (test_darkness), and with labels of small far '
        'objects alone (test_far)',
    )
    parser.add_argument('--workers', type=int, default=os.cpu_count())
    return parser.parse_args(argv)


@command(parse_args)
def main(args: argparse.Namespace) -> None:
    import cv2
    from tqdm import tqdm

    from ..datasets.street_scenes import NUM_FRAMES, write_street_scenes

    cv2.setNumThreads(1)
    first, last = args.frames or (0, NUM_FRAMES - 1)
    # A delay: no bar where the arguments are wrong.
    with tqdm(unit='frame', desc='street scenes', delay=0.1) as bar:

        def progress(done, total):
            bar.total = total * (last - first + 1)
            bar.update(done * (last - first + 1) - bar.n)

        report = write_street_scenes(
            args.root,
            args.train,
            args.val,
            args.val if args.test is None else args.test,
            size=tuple(args.size),
            seed=args.seed,
            burst_rate=args.burst_rate,
            longest_burst=args.longest_burst,
            frames=(first, last),
            all_labels=args.all_labels,
            variants=args.variants,
            workers=args.workers,
            progress=progress,
        )
    print(f'{report["snippets"]} snippets in {args.root}')
