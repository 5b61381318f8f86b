"""What long clips cost in training: memory and time against T."""

import statistics
from collections.abc import Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from ...io.atomic import write_text
from ..costs import device_name
from ..output import markdown_table, save_figure, subplots, to_json
from .training_step import train_cost

# Ways of spending less -> what they change of ``train_cfg``.
WAYS = {
    'all gradients': {},
    'checkpoint_frames=1': dict(checkpoint_frames=1),
    'bptt=5': dict(bptt=5),
    'bptt=5, checkpoint_frames=1': dict(bptt=5, checkpoint_frames=1),
    'ref_grad=False': dict(ref_grad=False),
}


def benchmark_memory(
    config: str,
    num_frames: Sequence[int],
    size: tuple[int, int],
    ways: Sequence[str],
    repeats: int,
    device: torch.device,
    out: str,
) -> None:
    """Measure a training step of each T and way; writes OUT.md, .json, .png.

    The arguments are those of ``tools/benchmark_memory.py``.
    """
    rows = _measure(config, num_frames, size, ways, repeats, device)
    name = device_name(device)
    title = f'{Path(config).stem}, {size[0]}x{size[1]}, {name}'
    cells = {(row['num_frames'], row['way']): _cell(row) for row in rows}
    table = markdown_table(
        ['T', *ways],
        [[t, *(cells[t, way] for way in ways)] for t in num_frames],
    )
    print(f'{title}, torch {torch.__version__}\n\n{table}')
    report = dict(config=config, size=size, repeats=repeats, device=name)
    report |= dict(torch=torch.__version__, rows=rows)
    write_text(f'{out}.md', f'{title}\n\n{table}')
    write_text(f'{out}.json', to_json(report))
    _draw(rows, ways, title, f'{out}.png')
    print(f'written to {out}.md, {out}.json, {out}.png')


def _measure(path, lengths, size, ways, repeats, device) -> list[dict]:
    """One row for each T and way: seconds, MiB; None where it did not fit."""
    cases = [(t, way) for t in lengths for way in ways]
    results = {case: [] for case in cases}
    with tqdm(total=repeats * len(cases), unit='run') as bar:
        for _ in range(repeats):
            for case in cases:
                bar.set_postfix_str(f'T={case[0]}, {case[1]}')
                results[case].append(
                    train_cost(path, case[0], size, device, WAYS[case[1]])
                )
                bar.update()
    rows = []
    for (num_frames, way), runs in results.items():
        row = dict(
            num_frames=num_frames, way=way, seconds=None, mebibytes=None
        )
        if None not in runs:
            seconds, mebibytes = map(
                statistics.median, zip(*runs, strict=True)
            )
            row |= dict(seconds=seconds, mebibytes=mebibytes)
        rows.append(row)
    return rows


def _cell(row: dict) -> str:
    if row['seconds'] is None:
        return 'does not fit'
    return f'{row["mebibytes"]:.0f} MiB, {row["seconds"]:.2f} s'


def _draw(
    rows: list[dict], ways: Sequence[str], title: str, path: str
) -> None:
    figure, (axes,) = subplots(1, 2, (9, 3.6))
    for axis, key, label in zip(
        axes,
        ('mebibytes', 'seconds'),
        ('peak memory of a step (MiB)', 'time of a step (s)'),
        strict=True,
    ):
        for way in ways:
            points = [r for r in rows if r['way'] == way and r[key]]
            axis.plot(
                [r['num_frames'] for r in points],
                [r[key] for r in points],
                marker='o',
                label=way,
            )
        axis.set(xlabel='T (frames of a clip)', ylabel=label, ylim=(0, None))
        axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    figure.suptitle(title, fontsize=10)
    save_figure(figure, path)
