"""Compare two models on the same video: how right, how steady, how costly.

    python tools/compare.py configs/rnn_unet_street.py RECURRENT.pth \
        --baseline configs/unet_finetune_street.py FRAMEWISE.pth --out FOLDER

Tests both on every frame in order (--num-frames T: on clips), and writes one
table with the difference of every figure and its 95 % interval (a paired
bootstrap over sequences), as comparison.md, .json and .png. With --degrade,
the same at each part of degraded frames, and a plot over it.
"""

import argparse
import sys
from pathlib import Path

import torch

from mmseg_video.datasets.corruptions import CORRUPTIONS, SEVERITIES
from mmseg_video.engine.arguments import at_least
from mmseg_video.engine.checkpoints import check_checkpoint
from mmseg_video.engine.launch import cli, load_config
from mmseg_video.experiments.comparison import (
    compare,
    draw_degraded,
    write_report,
    write_robustness,
)
from mmseg_video.experiments.costs import (
    build,
    interleaved,
    num_parameters,
    streamer,
)
from mmseg_video.experiments.stages import run

TOOLS = Path(__file__).parent


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config')
    parser.add_argument('checkpoint')
    parser.add_argument(
        '--baseline', nargs=2, required=True, metavar=('CONFIG', 'CHECKPOINT')
    )
    parser.add_argument('--out', required=True, help='the folder to write')
    parser.add_argument('--data-root', help="instead of the configs'")
    parser.add_argument(
        '--num-frames', type=at_least(1), help='clips of T, not streams'
    )
    parser.add_argument(
        '--degrade',
        type=float,
        nargs='+',
        default=[0.0],
        metavar='PART',
        help='of the frames, such as 0 0.1 0.2 0.4',
    )
    parser.add_argument(
        '--robustness',
        action='store_true',
        help='also under six corruptions at three strengths each: 36 tests',
    )
    parser.add_argument(
        '--size',
        type=at_least(32),
        nargs=2,
        metavar=('HEIGHT', 'WIDTH'),
        help='also the latency of a frame of this size',
    )
    parser.add_argument('--cfg-options', nargs='+', default=[])
    return parser.parse_args()


def test(args, name, config, checkpoint, condition, worse) -> Path:
    """Test one model; returns the folder with its sequences' results.

    Args:
        args (Namespace): Of the command line.
        name, config, checkpoint (str): The model.
        condition (str): Of the video, for the name of the folder.
        worse (list): What makes the video so, as tools/test.py takes it.
    """
    folder = Path(args.out) / f'{name}_{condition}'
    done = Path(f'{folder}.done')
    if done.exists() and modified(checkpoint) > modified(done):
        done.unlink()  # it was trained anew
    protocol = ['--stream']
    if args.num_frames:
        protocol = ['--num-frames', args.num_frames]
    if args.data_root:
        protocol += ['--data-root', args.data_root]
    protocol += worse
    if args.cfg_options:
        protocol += ['--cfg-options', *args.cfg_options]
    run(
        f'{name}, {condition}',
        [
            *(TOOLS / 'test.py', config, checkpoint, '--temporal'),
            *('--work-dir', folder, '--sequences', folder, *protocol),
        ],
        done,
    )
    return folder


def modified(path: str | Path) -> float:
    return Path(path).stat().st_mtime


def costs(models, size) -> dict:
    """Parameters, and the latency of a streamed frame."""
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    built = {name: build(c, device) for name, (c, _) in models.items()}
    rows = {
        'parameters (M)': {
            k: num_parameters(m) / 1e6 for k, m in built.items()
        }
    }
    if size:
        frame = torch.randn(1, 3, *size, device=device)
        seconds = interleaved(
            {name: streamer(model, frame) for name, model in built.items()},
            9,
            device,
        )
        rows[f'latency (ms, {size[0]}x{size[1]})'] = {
            name: 1000 * value for name, value in seconds.items()
        }
    return {
        name: dict(
            baseline=row['framewise'],
            model=row['recurrent'],
            difference=row['recurrent'] - row['framewise'],
        )
        for name, row in rows.items()
    }


@cli
def main():
    args = parse_args()
    models = dict(
        framewise=tuple(args.baseline),
        recurrent=(args.config, args.checkpoint),
    )
    for config, checkpoint in models.values():
        load_config(config)
        check_checkpoint(checkpoint)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)

    def report_on(condition, worse):
        folders = {
            name: test(args, name, *model, condition, worse)
            for name, model in models.items()
        }
        return compare(folders['framewise'], folders['recurrent'])

    reports = {
        part: report_on(f'{part:g}', ['--degrade', part] if part else [])
        for part in args.degrade
    }
    report = dict(
        reports[args.degrade[0]], models=models, command=sys.argv[1:]
    )
    report['figures'] |= costs(models, args.size)
    print(write_report(report, out))
    names = ['comparison.md', 'comparison.json', 'comparison.png']
    if len(reports) > 1:
        draw_degraded(reports, out)
        names += ['degraded.json', 'degraded.png']
    if args.robustness:
        clean = reports[args.degrade[0]]
        if 'mIoU' not in clean['figures']:
            raise ValueError('--robustness is about mIoU, and needs labels')
        corrupted = {
            kind: {0: clean}
            | {
                n: report_on(f'{kind}_{n}', ['--corrupt', kind, n])
                for n in SEVERITIES
            }
            for kind in CORRUPTIONS
        }
        print(write_robustness(corrupted, out))
        names += [f'robustness.{end}' for end in ('md', 'json', 'png')]
    print('\n'.join(str(out / name) for name in names))


if __name__ == '__main__':
    main()
