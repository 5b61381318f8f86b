"""Draws the figures of the results pages from the committed tables.

python docs/en/figures.py     # into docs/en/_static/
"""

import csv
import json
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from adjustText import adjust_text

HERE = Path(__file__).parent
RESULTS = HERE.parents[1] / 'work_dirs/results'

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
CORRUPTIONS = {
    'dropped': 'dropped frames',
    'noise_burst': 'noise bursts',
    'motion_blur': 'motion blur',
    'dark': 'lasting darkness',
    'jpeg': 'JPEG blocks',
    'patch': 'occluding patch',
}
BASELINE, OTHER = '#c44e52', '#2f6db5'


def read(spec: str) -> dict[str, dict]:
    """Entry -> its figures, from the spec's table.csv."""
    with open(RESULTS / 'ablations' / spec / 'table.csv') as file:
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
    for name in ('street', 'camvid'):
        figure = draw_robustness(f'robustness_{name}')
        save(figure, f'{name}_robustness.png')


if __name__ == '__main__':
    main()
