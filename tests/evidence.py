"""Made-up results of a benchmark, in the form of the real ones."""

import json
from itertools import product
from pathlib import Path

import numpy as np

TITLES = {
    'framewise': 'framewise, 15,500 iterations',
    'framewise_longer': 'framewise, 3,000 iterations more',
    'flow_ema': 'EMA of its probabilities, flow-compensated',
    'hold': 'the last map held on flat and dark frames',
    'joint': 'the same, trained with the net',
    'laterals': 'recurrent laterals',
    'gated_ema': 'gated EMA',
    'gated_ema_flow': 'gated EMA, flow-compensated',
    'laterals_gated_ema': 'recurrent laterals and gated EMA',
}
BASELINE = 'framewise'
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
    rows = [
        dict(row, data=name, split=split)
        for name, (splits, protocols, subsets) in data.items()
        for split, protocol, subset in product(splits, protocols, subsets)
        for row in _rows(rng, quality, protocol, subset)
    ]
    return dict(
        benchmark='made up',
        command='bash tools/reproduce.sh',
        data_seeds=[0, 1, 2],
        trainings={str(data): [0, 1, 2] for data in range(3)},
        baseline=BASELINE,
        best='laterals_gated_ema',
        best_without_laterals='gated_ema_flow',
        entries={
            name: dict(
                title=title,
                config=f'configs/{name}.py',
                iterations=400,
                seconds=310.2,
                parameters=3_600_000,
                latency_ratio=1 + 0.1 * quality.get(name, 0),
            )
            for name, title in {'first': 'framewise, first', **TITLES}.items()
        },
        rows=rows,
        per_class={
            name: {
                each: float(40 + 50 * rng.random() + 2 * quality[name])
                for each in CLASSES
            }
            for name in TITLES
        },
        per_class_difference={
            name: dict.fromkeys(CLASSES, 0.1 + 2 * quality[name])
            for name in TITLES
        },
        curves={
            'first': dict(
                iterations=[500, 1000, 1500], val_mIoU=[20.0, 30.0, 32.0]
            )
        },
    )


def _rows(rng, quality, protocol, subset) -> list[dict]:
    rows = []
    for entry, good in quality.items():
        for figure, base in FIGURES.items():
            change = (-4 if 'flicker' in figure else 2) * good
            bounds = [None] * 2
            if entry != BASELINE:
                bounds = [change - 0.3, change + 0.3]
            rows.append(
                dict(
                    **dict(protocol=protocol, entry=entry, subset=subset),
                    **dict(figure=figure, value=base + change),
                    **dict(sd=float(0.2 + 0.3 * rng.random()), runs=3),
                    **dict(difference=change, low=bounds[0]),
                    high=bounds[1],
                )
            )
    return rows


def write(root: Path) -> Path:
    """The benchmark's results below a folder, which is returned."""
    parts, only = ('all', 'clean', 'degraded'), ('stream',)
    content = benchmark(
        {
            'bursts': (('test', 'val'), ('stream', 't5'), parts),
            'clean': (('test',), only, ('all',)),
            'long_bursts': (('test',), only, parts),
            'occlusion': (('test',), only, parts),
            'darkness': (('test',), only, parts),
            'far': (('test',), only, ('all',)),
        },
        0,
    )
    (root / 'street_scenes').mkdir(parents=True, exist_ok=True)
    path = root / 'street_scenes' / 'results.json'
    path.write_text(json.dumps(content))
    return root
