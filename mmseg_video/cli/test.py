"""Test a checkpoint: mmseg-video test CONFIG [CHECKPOINT] [--num-frames 12]

A clip ends in a labelled frame; --stream gives every frame of every sequence
in order instead, with states carried by a recurrent model.
"""

import argparse
from dataclasses import fields

from ..choices import AMP, CORRUPTIONS
from .arguments import add_files, add_run, at_least, tool_parser
from .command import command


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = tool_parser(__doc__)
    add_files(parser)
    parser.add_argument(
        '--out', metavar='DIR', help='write the predicted label maps there'
    )
    parser.add_argument(
        '--format-only',
        action='store_true',
        help='with --out, write label maps of the images and measure nothing: '
        "a split needs no labels; Cityscapes' have the ids that its server "
        'reads',
    )
    parser.add_argument(
        '--show', action='store_true', help='show predictions in a window'
    )
    parser.add_argument(
        '--show-dir', metavar='DIR', help='write drawn predictions there'
    )
    parser.add_argument('--wait-time', type=float, default=2)
    parser.add_argument(
        '--num-frames', type=at_least(1), help="T, instead of the config's"
    )
    parser.add_argument(
        '--frame-interval',
        type=at_least(1),
        dest='interval',
        help='stride of the clips in frames',
    )
    parser.add_argument(
        '--stream', action='store_true', help='every frame, states carried'
    )
    parser.add_argument(
        '--every',
        default=1,
        metavar='K',
        help="with --stream, run the net on every K-th frame, or 'adaptive': "
        'where flow cannot account for what changed; the warped state of its '
        'filter or gated EMA answers on the others',
    )
    parser.add_argument(
        '--temporal',
        action='store_true',
        help='also how steady predictions are: TC and flicker where frames '
        'follow one another, VC where every frame is labelled',
    )
    parser.add_argument(
        '--sequences',
        action='store_true',
        help='with --temporal, keep the results of each sequence in the work '
        'dir, for a bootstrap over them',
    )
    parser.add_argument(
        '--degrade',
        type=float,
        default=0.0,
        metavar='PART',
        help='of the frames, dropped, dark, noisy or blurred: for all models '
        'the same ones',
    )
    parser.add_argument(
        '--corrupt',
        nargs=2,
        metavar=('KIND', 'SEVERITY'),
        help=f'of all frames: {", ".join(CORRUPTIONS)}; severity 1 to 3',
    )
    parser.add_argument(
        '--tta', action='store_true', help='test-time augmentation'
    )
    parser.add_argument(
        '--amp',
        nargs='?',
        const=True,
        default=False,
        choices=(True, *AMP),
        metavar='|'.join(AMP),
        help='mixed precision; default: float16 on a GPU, bfloat16 on a CPU',
    )
    add_run(parser)
    # CHECKPOINT may stand behind options.
    args = parser.parse_intermixed_args(argv)
    if args.temporal and args.tta:
        parser.error('--temporal does not go with --tta')
    if args.sequences and not args.temporal:
        parser.error('--sequences keeps what --temporal finds: add --temporal')
    # Late: only what can be read is worth the import.
    from ..evaluation.protocol import Protocol

    values = {
        field.name: getattr(args, field.name) for field in fields(Protocol)
    }
    for name in values:
        delattr(args, name)
    try:
        args.protocol = Protocol(**values)
    except ValueError as error:
        parser.error(str(error))
    return args


@command(parse_args)
def main(args: argparse.Namespace) -> None:
    from ..apis.testing import evaluate

    evaluate(**vars(args))
