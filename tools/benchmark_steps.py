"""What training steps of clips cost, net by net and way by way, in one run.

    python tools/benchmark_steps.py --size 256 512 --out work_dirs/steps

The time of a step on T frames in units of T framewise steps on stills, and
its peak memory: of lateral RNNs, gated EMAs and both, with all gradients and
with what spends less. Medians of rounds in turn; on a CPU each memory is
measured in a process of its own. Weights are random: costs only. OUT/steps.md
and steps.json are written; run again, it goes on.
"""

from pathlib import Path

from mmseg_video.cli.arguments import add_size, at_least, tool_parser
from mmseg_video.engine.launch import cli
from mmseg_video.experiments.benchmarks.training_steps import (
    DEFAULT_WAYS,
    NETWORKS,
    WAYS,
    benchmark_steps,
)
from mmseg_video.experiments.costs import chosen_device
from mmseg_video.experiments.perform import resumable


def parse_args():
    parser = tool_parser(__doc__)
    add_size(parser, minimum=32)
    parser.add_argument(
        '--num-frames',
        type=at_least(1),
        nargs='+',
        default=[5, 12],
        dest='lengths',
        metavar='T',
        help='default: %(default)s',
    )
    parser.add_argument(
        '--networks',
        nargs='+',
        choices=list(NETWORKS)[1:],
        default=list(NETWORKS)[1:],
        metavar='NET',
        help=f'some of: {"; ".join(list(NETWORKS)[1:])}; default: all',
    )
    parser.add_argument(
        '--ways',
        nargs='+',
        choices=list(WAYS),
        default=DEFAULT_WAYS,
        metavar='WAY',
        help=f'some of: {"; ".join(WAYS)}; default: the first three',
    )
    parser.add_argument(
        '--repeats', type=at_least(1), default=3, help='rounds'
    )
    parser.add_argument('--device', type=chosen_device, default='')
    parser.add_argument(
        '--out', required=True, type=Path, metavar='OUT', help='a folder'
    )
    return parser.parse_args()


@resumable
@cli
def main():
    benchmark_steps(**vars(parse_args()))


if __name__ == '__main__':
    main()
