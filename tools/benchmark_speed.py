"""What memory layout, compilation and mixed precision gain a stream.

    python tools/benchmark_speed.py CONFIG --checkpoint CHECKPOINT \
        --size 512 1024

Runs a stream of street scenes through the model in each way, in turn: the
median time of a frame, its ratio to the plain way, and how many pixels get
another class than in the plain way.
"""

from mmseg_video.cli.arguments import (
    add_loading,
    add_size,
    at_least,
    tool_parser,
)
from mmseg_video.datasets.street_scenes import NUM_FRAMES
from mmseg_video.engine.launch import cli
from mmseg_video.experiments.benchmarks.speed import benchmark_speed


def parse_args():
    parser = tool_parser(__doc__)
    parser.add_argument('config')
    parser.add_argument(
        '--checkpoint', help='default: the published one of the config'
    )
    add_size(parser)
    parser.add_argument(
        '--frames',
        type=at_least(2),
        default=NUM_FRAMES,
        dest='num_frames',
        help='of the stream',
    )
    parser.add_argument('--repeats', type=at_least(3), default=15)
    parser.add_argument('--out', help='write the figures to this JSON file')
    add_loading(parser)
    return parser.parse_args()


@cli
def main():
    benchmark_speed(**vars(parse_args()))


if __name__ == '__main__':
    main()
