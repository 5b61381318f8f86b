"""The published results of a benchmark, as ``tools/reproduce.sh`` wrote them.

``results.json`` holds ``entries`` (systems), their figures as ``rows``, and
which entry is the ``baseline`` and the ``best``. This is its only reader: of
the documentation's tables, the notebook's and the report's.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import mean

COMMAND = 'bash tools/reproduce.sh'
# Entries that the results themselves name.
ALIASES = ('best', 'best_without_laterals', 'baseline')


class ResultsError(ValueError):
    """A sentence: what is asked of the results, and where it is not."""


@dataclass(frozen=True)
class Column:
    """Which figure of which test.

    Args:
        data (str): The test set, such as 'clean' or 'bursts'.
        protocol (str): 'stream', 't5' or 't12'.
        figure (str): Such as 'mIoU'. Defaults to 'mIoU'.
        subset (str): 'all', 'clean' or 'degraded' frames. Defaults to 'all'.
        split (str): Defaults to 'test'.
    """

    data: str
    protocol: str
    figure: str = 'mIoU'
    subset: str = 'all'
    split: str = 'test'


class BenchmarkResults:
    """The results in a file.

    Args:
        path (path): ``results.json``.
        titles (Mapping): Entry -> title, in place of the file's. Defaults to
            none.

    Raises:
        FileNotFoundError: If it is not there.
        ResultsError: If it holds something else.
    """

    def __init__(
        self, path: str | os.PathLike, titles: Mapping[str, str] | None = None
    ):
        self.path, self._titles = Path(path), titles or {}
        if not self.path.is_file():
            raise FileNotFoundError(
                f"no published results in '{self._short}': {COMMAND} makes "
                'them'
            )
        try:
            self.content: dict = json.loads(self.path.read_text())
            self.entries: dict[str, dict] = self.content['entries']
            self.baseline: str = self.content['baseline']
            self.best: str | None = self.content.get('best')
            self._rows = {
                (row['entry'], _column(row)): row
                for row in self.content['rows']
            }
            self._rows |= {
                (f'{row["entry"]}/{other}', _column(row)): row
                for other, rows in self.content.get('over', {}).items()
                for row in rows
            }
            for name in {self.baseline, self.best or self.baseline}:
                self.entries[name].get('title')
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ResultsError(
                f"'{self._short}' holds no results of a benchmark "
                f'({type(error).__name__}: {error}): remove it, and {COMMAND} '
                'makes it again'
            ) from error

    @property
    def _short(self) -> str:
        return '/'.join(self.path.parts[-4:])

    @property
    def baseline_first(self) -> list[str]:
        """The entries, the baseline before all others."""
        return sorted(self.entries, key=lambda e: e != self.baseline)

    @cached_property
    def data(self) -> set[str]:
        """The test sets."""
        return {column.data for _, column in self._rows}

    def name(self, entry: str) -> str:
        """The entry that a name or one of ALIASES means.

        Raises:
            ResultsError: If there is none.
        """
        name = self.content.get(entry) if entry in ALIASES else entry
        if name not in self.entries:
            raise ResultsError(
                f"there is no entry '{name or entry}' in '{self._short}': "
                f'choose of {", ".join(self.entries)}'
            )
        return name

    def title(self, entry: str) -> str:
        name = self.name(entry)
        return self._titles.get(name, self.entries[name].get('title', name))

    def row(self, entry: str, column: Column) -> dict | None:
        """What :func:`~mmseg_video.experiments.pooled.pool` gives; None where
        it was not measured. The entry 'A/B' is A, with differences to B in
        place of the baseline."""
        names = '/'.join(map(self.name, entry.split('/')))
        return self._rows.get((names, column))

    def common_differences(
        self, entries: Sequence[str], column: Column
    ) -> list[float]:
        """Differences of several entries to the baseline, each the mean over
        data sets of those of the runs that all of them have; of results
        without single runs the means that they have.

        Raises:
            ResultsError: If one was not measured, or they have no run in
                common.
        """
        rows = [self.row(entry, column) for entry in entries]
        if all(row and 'each' not in row for row in rows):
            return [row['difference'] for row in rows]
        each = [(row or {}).get('each', {}) for row in rows]
        of_data: dict[str, list[str]] = {}
        for run in set.intersection(*map(set, each)):
            of_data.setdefault(run.partition('/')[0], []).append(run)
        if not of_data:
            raise ResultsError(
                f"'{self._short}' has no run in common of "
                f'{" and ".join(entries)} ({column}): {COMMAND} makes them'
            )
        return [
            mean(mean(own[run] for run in runs) for runs in of_data.values())
            for own in each
        ]

    def has(self, entry: str, columns: Iterable[Column]) -> bool:
        """Whether any of the figures was measured of an entry."""
        return any(self.row(entry, column) for column in columns)

    def measured(self, column: Column) -> bool:
        """Whether a figure was measured of any entry."""
        return any(self.has(entry, [column]) for entry in self.entries)

    def most_runs(self, column: Column) -> int:
        """Of how many runs the figure is a mean where it is of most."""
        rows = (self.row(entry, column) for entry in self.entries)
        return max((row['runs'] for row in rows if row), default=0)

    def class_gains(self, entry: str) -> dict[str, float]:
        """Class -> how much higher its streamed IoU is than the baseline's,
        in points, over the runs of both.

        Raises:
            ResultsError: If it was not measured.
        """
        gains = self.content.get('per_class_difference', {})
        name = self.name(entry)
        if name not in gains:
            raise ResultsError(
                f"'{self._short}' has no classes of '{name}' against the "
                f"baseline's: {COMMAND} writes them"
            )
        return gains[name]

    def table(
        self, columns: Mapping[str, Column]
    ) -> tuple[list[str], list[list[str]]]:
        """Head and rows of a table: a row for each entry, the baseline first,
        with differences to it and their intervals. What was not measured of
        any entry has no column.

        Args:
            columns (Mapping): Head of the column -> what is in it.
        """
        columns = {k: c for k, c in columns.items() if self.measured(c)}
        rows = []
        for entry in self.baseline_first:
            cells = [self.row(entry, column) for column in columns.values()]
            if any(cells):
                title = self.title(entry)
                if entry == self.best:
                    title = f'**{title}**'
                rows.append([title, *map(_cell, cells)])
        return ['', *columns], rows


def _column(row: dict) -> Column:
    keys = ('data', 'protocol', 'figure', 'subset', 'split')
    return Column(**{key: row[key] for key in keys})


def _cell(row: dict | None) -> str:
    if row is None or row['value'] is None:
        return ''
    if row.get('low') is None:
        return f'{row["value"]:.1f}'
    return '{value:.1f} ({difference:+.1f}: {low:+.1f} to {high:+.1f})'.format(
        **row
    )
