"""Draws the figures of the results pages from the committed tables.

python docs/en/figures.py     # into docs/en/_static/
"""

import csv
import json
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from adjustText import adjust_text

from mmseg_video.experiments.benchmark_results import BenchmarkResults, Column
from mmseg_video.experiments.gains_plot import draw_gains, measured_panels
from mmseg_video.experiments.runs_plot import draw_runs

HERE = Path(__file__).parent
RESULTS = HERE.parents[1] / 'work_dirs/results'

# Panel of the figure of Street scenes 1.0 -> test data, and which frames.
STREET = {
    'Street scenes 1.0 test, streamed, all frames': ('bursts', 'all'),
    'Street scenes 1.0 test, streamed, clean frames': ('bursts', 'clean'),
}
RUNS = {
    'mIoU, clean frames': Column('bursts', 'stream', subset='clean'),
    'mIoU, degraded frames': Column('bursts', 'stream', subset='degraded'),
    'static-label flicker': Column('bursts', 'stream', 'flicker_static'),
}
# Entry of the committed table -> its name in the figure. Those of the tables
# are names of their time.
CAMVID = {
    'framewise_after_clean': 'framewise baseline',
    'ema_after_clean': 'EMA in place, not trained',
    'flow_ema_0.7_after_clean': 'flow-compensated EMA, weight 0.7',
    'flow_ema_0.5_after_clean': 'flow-compensated EMA, weight 0.5',
    'flow_ema_0.3_after_clean': 'flow-compensated EMA, weight 0.3',
    'gated_average_after_clean': 'gated EMA',
    'gated_average_flow_after_clean': 'gated EMA, flow-compensated',
}
CORRUPTIONS = {
    'dropped': 'dropped frames',
    'noise_burst': 'noise bursts',
    'motion_blur': 'motion blur',
    'dark': 'lasting darkness',
    'jpeg': 'JPEG blocks',
    'patch': 'occluding patch',
}
BASELINE, OTHER = '#c44e52', '#2f6db5'


def of_camvid(protocol: str) -> dict[str, tuple]:
    """Name in the figure -> flicker and mIoU, and their spread."""
    with open(RESULTS / 'ablations/ladder_camvid_15hz/table.csv') as file:
        rows = {row['entry']: row for row in csv.DictReader(file)}
    # flicker_static, by the name that it had then.
    figures = [f'{protocol} flicker_unfounded', f'{protocol} mIoU']
    return {
        name: tuple(
            float(rows[entry][f'{figure} {key}'] or 0)
            for key in ('mean', 'std')
            for figure in figures
        )
        for entry, name in CAMVID.items()
    }


def draw(axes, points: dict[str, tuple], title: str) -> None:
    """mIoU over static-label flicker, a point for each entry."""
    texts, xs, ys = [], [], []
    for name, (x, y, dx, dy) in points.items():
        colour = BASELINE if name.startswith('framewise') else OTHER
        error = dict(xerr=dx, yerr=dy, fmt='o', ecolor='0.75')
        axes.errorbar(x, y, **error, color=colour)
        texts.append(axes.text(x, y, name, color=colour, fontsize=9))
        xs.append(x)
        ys.append(y)
    axes.set(xlabel='static-label flicker (%)', ylabel='mIoU (%)', title=title)
    axes.margins(0.25, 0.2)
    axes.grid(alpha=0.3)
    adjust_text(
        texts,
        xs,
        ys,
        ax=axes,
        expand=(1.2, 1.5),
        iter_lim=500,  # not seconds: the same on every machine
        arrowprops=dict(arrowstyle='-', color='0.6', lw=0.7),
    )


def draw_robustness(results: str):
    """mIoU over the strength of each corruption, a panel for each."""
    path = RESULTS / results / 'robustness.json'
    by_kind = json.loads(path.read_text())
    figure, panels = plt.subplots(
        *(2, 3),
        figsize=(10, 5.6),
        layout='constrained',
        sharex=True,
        sharey=True,
    )
    for axes, (kind, name) in zip(
        panels.flat, CORRUPTIONS.items(), strict=True
    ):
        figures = [f['mIoU'] for f in by_kind[kind].values()]
        for key, label, colour in (
            ('baseline', 'framewise baseline', BASELINE),
            ('model', 'recurrent U-Net', OTHER),
        ):
            values = [f[key] for f in figures]
            axes.plot(range(len(values)), values, 'o-', c=colour, label=label)
        axes.set_title(name)
        axes.set_xticks(range(len(figures)))
        axes.grid(alpha=0.3)
    panels[0, 0].legend(frameon=False)
    for axes in panels[:, 0]:
        axes.set_ylabel('mIoU (%)')
    for axes in panels[1]:
        axes.set_xlabel('strength (0: none)')
    return figure


def save(figure, name: str) -> None:
    path = HERE / '_static' / name
    figure.savefig(path, dpi=110)
    plt.close(figure)
    print(f'written to {path}')


def main():
    mpl.use('Agg')
    results = BenchmarkResults(RESULTS / 'street_scenes/results.json')
    panels = measured_panels(results, STREET)
    figure, axes = plt.subplots(
        *(1, len(panels)),
        figsize=(13, 9),
        layout='constrained',
        squeeze=False,
    )
    draw_gains(figure, axes[0], results, panels, fontsize=10)
    save(figure, 'street_flicker.png')
    figure, axes = plt.subplots(
        *(1, len(RUNS)),
        figsize=(16, 6),
        layout='constrained',
        sharey=True,
        width_ratios=[1.8, 1, 1],
    )
    draw_runs(figure, axes, results, RUNS)
    save(figure, 'street_runs.png')
    figure, panels = plt.subplots(
        1, 2, figsize=(13, 4.8), layout='constrained'
    )
    for axes, protocol, title in zip(
        panels,
        ('stream', 'stream_degrade0.2'),
        ('clean', 'a fifth of the frames degraded'),
        strict=True,
    ):
        draw(axes, of_camvid(protocol), f'CamVid val, 15 Hz, {title}')
    save(figure, 'camvid_flicker.png')
    for name in ('street', 'camvid'):
        figure = draw_robustness(f'robustness_{name}')
        save(figure, f'{name}_robustness.png')


if __name__ == '__main__':
    main()
