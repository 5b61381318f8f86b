"""How experiments write: Markdown tables, figures, JSON."""

import csv
import io
import json
import math
import os
from collections.abc import Iterable, Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..io.atomic import atomic_path


def markdown_table(head: Sequence, rows: Iterable[Sequence]) -> str:
    """The lines of a Markdown table, the last with its end.

    Args:
        head (Sequence): The names of the columns.
        rows (Iterable[Sequence]): Their cells: floats get two decimals; None
            and what is not finite leave the cell empty.
    """
    first, *others = (
        f'| {" | ".join(map(_cell, line))} |\n' for line in (head, *rows)
    )
    return ''.join([first, '|---' * len(head), '|\n', *others])


def _cell(value) -> str:
    if value is None or (
        isinstance(value, float) and not math.isfinite(value)
    ):
        return ''
    return f'{value:.2f}' if isinstance(value, float) else str(value)


def to_json(content) -> str:
    """JSON of it; what is no number becomes null: JSON has no NaN."""
    text = json.dumps(content, default=str)
    plain = json.loads(text, parse_constant=lambda _: None)
    return json.dumps(plain, indent=1) + '\n'


def to_csv(rows: Sequence[dict]) -> str:
    """A column for every key of any row, in the order of their coming."""
    file = io.StringIO()
    fields = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(file, fields, lineterminator='\n')
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def subplots(rows: int, columns: int, size: tuple[float, float], **kwargs):
    """A figure to save, of no window, and its axes (rows, columns).

    Args:
        rows, columns (int): Of the axes.
        size (tuple[float, float]): Of the figure in inches.
        kwargs: matplotlib's ``Figure.subplots``'s.
    """
    figure = Figure(figsize=size, dpi=110, layout='constrained')
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False, **kwargs)


def save_figure(figure: Figure, path: str | os.PathLike) -> None:
    """Write a figure in the format of the path's suffix."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary)
