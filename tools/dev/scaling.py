"""How a training scales over processes, GPUs and nodes, wherever it is run.

    python tools/dev/scaling.py --processes 2 --out work_dirs/scaling
    torchrun --nnodes 2 --nproc_per_node 8 ... tools/dev/scaling.py

Clips a second of 1, 2, 4 ... processes in turn, with and without the
gradient's all-reduce, and how much of that the backward pass hides: NCCL on
GPUs, gloo on CPUs. Without torchrun it starts one process for each GPU of
this machine, or --processes. Weights are random: costs only.
"""

import os
import subprocess
import sys

import torch

from mmseg_video.cli.arguments import add_size, at_least, tool_parser
from mmseg_video.engine.launch import cli
from mmseg_video.experiments.benchmarks.scaling import benchmark_scaling
from mmseg_video.io.shipped import find_config


def parse_args(argv=None):
    parser = tool_parser(__doc__)
    parser.add_argument(
        'config', nargs='?', default='rnn_unet_cityscapes', help='%(default)s'
    )
    add_size(parser, minimum=32)
    parser.add_argument('--num-frames', type=at_least(1), default=5, help='T')
    parser.add_argument('--repeats', type=at_least(1), default=9)
    parser.add_argument(
        '--processes',
        type=at_least(1),
        default=torch.cuda.device_count() or 2,
        help='without torchrun; default: %(default)s',
    )
    parser.add_argument('--out', help='writes OUT.json and OUT.md')
    return parser.parse_args(argv)


@cli
def main():
    args = parse_args()
    if 'RANK' not in os.environ:
        sys.exit(_start(args.processes))
    benchmark_scaling(
        find_config(args.config),
        *(args.size, args.num_frames, args.repeats, args.out),
    )


def _start(processes: int) -> int:
    """Exit status of this command under torchrun."""
    cores = max(1, (os.cpu_count() or 1) // processes)
    command = [
        *(sys.executable, '-m', 'torch.distributed.run', '--standalone'),
        *('--nproc_per_node', str(processes), *sys.argv),
    ]
    environment = {'OMP_NUM_THREADS': str(cores), **os.environ}
    return subprocess.call(command, env=environment)


if __name__ == '__main__':
    main()
