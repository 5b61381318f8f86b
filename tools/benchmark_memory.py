"""What long clips cost in training: memory and time against T.

    python tools/benchmark_memory.py configs/rnn_unet_cityscapes.py \
        --size 512 1024 --out work_dirs/memory

One clip a step, as it is and with each way of spending less; on a CPU each
measurement in a process of its own. Medians of interleaved repeats. Weights
are random: costs only. OUT.md, OUT.json and OUT.png are written.
"""

from mmseg_video.cli.arguments import add_size, at_least, tool_parser
from mmseg_video.engine.launch import cli
from mmseg_video.experiments.benchmarks.memory import WAYS, benchmark_memory
from mmseg_video.experiments.costs import chosen_device


def parse_args():
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='a recurrent config')
    parser.add_argument(
        '--num-frames',
        type=at_least(1),
        nargs='+',
        default=[1, 5, 12, 30],
        help='T (default: %(default)s)',
    )
    add_size(parser, minimum=32)
    parser.add_argument(
        '--ways',
        nargs='+',
        choices=list(WAYS),
        default=list(WAYS),
        metavar='WAY',
        help=f'some of: {"; ".join(WAYS)}',
    )
    parser.add_argument('--repeats', type=at_least(1), default=3)
    parser.add_argument('--device', type=chosen_device, default='')
    parser.add_argument('--out', required=True, metavar='OUT')
    return parser.parse_args()


@cli
def main():
    benchmark_memory(**vars(parse_args()))


if __name__ == '__main__':
    main()
