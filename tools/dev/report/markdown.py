"""The benchmarks' tables in Markdown, between the markers of a page.

A page has ``<!-- results: NAME -->`` and ``<!-- end of results -->`` around
each table; what stands between them is made. Names: see TABLES.
"""

import re
from collections.abc import Callable
from pathlib import Path

from . import numbers
from .sources import Benchmark, ReportError, Results
from .tables import (
    CAMVID,
    SELECTION,
    STREET,
    STREET_GAINS,
    Cell,
    any_has,
    find,
    measured,
)

BLOCK = re.compile(
    r'(<!-- results: (\w+) -->\n).*?(<!-- end of results -->)', re.S
)


def update(results: Results, text: str) -> str:
    """The page with its tables made anew.

    Raises:
        ReportError: If a table has an unknown name.
    """

    def table(block: re.Match) -> str:
        name = block[2]
        if name not in TABLES:
            raise ReportError(
                f"no table '{name}': there are {', '.join(TABLES)}"
            )
        return f'{block[1]}\n{TABLES[name](results)}\n{block[3]}'

    return BLOCK.sub(table, text)


def update_page(results: Results, path: Path) -> None:
    """Rewrite the tables of a page, if it has any."""
    from mmseg_video.io.atomic import write_text

    write_text(path, update(results, path.read_text()))


def _values(benchmark: Benchmark, columns: dict[Cell, str]) -> str:
    columns = {c: n for c, n in columns.items() if any_has(benchmark, c)}
    names = measured(benchmark, columns)
    lines = [[benchmark.title(name)] for name in names]
    for column in columns:
        rows = [find(benchmark, name, column) for name in names]
        known = [row['value'] for row in rows if row]
        less = column[2] in numbers.LESS_IS_BETTER
        best = numbers.plain((min if less else max)(known), column[2])
        for line, row in zip(lines, rows, strict=True):
            text = numbers.plain(row['value'], column[2]) if row else ''
            line.append(f'**{text}**' if text == best else text)
    return _table(['', *columns.values()], lines)


def _gains(benchmark: Benchmark, columns: dict[Cell, str]) -> str:
    columns = {c: n for c, n in columns.items() if any_has(benchmark, c)}
    baseline, lines = benchmark.name('baseline'), []
    for name in measured(benchmark, columns):
        if name == baseline:
            continue
        rows = [find(benchmark, name, column) for column in columns]
        lines.append([benchmark.title(name), *map(_gain, rows)])
    return _table(['', *columns.values()], lines)


def _gain(row: dict | None) -> str:
    """'**+1.2** (+0.4 to +1.9)', bold where it is surely better."""
    if row is None or row.get('difference') is None:
        return ''
    places = numbers.DECIMALS.get(row['figure'], 1)
    text = f'{row["difference"]:+.{places}f}'
    if numbers.significance(row) == 'better':
        text = f'**{text}**'
    if row.get('low') is not None:
        text += f' ({row["low"]:+.{places}f} to {row["high"]:+.{places}f})'
    return text


def _table(head: list[str], lines: list[list[str]]) -> str:
    rows = [head, ['---'] * len(head), *lines]
    return ''.join(f'| {" | ".join(row)} |\n' for row in rows)


def _named(groups: dict[str, dict[Cell, str]]) -> dict[Cell, str]:
    """Columns by their whole name: 'no degradation, T=5'."""
    return {
        column: _text(f'{group}: {name}')
        for group, columns in groups.items()
        for column, name in columns.items()
    }


def _text(latex: str) -> str:
    for old, new in (('$', ''), ('\\,{=}\\,', '='), ('\\,', ' ')):
        latex = latex.replace(old, new)
    return latex.replace('degr.', 'degraded')


TABLES: dict[str, Callable[[Results], str]] = {
    'street_values': lambda results: _values(
        results.benchmarks['street'], _named(STREET)
    ),
    'street_gains': lambda results: _gains(
        results.benchmarks['street'], STREET_GAINS
    ),
    'street_selection': lambda results: _values(
        results.benchmarks['street'], SELECTION
    ),
    'camvid_values': lambda results: _values(
        results.benchmarks['camvid'], _named(CAMVID)
    ),
    'camvid_gains': lambda results: _gains(
        results.benchmarks['camvid'], _named(CAMVID)
    ),
}
