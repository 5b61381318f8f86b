"""What filters, propagated frames and their rivals make of a net's scores.

    python tools/dev/steady_benchmark.py CONFIG CHECKPOINT --net unet_s0 \
        --data camvid_val --data-root data/camvid --settings filters paces
    python tools/dev/steady_benchmark.py --report

The first runs a framewise net once over its config's validation video, keeps
its scores, and writes a JSON file for each setting; what is there is not
measured again. The second writes a table and a plot for each data set.
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
from mmseg_video.experiments.benchmarks.steady import benchmark
from mmseg_video.experiments.benchmarks.steady_report import write_reports
from mmseg_video.experiments.benchmarks.steady_settings import GROUPS


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', nargs='?')
    parser.add_argument('checkpoint', nargs='?')
    parser.add_argument('--net', help='its name in the tables')
    parser.add_argument('--data', help='the name of the data, such as street')
    parser.add_argument(
        '--settings',
        nargs='+',
        choices=[*GROUPS],
        default=['filters', 'paces', 'rivals'],
    )
    parser.add_argument(
        '--out', type=Path, default=Path('work_dirs/results/steady')
    )
    parser.add_argument(
        '--cache', type=Path, default=Path('work_dirs/steady_cache')
    )
    parser.add_argument('--frames', type=at_least(2), dest='num_frames')
    parser.add_argument(
        '--degrade',
        type=float,
        default=0.0,
        help='part of the frames that are dropped, dark, noisy or blurred; '
        'give --data another name',
    )
    parser.add_argument(
        '--file',
        type=Path,
        help="a video file of the data's frames, which the net sees in place "
        "of them: for --settings flows, the codec's motion vectors",
    )
    parser.add_argument('--quick', action='store_true', help='without TC')
    parser.add_argument(
        '--timed', action='store_true', help='the milliseconds of each part'
    )
    parser.add_argument(
        '--report', action='store_true', help='write tables and plots'
    )
    add_data(parser)
    add_loading(parser)
    args = parser.parse_args()
    if args.config is None and not args.report:
        parser.error('name CONFIG and CHECKPOINT, or --report')
    if args.config and not (args.checkpoint and args.net and args.data):
        parser.error('CONFIG goes with CHECKPOINT, --net and --data')
    return args


@cli
def main():
    args = vars(parse_args())
    report, groups = args.pop('report'), args.pop('settings')
    torch.set_num_threads(1)
    if args['config']:
        settings = {k: s for g in groups for k, s in GROUPS[g].items()}
        benchmark(settings=settings, **args)
    if report:
        for path in write_reports(args['out']):
            print(path)


if __name__ == '__main__':
    main()
