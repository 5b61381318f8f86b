"""The published results of a benchmark, as ``tools/reproduce.sh`` wrote them.

``results.json`` holds ``entries`` (systems), their figures as ``rows``, and
which entry is the ``baseline`` and the ``best``.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

COMMAND = 'bash tools/reproduce.sh'


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

    Raises:
        FileNotFoundError: If it is not there.
        ValueError: If it holds something else.
    """

    def __init__(self, path: str | os.PathLike):
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(
                f"no published results in '{'/'.join(path.parts[-4:])}': "
                f'{COMMAND} makes them'
            )
        try:
            content = json.loads(path.read_text())
            self.name: str = content['benchmark']
            self.baseline: str = content['baseline']
            self.best: str | None = content.get('best')
            self.entries: dict[str, dict] = content['entries']
            self._rows = {
                (row['entry'], _column(row)): row for row in content['rows']
            }
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"'{path}' holds no results of a benchmark "
                f'({type(error).__name__}: {error}): remove it, and {COMMAND} '
                'makes it again'
            ) from error

    def title(self, entry: str) -> str:
        return self.entries[entry].get('title', entry)

    def row(self, entry: str, column: Column) -> dict | None:
        """``value``, ``sd``, ``difference``, ``low``, ``high``; None where it
        was not measured."""
        return self._rows.get((entry, column))

    def table(
        self, columns: Mapping[str, Column]
    ) -> tuple[list[str], list[list[str]]]:
        """Head and rows of a table: a row for each entry, the baseline first,
        with differences to it and their intervals. What was not measured of
        any entry has no column.

        Args:
            columns (Mapping): Head of the column -> what is in it.
        """
        measured = {column for _, column in self._rows}
        columns = {k: c for k, c in columns.items() if c in measured}
        order = sorted(self.entries, key=lambda e: e != self.baseline)
        rows = []
        for entry in order:
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
