"""What long clips cost in training: memory and time against T.

    python tools/benchmark_memory.py configs/rnn_unet_cityscapes.py \
        --size 512 1024 --out work_dirs/memory

One clip a step, as it is and with each way of spending less; on a CPU each
measurement in a process of its own. Medians of interleaved repeats. Weights
are random: costs only. OUT.md, OUT.json and OUT.png are written.
"""

import argparse
import json
import statistics
from pathlib import Path

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

import mmseg_video.engine.registration  # noqa: F401
from mmseg_video.engine.arguments import at_least
from mmseg_video.engine.atomic_backend import AtomicLocalBackend
from mmseg_video.engine.launch import cli
from mmseg_video.experiments.costs import train_cost

WAYS = {
    'all gradients': {},
    'checkpoint_frames=1': dict(checkpoint_frames=1),
    'bptt=5': dict(bptt=5),
    'bptt=5, checkpoint_frames=1': dict(bptt=5, checkpoint_frames=1),
    'ref_grad=False': dict(ref_grad=False),
}


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config', help='a recurrent config')
    parser.add_argument(
        '--num-frames',
        type=at_least(1),
        nargs='+',
        default=[1, 5, 12, 30],
        help='T (default: %(default)s)',
    )
    parser.add_argument(
        '--size', type=at_least(32), nargs=2, default=(512, 1024)
    )
    parser.add_argument(
        '--ways',
        nargs='+',
        choices=list(WAYS),
        default=list(WAYS),
        metavar='WAY',
        help=f'some of: {"; ".join(WAYS)}',
    )
    parser.add_argument('--repeats', type=at_least(1), default=3)
    parser.add_argument('--device')
    parser.add_argument('--out', required=True, metavar='OUT')
    return parser.parse_args(argv)


def measure(args, device) -> list[dict]:
    """One row for each T and way: seconds, MiB; None where it did not fit."""
    cases = [(t, way) for t in args.num_frames for way in args.ways]
    results = {case: [] for case in cases}
    with tqdm(total=args.repeats * len(cases), unit='run') as bar:
        for _ in range(args.repeats):
            for num_frames, way in cases:
                bar.set_postfix_str(f'T={num_frames}, {way}')
                results[num_frames, way].append(
                    train_cost(
                        *(args.config, num_frames, tuple(args.size), device),
                        WAYS[way],
                    )
                )
                bar.update()
    rows = []
    for (num_frames, way), runs in results.items():
        fits = None not in runs
        seconds, mebibytes = zip(*runs, strict=True) if fits else ((), ())
        rows.append(
            dict(
                num_frames=num_frames,
                way=way,
                seconds=statistics.median(seconds) if fits else None,
                mebibytes=statistics.median(mebibytes) if fits else None,
            )
        )
    return rows


def table(rows: list[dict], ways: list[str]) -> str:
    """Markdown: a line for each T, memory and time in each cell."""
    lines = [
        f'| T | {" | ".join(ways)} |',
        f'|---|{"---|" * len(ways)}',
    ]
    for num_frames in dict.fromkeys(row['num_frames'] for row in rows):
        cells = [
            f'{row["mebibytes"]:.0f} MiB, {row["seconds"]:.2f} s'
            if row['seconds']
            else 'does not fit'
            for row in rows
            if row['num_frames'] == num_frames
        ]
        lines.append(f'| {num_frames} | {" | ".join(cells)} |')
    return '\n'.join(lines)


def plot(rows: list[dict], ways: list[str], title: str, path: Path) -> None:
    figure = Figure(figsize=(9, 3.6), layout='constrained')
    for axes, key, label in zip(
        figure.subplots(1, 2),
        ('mebibytes', 'seconds'),
        ('peak memory of a step (MiB)', 'time of a step (s)'),
        strict=True,
    ):
        for way in ways:
            points = [r for r in rows if r['way'] == way and r[key]]
            axes.plot(
                [r['num_frames'] for r in points],
                [r[key] for r in points],
                marker='o',
                label=way,
            )
        axes.set_xlabel('T')
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.suptitle(title, fontsize=10)
    figure.savefig(path, dpi=120)


@cli
def main(argv=None):
    args = parse_args(argv)
    device = torch.device(
        args.device or ('cuda' if torch.cuda.is_available() else 'cpu')
    )
    rows = measure(args, device)
    name = (
        torch.cuda.get_device_name(device)
        if device.type == 'cuda'
        else f'CPU, {torch.get_num_threads()} threads'
    )
    size = 'x'.join(map(str, args.size))
    title = f'{Path(args.config).stem}, {size}, {name}'
    text = table(rows, args.ways)
    print(f'{title}, torch {torch.__version__}\n\n{text}')
    report = dict(
        config=args.config,
        size=list(args.size),
        repeats=args.repeats,
        device=name,
        torch=torch.__version__,
        rows=rows,
    )
    out, write = Path(args.out), AtomicLocalBackend()
    write.put_text(f'{title}\n\n{text}\n', f'{out}.md')
    write.put_text(json.dumps(report, indent=1), f'{out}.json')
    plot(rows, args.ways, title, Path(f'{out}.png'))
    print(f'written to {out}.md, {out}.json, {out}.png')


if __name__ == '__main__':
    main()
