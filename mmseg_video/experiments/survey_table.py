"""The Markdown table of a survey: every row that its spec asks for, those
that were not run included, and the place where a page has it."""

import re
from dataclasses import replace
from pathlib import Path

from .benchmark_results import BenchmarkResults, Column
from .evidence_tables import difference, relative, value
from .output import markdown_table
from .spec import Entry, Spec, read_spec

_BLOCK = re.compile(
    r'(?P<begin><!-- survey: (?P<spec>\S+) (?P<file>\S+) -->\n)'
    r'.*?(?P<end><!-- end of survey -->)',
    re.DOTALL,
)
COLUMN = Column('bursts', 'stream')
HEAD = (
    *('', 'config', 'mIoU', 'difference (95 %)'),
    *('static-label flicker', 'difference', 'runs'),
)
NOT_RUN = 'not run'


def fill_surveys(text: str, root: Path) -> str:
    """A page with its surveys made anew.

    One stands between ``<!-- survey: SPEC RESULTS -->``, paths below
    ``root``, and ``<!-- end of survey -->``. The results need not be there:
    then nothing was run.
    """

    def fill(match: re.Match) -> str:
        spec = read_spec(root / match['spec'], f'{root}/')
        path = root / match['file']
        results = BenchmarkResults(path) if path.is_file() else None
        table = survey_table(spec, results, root)
        return f'{match["begin"]}\n{table}\n{match["end"]}'

    return _BLOCK.sub(fill, text)


def survey_table(
    spec: Spec, results: BenchmarkResults | None, root: Path
) -> str:
    """How many rows were run, and all of them, each behind its baseline.

    Args:
        spec (Spec): What is asked.
        results (BenchmarkResults | None): What was measured of it.
        root (Path): Where the paths of configs begin.
    """
    entries = sorted(spec.rows, key=lambda entry: _place(spec, entry))
    rows = [_row(entry, results, root) for entry in entries]
    run = sum(NOT_RUN not in row for row in rows)
    return (
        f'{run} of {len(rows)} rows were run.\n\n{markdown_table(HEAD, rows)}'
    )


def _place(spec: Spec, entry: Entry) -> tuple[int, bool]:
    """Baselines in their order, each before what is compared with it."""
    base = entry.baseline or entry.name
    return list(spec.entries).index(base), entry.name != base


def _row(entry: Entry, results: BenchmarkResults | None, root: Path) -> list:
    title = entry.title or entry.name.replace('_', ' ')
    if entry.baseline in (None, entry.name):
        title = f'**{title}**'
    config = entry.config
    if config.is_absolute() and config.is_relative_to(root):
        config = config.relative_to(root)
    head = [title, f'`{config}`']
    measured = results is not None and entry.name in results.entries
    row = results.row(entry.name, COLUMN) if measured else None
    if row is None:
        return [*head, NOT_RUN, '', '', '', '']
    static = replace(COLUMN, figure='flicker_static')
    flicker = results.row(entry.name, static)
    return [
        *head,
        value(row),
        difference(row),
        value(flicker),
        relative(flicker),
        row['runs'],
    ]
