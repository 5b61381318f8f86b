"""A net slower than its camera: --live against waiting and holding.

    python tools/dev/live_benchmark.py CONFIG CHECKPOINT --fps 15 \
        --data-root data/camvid --out work_dirs/results/steady/live_camvid_val

The first sequence of the config's validation video is the camera; the net is
slowed down to take so many of its periods. Writes OUT.md and OUT.json: frames
answered, latency, and the mIoU of what is on the screen when the next frame
comes. Time goes by as it does for a camera, so nothing else should run.
"""

import argparse
from pathlib import Path

import torch

from mmseg_video.cli.arguments import (
    add_data,
    add_loading,
    at_least,
    tool_parser,
)
from mmseg_video.engine import registration  # noqa: F401
from mmseg_video.engine.launch import cli
from mmseg_video.experiments.benchmarks.live import benchmark_live


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config')
    parser.add_argument('checkpoint')
    parser.add_argument('--fps', type=float, default=15.0)
    parser.add_argument(
        '--periods',
        type=float,
        nargs='+',
        default=[2, 3, 5],
        help='of the camera, that the net takes for a frame',
    )
    parser.add_argument('--frames', type=at_least(2), dest='num_frames')
    parser.add_argument(
        '--out', type=Path, default=Path('work_dirs/results/steady/live')
    )
    add_data(parser)
    add_loading(parser)
    args = parser.parse_args()
    if not (args.fps > 0 and min(args.periods) > 0):
        parser.error('--fps and --periods must be above 0')
    return args


@cli
def main():
    torch.set_num_threads(1)
    print(benchmark_live(**vars(parse_args())))


if __name__ == '__main__':
    main()
