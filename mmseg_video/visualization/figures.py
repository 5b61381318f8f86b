"""Figures of matplotlib, of no window: pictures in rows, bars, lines."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

COLOURS = ('#8a8a8a', '#2f6db3', '#d98b1f', '#3a8f5c')
Panels = Sequence[np.ndarray | None]
DEGRADED = '#f3d9d7'  # behind the frames that are degraded


def picture_grid(
    rows: Mapping[str, Panels] | Sequence[Panels],
    titles: Sequence[str] = (),
    classes: Mapping[str, Sequence[int]] | None = None,
    width: float = 2.4,
) -> Figure:
    """Pictures and maps of one size in rows.

    Args:
        rows (Mapping | Sequence): The panels of each row, by its name where
            it has one: pictures (H, W, 3) uint8 BGR, maps (h, w) of numbers
            in [0, 1], whose row gets a colour bar, or None for an empty
            place.
        titles (Sequence[str]): Above the columns. Defaults to none.
        classes (Mapping | None): Name -> RGB colour, for a legend below.
            Defaults to None.
        width (float): Of a panel, in inches. Defaults to 2.4.

    Raises:
        ValueError: If there is no panel, or the rows differ in length.
    """
    named = isinstance(rows, Mapping)
    names, rows = (list(rows), [*rows.values()]) if named else ((), rows)
    lengths = {len(panels) for panels in rows}
    if len(lengths) != 1 or lengths == {0}:
        raise ValueError(
            f'the rows have {sorted(lengths)} panels: one number, not 0'
        )
    (columns,) = lengths
    first = next(p for panels in rows for p in panels if p is not None)
    height = width * first.shape[0] / first.shape[1]
    figure = _figure(
        columns * width + 0.6,
        len(rows) * (height + 0.3) + 0.2 + 0.6 * bool(classes),
    )
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for axes, panels in zip(grid, rows, strict=True):
        drawn = [_panel(a, p) for a, p in zip(axes, panels, strict=True)]
        maps = [image for image in drawn if image is not None]
        if maps:
            bar = figure.colorbar(maps[-1], ax=axes, pad=0.01, aspect=12)
            bar.ax.tick_params(labelsize=7)
    for axis, name in zip(grid[:, 0], names, strict=False):
        axis.set_ylabel(name, fontsize=9)
    for axis, title in zip(grid.flat, titles, strict=False):
        axis.set_title(title, fontsize=9)
    if classes:
        figure.legend(
            handles=[
                Patch(color=np.asarray(colour) / 255, label=name)
                for name, colour in classes.items()
            ],
            loc='outside lower center',
            ncols=min(len(classes), 7),
            fontsize=8,
            frameon=False,
            handlelength=1,
        )
    return figure


def bar_chart(
    series: Mapping[str, Mapping[str, float]], label: str, log: bool = False
) -> Figure:
    """Grouped bars: a group for each key, a bar for each series.

    Args:
        series (Mapping): Name -> key -> value; NaN has no bar.
        label (str): Of the values, with their unit.
        log (bool): Whether their axis is logarithmic. Defaults to False.
    """
    keys = list(next(iter(series.values())))
    figure = _figure(9, 3.2)
    axis = figure.subplots()
    part = 0.8 / len(series)
    for i, (name, values) in enumerate(series.items()):
        places = np.arange(len(keys)) + (i - (len(series) - 1) / 2) * part
        heights = [values[key] for key in keys]
        axis.bar(places, heights, part, label=name, color=COLOURS[i])
    axis.set_xticks(range(len(keys)), keys, rotation=35, ha='right')
    axis.margins(x=0.01)
    axis.set_ylabel(label)
    axis.grid(axis='y', alpha=0.3)
    axis.set_axisbelow(True)
    if log:
        axis.set_yscale('log')
        axis.yaxis.set_major_formatter('{x:g}')
    if len(series) > 1:
        figure.legend(
            loc='outside upper center', ncols=len(series), frameon=False
        )
    return _plain(figure, axis)


def line_chart(
    series: Mapping[str, Sequence[float]],
    label: str,
    degraded: Collection[int] = (),
) -> Figure:
    """Lines over the frames of a stream.

    Args:
        series (Mapping): Name -> a value for each frame; NaN leaves a gap.
        label (str): Of the values, with their unit.
        degraded (Collection[int]): Frames that are shaded. Defaults to none.
    """
    figure = _figure(9, 2.6)
    axis = figure.subplots()
    for i, frame in enumerate(sorted(degraded)):
        axis.axvspan(
            frame - 0.5,
            frame + 0.5,
            color=DEGRADED,
            label=None if i else 'degraded frames',
            lw=0,
            zorder=0,
        )
    for colour, (name, values) in zip(COLOURS, series.items(), strict=False):
        axis.plot(values, 'o-', ms=3, lw=1.4, color=colour, label=name)
    axis.set_xlabel('frame')
    axis.set_ylabel(label)
    axis.set_ylim(bottom=0)
    axis.grid(alpha=0.3)
    figure.legend(
        loc='outside upper center', ncols=4, fontsize=8, frameon=False
    )
    return _plain(figure, axis)


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=100, layout='constrained')
    FigureCanvasAgg(figure)
    return figure


def _panel(axis: Axes, panel: np.ndarray | None):
    """Draws it; the image if it is a map of numbers."""
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(False)
    if panel is None:
        return None
    if panel.ndim == 3:
        axis.imshow(panel[..., ::-1])
        return None
    return axis.imshow(panel, vmin=0, vmax=1, cmap='viridis')


def _plain(figure: Figure, axis: Axes) -> Figure:
    axis.spines[['top', 'right']].set_visible(False)
    return figure
