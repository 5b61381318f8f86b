"""Made-up results of the two benchmarks, in the form of the real ones."""

import json
from pathlib import Path

import numpy as np

TITLES = {
    'framewise_same_time': 'framewise, fine-tuned for the same time',
    'first': 'framewise, first training',
    'framewise_same_iterations': 'framewise, as many iterations',
    'hold': 'last map held on flat and dark frames',
    'ema': 'EMA in place, not trained',
    'flow_ema': 'flow-compensated EMA, not trained',
    'laterals': 'lateral ConvGRUs',
    'laterals_steady': 'lateral ConvGRUs, flow-compensated EMA',
    'split_laterals': 'split laterals',
    'gated_ema': 'gated EMA',
    'gated_ema_flow': 'gated EMA, flow-compensated',
    'split_gated_ema': 'split laterals, gated EMA',
    'split_gated_ema_flow': 'split laterals, gated EMA, flow-compensated',
}
BASELINE = 'framewise_same_time'
CLASSES = ('road', 'sidewalk', 'building', 'pole', 'person', 'car')
FIGURES = {'mIoU': 43.0, 'mAcc': 52.0, 'flicker_static': 8.0, 'VC8': 80.0}


def benchmark(data: dict[str, tuple], seed: int) -> dict:
    """What results.json holds, drawn; the gated EMAs are the best.

    Args:
        data (dict[str, tuple]): Data -> its splits, protocols and subsets.
        seed (int): Of the draw.
    """
    rng = np.random.default_rng(seed)
    quality = {name: i / len(TITLES) for i, name in enumerate(TITLES)}
    rows = []
    for name, (splits, protocols, subsets) in data.items():
        for split in splits:
            for protocol in protocols:
                rows += [
                    row
                    for subset in subsets
                    for row in _rows(rng, quality, protocol, subset)
                ]
                for row in rows[-_count(subsets) :]:
                    row.update(data=name, split=split)
    return dict(
        benchmark='made up',
        command='bash tools/reproduce.sh',
        data_seeds=[0, 1, 2],
        training_seeds=[0, 1, 2],
        baseline=BASELINE,
        best='gated_ema_flow',
        best_without_laterals='gated_ema_flow',
        entries={
            name: dict(
                title=title,
                config=f'configs/{name}.py',
                iterations=400,
                seconds=310.2,
                parameters=3_600_000,
                latency_ratio=1 + 0.1 * quality[name],
            )
            for name, title in TITLES.items()
        },
        rows=rows,
        per_class={
            name: {
                each: float(40 + 50 * rng.random() + 2 * quality[name])
                for each in CLASSES
            }
            for name in TITLES
        },
        curves={
            'framewise': dict(
                iterations=[500, 1000, 1500], val_mIoU=[20.0, 30.0, 32.0]
            )
        },
    )


def _count(subsets) -> int:
    return len(subsets) * len(TITLES) * len(FIGURES)


def _rows(rng, quality, protocol, subset) -> list[dict]:
    rows = []
    for entry, good in quality.items():
        for figure, base in FIGURES.items():
            change = (-4 if 'flicker' in figure else 2) * good
            gain = None if entry == BASELINE else change
            rows.append(
                dict(
                    **dict(protocol=protocol, entry=entry, subset=subset),
                    **dict(figure=figure, value=base + change),
                    **dict(sd=float(0.2 + 0.3 * rng.random()), runs=3),
                    **dict(difference=gain),
                    low=None if gain is None else gain - 0.3,
                    high=None if gain is None else gain + 0.3,
                )
            )
    return rows


def write(root: Path) -> Path:
    """Both benchmarks below a folder, which is returned."""
    every, parts = ('stream', 't5', 't12'), ('all', 'clean', 'degraded')
    made = dict(
        street_scenes=benchmark(
            {
                'bursts': (('test', 'val'), every, parts),
                'clean': (('test', 'val'), every, ('all',)),
                'long_bursts': (('test',), ('stream',), parts),
            },
            0,
        ),
        camvid=benchmark(
            {
                'val15': (('test',), ('stream',), parts),
                'test1': (('test',), ('t5',), ('all',)),
            },
            1,
        ),
    )
    for name, content in made.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name / 'results.json').write_text(json.dumps(content))
    return root
