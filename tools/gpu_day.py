"""All that only a GPU can tell, in the time there is, most worth first.

    bash tools/gpu_day.sh --minutes 25

Parity with the CPU, latency, streams, training steps, loader, NCCL, ONNX
Runtime, compilation: one JSON, one table, one page in --out. A stage that
does not fit into the time is skipped; one that fails or hangs is recorded,
and the next goes on. Run again, only what is missing is done.
"""

import time
from pathlib import Path

import torch

from mmseg_video.cli.arguments import tool_parser
from mmseg_video.engine.launch import cli
from mmseg_video.experiments.benchmarks.gpu_day import (
    DRY,
    FULL,
    STAGES,
    run_gpu_day,
)
from mmseg_video.experiments.benchmarks.gpu_day.camvid import camvid_stage
from mmseg_video.experiments.perform import resumable

ROOT = Path(__file__).resolve().parents[1]


def parse_args():
    parser = tool_parser(__doc__)
    parser.add_argument(
        '--minutes', type=float, default=25, help='default: %(default)s'
    )
    parser.add_argument(
        '--out', type=Path, default=ROOT / 'work_dirs/results/gpu'
    )
    names = [stage.name for stage in STAGES]
    parser.add_argument(
        '--stages',
        nargs='+',
        choices=names,
        default=names,
        metavar='STAGE',
        help=f'of {", ".join(names)}; default: all',
    )
    parser.add_argument(
        '--dry',
        action='store_true',
        help='tiny sizes: every stage is rehearsed on a CPU, figures mean '
        'nothing',
    )
    parser.add_argument(
        '--train-camvid',
        metavar='ROOT',
        help='then train on CamVid for as long as is left',
    )
    args = parser.parse_args()
    if args.minutes <= 0:
        parser.error(f'--minutes must be > 0, got {args.minutes:g}')
    if args.dry and args.out == parser.get_default('out'):
        args.out = ROOT / 'work_dirs/gpu_dry'
    return args


@resumable
@cli
def main():
    args = parse_args()
    if not args.dry and not torch.cuda.is_available():
        raise RuntimeError(
            'PyTorch finds no GPU here: --dry rehearses every stage on a CPU'
        )
    stages = [stage for stage in STAGES if stage.name in args.stages]
    if args.train_camvid:
        until = time.time() + 60 * args.minutes
        stages.append(camvid_stage(args.train_camvid, args.out, until))
    run_gpu_day(args.out, args.minutes, DRY if args.dry else FULL, stages)


if __name__ == '__main__':
    main()
