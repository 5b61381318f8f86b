"""Where the recurrent modules of segmentors sit, as a picture."""

import math
import os

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Patch

from ..io.atomic import atomic_path
from .data_flow import Box

COLOURS = {
    'backbone': '#dbe4ee',
    'neck': '#cfe3d4',
    'decode_head': '#e6e0ec',
    'recurrent': '#f28e2b',
}
WIDTH, HEIGHT = 0.78, 0.5  # of a box; the grid is 1 x 1


def draw_data_flows(
    graphs: dict[str, list[Box]], path: str | os.PathLike, columns: int = 2
) -> None:
    """A picture of segmentors' boxes and what each reads, one panel for each.

    A row is a resolution; the recurrent modules are orange.

    Args:
        graphs (dict): Title -> boxes, as :func:`trace` gives them.
        path (path): The picture to write.
        columns (int): Of panels. Defaults to 2.
    """
    columns = min(columns, len(graphs))
    rows = math.ceil(len(graphs) / columns)
    places = [
        list(zip(*_place(boxes), strict=True)) for boxes in graphs.values()
    ]
    wide = 1 - min(min(xs) for xs, _ in places)
    tall = 0.9 + max(max(ys) - min(ys) for _, ys in places)
    figure = Figure(
        figsize=(columns * (0.85 * wide + 0.4), rows * (0.6 * tall + 0.3)),
        dpi=120,
        layout='constrained',
    )
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(graphs) :]:
        axes.set_visible(False)
    for axes, (title, boxes) in zip(grid.flat, graphs.items(), strict=False):
        _draw(axes, boxes, title, wide, tall)
    figure.legend(
        handles=[
            Patch(facecolor=c, edgecolor='#444444', label=k)
            for k, c in COLOURS.items()
        ],
        loc='outside lower center',
        ncols=len(COLOURS),
        fontsize=7,
        frameon=False,
    )
    with atomic_path(path) as temporary:
        figure.savefig(temporary)


def _place(boxes: list[Box]) -> list[tuple[float, float]]:
    """(x, y) of every box: as far right as its readers allow; y is log2 of
    the stride, downwards."""
    readers = [
        [j for j, box in enumerate(boxes) if i in box.sources]
        for i in range(len(boxes))
    ]
    steps = {}

    def to_the_end(i):
        if i not in steps:
            steps[i] = max((1 + to_the_end(j) for j in readers[i]), default=0)
        return steps[i]

    places, taken = [], set()
    for i, box in enumerate(boxes):
        x, y = -to_the_end(i), -math.log2(box.stride)
        while (x, y) in taken:
            y -= 0.6
        taken.add((x, y))
        places.append((x, y))
    return places


def _label(box: Box) -> str:
    if box.cell is not None:
        return box.cell.removesuffix('Cell')
    names = [name.removeprefix(f'{box.part}.') for name in box.names]
    names = [name.removeprefix('backbone.') for name in names]
    first, last = names[0], names[-1]
    return first if first == last else f'{first} –\n{last}'


def _draw(
    axes: Axes, boxes: list[Box], title: str, width: float, height: float
) -> None:
    places = _place(boxes)
    for box, (x, y) in zip(boxes, places, strict=True):
        kind = 'recurrent' if box.cell else box.part.partition('.')[0]
        axes.add_patch(
            FancyBboxPatch(
                (x - WIDTH / 2, y - HEIGHT / 2),
                WIDTH,
                HEIGHT,
                boxstyle='round,pad=0,rounding_size=0.07',
                facecolor=COLOURS.get(kind, '#eeeeee'),
                edgecolor='#444444',
                linewidth=1.2 if box.cell else 0.7,
                zorder=2,
            )
        )
        axes.text(
            *(x, y, _label(box)),
            ha='center',
            va='center',
            fontsize=6.5,
            fontweight='bold' if box.cell else 'normal',
            zorder=3,
        )
        begins = [places[source] for source in box.sources]
        begins = [(u + WIDTH / 2, v) for u, v in begins]
        # Without a source it reads the frame.
        for begin in begins or [(x - WIDTH / 2 - 0.2, y)]:
            axes.annotate(
                '',
                xy=(x - WIDTH / 2, y),
                xytext=begin,
                arrowprops=dict(
                    arrowstyle='-|>',
                    color='#444444',
                    linewidth=0.8,
                    shrinkA=0,
                    shrinkB=0,
                ),
                zorder=1,
            )
    top = max(y for _, y in places) + 0.45
    axes.set_xlim(0.3 - width, 0.5)
    axes.set_ylim(top - height, top)
    strides = sorted({box.stride for box in boxes})
    axes.set_yticks(
        [-math.log2(s) for s in strides], [f'1/{s}' for s in strides]
    )
    axes.tick_params(length=0, labelsize=7, labelcolor='#444444')
    axes.set_xticks([])
    axes.set_title(title, fontsize=9, loc='left')
    for spine in axes.spines.values():
        spine.set_visible(False)
