"""Pictures of an ablation: accuracy against cost and against flicker, and a
matrix."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from .output import save_figure, subplots
from .table import Column, Figure, Row, columns

OURS, BASELINE = '#2f6db3', '#c8423b'
# The first that was measured, and what an axis calls it.
FLICKER = dict(
    flicker_static='static-label flicker (%)', flicker='flicker (%)'
)


def draw_costs(rows: list[Row], path: Path) -> bool:
    """A PNG of accuracy against cost; returns whether there was anything.

    A panel for each protocol, with its first metric; the cost is the latency
    of a streamed frame in units of the baseline's, or in ms without one: rows
    may have been timed on different days, each beside its baseline. Bars are
    the standard deviation over seeds.

    Args:
        rows (list[Row]): Those without the figure or the cost are left out.
        path (Path): The picture.
    """
    first = {}
    for protocol, metric in columns(rows):
        first.setdefault(protocol, metric)
    costs = [row.cost for row in rows if row.cost]
    if not costs:
        return False
    cost, label = 'latency_ms', 'latency of a streamed frame (ms)'
    if all(each.get('ratio') for each in costs):
        cost = 'ratio'
        label = "latency of a streamed frame, in units of the baseline's"
    return _scatter(
        rows,
        {
            column: (lambda row: row.cost.get(cost), label)
            for column in first.items()
        },
        path,
    )


def draw_flicker(rows: list[Row], path: Path) -> bool:
    """A PNG of accuracy against flicker; returns whether there was anything.

    A panel for each protocol that measures both: the static-label flicker
    where there is one, else the raw. Right and steady is at the top left.

    Args:
        rows (list[Row]): Those without one of the two are left out.
        path (Path): The picture.
    """
    measured = columns(rows)
    panels = {}
    for protocol in dict.fromkeys(p for p, _ in measured):
        names = [m for m in FLICKER if (protocol, m) in measured]
        if not names or (protocol, 'mIoU') not in measured:
            continue

        def flicker(row, column=(protocol, names[0])):
            figure = row.figures.get(column)
            return figure.mean if figure else None

        panels[protocol, 'mIoU'] = flicker, FLICKER[names[0]]
    return _scatter(rows, panels, path)


def _scatter(
    rows: list[Row],
    panels: dict[Column, tuple[Callable[[Row], float | None], str]],
    path: Path,
) -> bool:
    """A panel for each column: its figure against what a function of the row
    gives, under this label. False where no row has both."""
    panels = {
        column: (shown, x, label)
        for column, (x, label) in panels.items()
        if (shown := [r for r in rows if _has(r, column) and x(r) is not None])
    }
    if not panels:
        return False
    across = min(2, len(panels))
    # Room for the labels.
    most = max(len(shown) for shown, *_ in panels.values())
    scale = max(1, (most / 11) ** 0.5)
    down = -(-len(panels) // across)
    size = 7.2 * scale * across, 5.0 * scale * down
    figure, axes = subplots(down, across, size)
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    for axis, (column, panel) in zip(axes.flat, panels.items(), strict=False):
        shown, x, label = panel
        _panel(axis, shown, column, x)
        axis.set_xlabel(label)
    save_figure(figure, path)
    return True


def draw_matrix(
    rows: list[Row], metric: str, protocols: list[str], path: Path
) -> None:
    """A PNG: one metric, entries down, protocols across."""
    means = np.array(
        [
            [
                _mean(row.figures.get((protocol, metric)))
                for protocol in protocols
            ]
            for row in rows
        ]
    )
    size = 2.6 + 1.1 * len(protocols), 1.2 + 0.45 * len(rows)
    figure, ((axis,),) = subplots(1, 1, size)
    image = axis.imshow(means, cmap='YlGnBu', aspect='auto')
    axis.set_xticks(range(len(protocols)), protocols)
    axis.set_yticks(range(len(rows)), [row.name for row in rows])
    axis.set_xlabel('tested')
    axis.set_title(metric)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    for y, x in np.argwhere(np.isfinite(means)):
        light = image.norm(means[y, x]) < 0.6
        text = f'{means[y, x]:.2f}'
        colour = 'black' if light else 'white'
        axis.text(x, y, text, ha='center', va='center', color=colour)
    save_figure(figure, path)


def _panel(
    axis, rows: list[Row], column: Column, place: Callable[[Row], float]
) -> None:
    from adjustText import adjust_text

    protocol, metric = column
    # Labels, and the points and markers that they keep off.
    texts, taken, markers = [], [], []
    alone = sum(row.is_baseline for row in rows) == 1
    for row in rows:
        x, y = place(row), row.figures[column].mean
        std = row.figures[column].std or 0.0
        taken += [(x, y + part * std) for part in np.linspace(-1, 1, 9)]
        bar = axis.errorbar(
            x,
            y,
            yerr=std or None,
            fmt='D' if row.is_baseline else 'o',
            color=BASELINE if row.is_baseline else OURS,
            ecolor='#9a9a9a',
            capsize=3,
            markersize=7 if row.is_baseline else 6,
            zorder=3 + row.is_baseline,
        )
        markers.append(bar.lines[0])
        if row.is_baseline and alone:
            axis.axhline(y, color=BASELINE, lw=0.8, ls='--', zorder=1)
        name = f'{row.name} (baseline)' if row.is_baseline else row.name
        colour = BASELINE if row.is_baseline else 'black'
        texts.append(axis.text(x, y, name, fontsize=8, color=colour))
    axis.margins(0.12, 0.12)
    left, right = axis.get_xlim()
    axis.set_xlim(left, right + 0.12 * (right - left))  # for the last label
    axis.grid(alpha=0.25)
    axis.set_title(f'{metric}, {protocol}')
    axis.set_ylabel(FLICKER.get(metric, f'{metric} (%)'))
    axis.figure.canvas.draw()  # lays it out before labels are placed
    adjust_text(
        texts,
        *zip(*taken, strict=True),
        objects=markers,
        ax=axis,
        expand=(1.25, 1.7),
        force_text=(0.4, 0.6),
        force_static=(0.3, 0.5),
        iter_lim=1000,
        arrowprops=dict(arrowstyle='-', color='#9a9a9a', lw=0.6),
    )


def _has(row: Row, column: Column) -> bool:
    figure = row.figures.get(column)
    return bool(figure and figure.values)


def _mean(figure: Figure | None) -> float:
    return figure.mean if figure and figure.values else np.nan
