"""What recurrence costs: a recurrent config against its framewise baseline.

    python tools/benchmark.py configs/rnn_unet_cityscapes.py \
        --baseline configs/unet_cityscapes.py --size 512 1024

Medians of interleaved repeats in one run, so that the ratios hold even where
the clock of the machine does not. Weights are random: costs only.
"""

from mmseg_video.cli.arguments import add_size, tool_parser
from mmseg_video.engine.launch import cli
from mmseg_video.experiments.benchmarks.recurrence import benchmark_recurrence
from mmseg_video.experiments.costs import chosen_device


def parse_args():
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='the recurrent config')
    parser.add_argument(
        '--baseline', required=True, help='its framewise baseline'
    )
    add_size(parser, minimum=32)
    parser.add_argument('--num-frames', type=int, default=5, help='T')
    parser.add_argument('--repeats', type=int, default=9)
    parser.add_argument(
        '--data',
        type=int,
        default=0,
        dest='num_samples',
        metavar='N',
        help='also load N training samples of both configs',
    )
    parser.add_argument('--data-root', help="instead of the configs'")
    parser.add_argument('--device', type=chosen_device, default='')
    parser.add_argument('--out', help='write the figures to this JSON file')
    return parser.parse_args()


@cli
def main():
    benchmark_recurrence(**vars(parse_args()))


if __name__ == '__main__':
    main()
