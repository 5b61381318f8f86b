"""A figure of every run: how much each training differs from its baseline."""

from collections.abc import Mapping

import numpy as np

from .benchmark_results import (
    COMMAND,
    BenchmarkResults,
    Column,
    ResultsError,
)

COLOURS = ('#2f6db3', '#d9822b', '#3f9b5b', '#8a5fb5', '#c8423b')
SPREAD = 0.5  # of a row's height, over which its runs lie


def draw_runs(
    figure,
    axes,
    benchmark: BenchmarkResults,
    columns: Mapping[str, Column],
    fontsize: float = 10,
) -> None:
    """A row for each system: a point for each training, the mean and its
    95 % interval.

    Args:
        figure (Figure): With constrained layout.
        axes (Sequence[Axes]): One for each column, which share y.
        benchmark (BenchmarkResults): What was measured.
        columns (Mapping): Title -> figure. A system has a row if all of them
            were measured of it, run by run.
        fontsize (float): Of titles of systems and legend. Defaults to 10.

    Raises:
        ResultsError: If no system has single runs.
    """
    names = [
        name for name in benchmark.entries if _has(benchmark, name, columns)
    ]
    if not names:
        raise ResultsError(
            f'the results hold no single runs: {COMMAND} --archived writes '
            'them'
        )
    found: dict[int, object] = {}
    for axis, (title, column) in zip(axes, columns.items(), strict=True):
        axis.axvline(0, color='0.4', lw=0.8, ls='--', zorder=1)
        for place, name in enumerate(names):
            row = benchmark.row(name, column)
            axis.hlines(
                place, row['low'], row['high'], color='0.75', lw=fontsize / 2
            )
            axis.plot(
                row['difference'], place, 'k|', ms=1.1 * fontsize, zorder=4
            )
            found |= _draw_each(axis, place, row['each'], 0.4 * fontsize)
        axis.set_title(title)
        axis.set_xlabel('difference (points)')
        axis.grid(axis='x', alpha=0.3)
    titles = [benchmark.title(name) for name in names]
    axes[0].set_yticks(range(len(names)), titles, fontsize=fontsize)
    axes[0].invert_yaxis()
    figure.legend(
        [found[data] for data in sorted(found)],
        [f'data set {data}' for data in sorted(found)],
        **dict(loc='outside lower center', ncols=len(found), frameon=False),
        fontsize=fontsize,
    )


def _has(
    benchmark: BenchmarkResults, name: str, columns: Mapping[str, Column]
) -> bool:
    rows = [benchmark.row(name, column) for column in columns.values()]
    return all(  # a baseline has no interval
        row and row['low'] is not None and row.get('each') for row in rows
    )


def _draw_each(
    axis, place: int, each: Mapping[str, float], size: float
) -> dict:
    """Draws 'DATA/TRAINING' -> difference; returns a point of each DATA."""
    places = place + np.linspace(-0.5, 0.5, len(each) + 2)[1:-1] * SPREAD
    points = {}
    for y, (run, difference) in zip(places, sorted(each.items()), strict=True):
        data = int(run.partition('/')[0])
        (points[data],) = axis.plot(
            *(difference, y, 'o'),
            **dict(
                ms=size, mew=0, zorder=3, color=COLOURS[data % len(COLOURS)]
            ),
        )
    return points
