"""Label the frames that nobody labelled, by a trained model.

    mmseg-video pseudo-label unet_cityscapes \
        work_dirs/unet_cityscapes/iter_80000.pth

Every unlabelled frame of the config's training sequences gets a label where
the model is sure, at <data_root>/pseudo_labels/train, under the names that
labels have: alone, over scales and mirror images, or (--offline) with its past
and its future. Train on them with a config of configs/semi_supervised/, such
as rnn_unet_pseudo_cityscapes.py. What is there is skipped, so a stopped run
goes on when it is started again.
"""

import argparse

from .arguments import (
    CfgOptions,
    add_files,
    add_loading,
    at_least,
    tool_parser,
)
from .command import command


def part(text: str) -> tuple[int, int]:
    """An argparse type: K/N, the K-th of N parts, K from 1."""
    k, _, n = text.partition('/')
    if not (k.isdigit() and n.isdigit() and 1 <= int(k) <= int(n)):
        raise argparse.ArgumentTypeError(
            f"'{text}' is not of the form K/N, the K-th of N parts"
        )
    return int(k), int(n)


def probability(text: str) -> float:
    """An argparse type: a number in [0, 1]."""
    value = float(text)
    if not 0 <= value <= 1:  # NaN too
        raise argparse.ArgumentTypeError(
            f'must be a probability in [0, 1], got {value}'
        )
    return value


def class_value(text: str) -> tuple[str, float]:
    """An argparse type: CLASS=PROBABILITY."""
    name, _, value = text.rpartition('=')
    try:
        return name, probability(value)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not of the form CLASS=PROBABILITY"
        ) from None


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = tool_parser(__doc__)
    add_files(parser)
    parser.add_argument(
        '--split', choices=['train', 'val', 'test'], default='train'
    )
    parser.add_argument(
        '--out', help='default: <data_root>/pseudo_labels/<split>'
    )
    parser.add_argument(
        '--scales',
        type=float,
        nargs='+',
        help="of the config's test size (default: 0.75 1 1.25)",
    )
    parser.add_argument(
        '--no-flip', action='store_true', help='no mirror images'
    )
    parser.add_argument(
        '--offline',
        action='store_true',
        help="instead of scales and mirror images: behind steady()'s filter, "
        'which looks at past and future',
    )
    parser.add_argument(
        '--threshold',
        type=probability,
        default=0.9,
        help='least probability at which a pixel is labelled; the others '
        'become 255 (default: %(default)s)',
    )
    parser.add_argument(
        '--class-threshold',
        type=class_value,
        nargs='+',
        default=[],
        metavar='CLASS=PROBABILITY',
        help='of single classes, such as pole=0.6',
    )
    parser.add_argument(
        '--confidence',
        metavar='DIR',
        help='also write the probability of every label there, as PNG: '
        '0 to 255; frames that have a label only are labelled again',
    )
    parser.add_argument(
        '--every',
        type=at_least(1),
        default=1,
        metavar='N',
        help='only every N-th frame of a sequence',
    )
    parser.add_argument(
        '--part',
        type=part,
        default=(1, 1),
        metavar='K/N',
        help='only the K-th of N parts, with --offline of the sequences: one '
        'for each of N GPUs',
    )
    parser.add_argument('--workers', type=at_least(0), default=2)
    parser.add_argument('--device')
    parser.add_argument('--amp', action='store_true', help='mixed precision')
    parser.add_argument('--data-root', help="instead of the config's")
    parser.add_argument(
        '--cfg-options', nargs='+', action=CfgOptions, help='of the data'
    )
    add_loading(parser)
    args = parser.parse_intermixed_args(argv)
    if args.offline and (args.scales or args.no_flip):
        parser.error(
            '--scales and --no-flip are of frames labelled alone: leave them '
            'out, or --offline'
        )
    args.scales = args.scales or [0.75, 1.0, 1.25]
    if min(args.scales) <= 0:
        parser.error(f'--scales must be > 0, got {args.scales}')
    return args


@command(parse_args)
def main(args: argparse.Namespace) -> None:
    from ..apis.pseudo_label_writer import write_pseudo_labels

    report = write_pseudo_labels(
        args.config,
        args.checkpoint,
        split=args.split,
        out=args.out,
        scales=args.scales,
        flip=not args.no_flip,
        offline=args.offline,
        threshold=args.threshold,
        of_classes=dict(args.class_threshold),
        confidence=args.confidence,
        every=args.every,
        part=args.part,
        workers=args.workers,
        device=args.device,
        amp=args.amp,
        data_root=args.data_root,
        options=args.cfg_options,
    )
    print(
        f'{report.made} frames labelled, {report.there} were there, in '
        f"'{report.out}'"
    )
    if report.kept is not None:
        print(f'{report.kept:.1%} of their pixels are above the threshold')
