"""Draws the figures of the results pages from the committed tables.

python docs/en/figures.py     # into docs/en/_static/
"""

import csv
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from adjustText import adjust_text

HERE = Path(__file__).parent
TABLES = HERE.parents[1] / 'work_dirs/results/ablations'

# Entry of the committed table -> its name in the figure. Those of the tables
# are names of their time.
STREET = {
    'long_framewise_same_time': 'framewise baseline',
    'long_warm': 'recurrent U-Net',
    'long_gated_average': 'gated EMA',
    'long_gated_average_flow': 'gated EMA, flow-compensated',
    'long_flow_ema': 'flow-compensated EMA,\nnot trained',
}
CAMVID = {
    'framewise_after_clean': 'framewise baseline',
    'ema_after_clean': 'EMA in place, not trained',
    'flow_ema_0.7_after_clean': 'flow-compensated EMA, 0.7',
    'flow_ema_0.5_after_clean': 'flow-compensated EMA, 0.5',
    'flow_ema_0.3_after_clean': 'flow-compensated EMA, 0.3',
    'gated_average_after_clean': 'gated EMA',
    'gated_average_flow_after_clean': 'gated EMA, flow-compensated',
}
BASELINE, OTHER = '#c44e52', '#2f6db5'


def read(spec: str) -> dict[str, dict]:
    """Entry -> its figures, from the spec's table.csv."""
    with open(TABLES / spec / 'table.csv') as file:
        return {row['entry']: row for row in csv.DictReader(file)}


def draw(axes, rows: dict, names: dict, protocol: str, title: str) -> None:
    """mIoU over static-label flicker, a point for each entry."""
    texts, xs, ys = [], [], []
    for entry, name in names.items():
        row = rows[entry]
        # flicker_static, by the name that it had then.
        flicker = f'{protocol} flicker_unfounded'
        x, y = (
            float(row[f'{flicker} mean']),
            float(row[f'{protocol} mIoU mean']),
        )
        error = {
            axis: float(row[f'{key} std'] or 0)
            for axis, key in (('xerr', flicker), ('yerr', f'{protocol} mIoU'))
        }
        colour = BASELINE if name.startswith('framewise') else OTHER
        axes.errorbar(x, y, **error, fmt='o', color=colour, ecolor='0.6')
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
        expand=(1.3, 1.9),
        arrowprops=dict(arrowstyle='-', color='0.6', lw=0.7),
    )


def save(figure, name: str) -> None:
    path = HERE / '_static' / name
    figure.savefig(path, dpi=110)
    plt.close(figure)
    print(f'written to {path}')


def main():
    mpl.use('Agg')
    figure, axes = plt.subplots(figsize=(7.5, 4.5), layout='constrained')
    draw(
        *(axes, read('ladder_street'), STREET, 'stream'),
        'street scenes, streamed, 3 seeds',
    )
    save(figure, 'street_flicker.png')
    figure, panels = plt.subplots(
        1, 2, figsize=(13, 4.8), layout='constrained'
    )
    rows = read('ladder_camvid_15hz')
    for axes, protocol, title in zip(
        panels,
        ('stream', 'stream_degrade0.2'),
        ('clean', 'a fifth of the frames degraded'),
        strict=True,
    ):
        draw(axes, rows, CAMVID, protocol, f'CamVid val, 15 Hz, {title}')
    save(figure, 'camvid_flicker.png')


if __name__ == '__main__':
    main()
