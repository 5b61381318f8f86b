"""Markdown tables of results, as the documentation has them, and the places
where it has them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from .benchmark_results import BenchmarkResults, Column
from .benchmarks import steady_tables
from .camvid_table import camvid_table
from .output import markdown_table
from .steps_table import steps_table

_BLOCK = re.compile(
    r'(?P<begin><!-- table: (?P<file>\S+) (?P<name>\w+) -->\n)'
    r'(?P<table>.*?)(?P<end><!-- end of table -->)',
    re.DOTALL,
)


def fill_tables(text: str, root: Path) -> str:
    """A page with its tables made anew.

    A table stands between ``<!-- table: RESULTS NAME -->``, with the path of
    results below ``root``, a JSON file or a folder, and one of TABLES, and
    ``<!-- end of table -->``.

    Raises:
        FileNotFoundError: If its results are not there.
        ValueError: If a table has no such name, or they are none.
    """

    def fill(match: re.Match) -> str:
        name = match['name']
        if name not in TABLES:
            raise ValueError(
                f"no table '{name}': choose of {', '.join(TABLES)}"
            )
        table = TABLES[name](root / match['file'])
        return f'{match["begin"]}\n{table}\n{match["end"]}'

    return _BLOCK.sub(fill, text)


def value(row: dict | None) -> str:
    """'43.12' or '43.12 ± 0.40', the standard deviation over runs."""
    if row is None:
        return ''
    text = f'{row["value"]:.2f}'
    return text if row['sd'] is None else f'{text} ± {row["sd"]:.2f}'


def difference(row: dict | None) -> str:
    """'+1.20 (+0.40 to +1.90)': its 95 % interval."""
    if row is None or row['low'] is None:
        return ''
    return (
        f'{row["difference"]:+.2f} ({row["low"]:+.2f} to {row["high"]:+.2f})'
    )


def relative(row: dict | None) -> str:
    """'-33 %' of the baseline's."""
    if row is None or row['low'] is None:
        return ''
    base = row['value'] - row['difference']
    if not base:
        return ''
    text = f'{100 * row["difference"] / base:+.0f}'
    return f'{text if text.strip("+-0") else 0} %'


def _title(results: BenchmarkResults, entry: str) -> str:
    """With the baseline said to be one, and the best in bold."""
    title = results.title(entry)
    if entry == results.baseline:
        return f'**baseline:** {title}'
    return f'**{title}**' if entry == results.best else title


def _streamed(
    data: str, split: str = 'test'
) -> Callable[[BenchmarkResults], str]:
    whole = Column(data, 'stream', split=split)
    static = replace(whole, figure='flicker_static')
    between = replace(static, subset='clean')

    def table(results: BenchmarkResults) -> str:
        columns = {'mIoU': whole}
        if results.measured(replace(whole, subset='clean')):
            columns = {
                f'mIoU, {subset} frames': replace(whole, subset=subset)
                for subset in ('all', 'clean', 'degraded')
            }
        rows = []
        for entry in results.entries:
            if not results.has(entry, columns.values()):
                continue
            row = [_title(results, entry)]
            for column in columns.values():
                figure = results.row(entry, column)
                row += [value(figure), difference(figure)]
            flicker = results.row(entry, static)
            runs = (results.row(entry, whole) or {}).get('runs')
            row += [value(flicker), relative(flicker)]
            if len(columns) > 1:
                row.append(relative(results.row(entry, between)))
            rows.append([*row, runs])
        head = ['']
        for name in columns:
            head += [name, 'difference (95 %)']
        head += ['static-label flicker', 'difference']
        if len(columns) > 1:
            head.append('between clean frames')
        head.append('runs')
        return markdown_table(head, rows)

    return table


def _conditions(results: BenchmarkResults) -> str:
    """The streams under lasting conditions side by side."""
    rows = []
    for entry in results.entries:
        figures = [
            results.row(entry, column) for column in CONDITIONS.values()
        ]
        if not any(figures):
            continue
        row = [_title(results, entry)]
        for figure in figures:
            row += [value(figure), difference(figure)]
        rows.append([*row, max(f['runs'] for f in figures if f)])
    head = ['']
    for name in CONDITIONS:
        head += [name, 'difference (95 %)']
    return markdown_table([*head, 'runs'], rows)


def _front(results: BenchmarkResults) -> str:
    """The main differences alone, for a front page."""
    whole = Column('bursts', 'stream')
    columns = [
        whole,
        *(replace(whole, subset=subset) for subset in ('clean', 'degraded')),
    ]
    static = replace(whole, figure='flicker_static')
    flickers = [static, replace(static, subset='clean')]
    base = [
        results.row(results.baseline, column)
        for column in (*columns, *flickers)
    ]
    runs = base[0] and base[0]['runs']
    title = _title(results, results.baseline)
    rows = [[title, *map(value, base), runs]]
    for entry in FRONT:
        if entry not in results.entries or not results.has(entry, [whole]):
            continue
        title = results.title(entry)
        rows.append(_changes(results, entry, title, columns, flickers))
        other = FRONT[entry]
        against = f'{entry}/{other}'
        if other in results.entries and results.has(against, [whole]):
            title = f'the same, over "{results.title(other)}"'
            rows.append(_changes(results, against, title, columns, flickers))
    head = ['', 'mIoU, all frames', 'clean frames', 'degraded frames']
    head += ['flicker, all frames', 'flicker, clean frames', 'runs']
    return markdown_table(head, rows)


def _changes(
    results: BenchmarkResults, entry: str, title: str, columns, flickers
) -> list:
    """A row of differences, of flicker in percent."""
    figures = [results.row(entry, column) for column in columns]
    return [
        title,
        *map(difference, figures),
        *(relative(results.row(entry, column)) for column in flickers),
        figures[0] and figures[0]['runs'],
    ]


def _over(
    other: str, columns: Mapping[str, Column]
) -> Callable[[BenchmarkResults], str]:
    """Differences to another entry than the baseline."""

    def table(results: BenchmarkResults) -> str:
        rows = []
        for entry in results.entries if other in results.entries else ():
            figures = [
                results.row(f'{entry}/{other}', column)
                for column in columns.values()
            ]
            if not any(figures):
                continue
            row = [results.title(entry)]
            for figure in figures:
                # Conditions were tested in fewer runs than bursts.
                runs = f'; {figure["runs"]}' if figure else ''
                row.append(difference(figure).replace(')', f'{runs})'))
            rows.append(row)
        return markdown_table(['', *columns], rows)

    return table


def _clips(results: BenchmarkResults) -> str:
    columns = [Column('bursts', 't5', figure) for figure in ('mIoU', 'mAcc')]
    rows = []
    for entry in results.entries:
        if not results.has(entry, columns):
            continue
        row = [_title(results, entry)]
        for column in columns:
            figure = results.row(entry, column)
            row += [value(figure), difference(figure)]
        rows.append(row)
    head = ['', 'mIoU, T=5', 'difference (95 %)', 'mAcc, T=5']
    return markdown_table([*head, 'difference (95 %)'], rows)


def _trainings(results: BenchmarkResults) -> str:
    rows = [
        [
            _title(results, name),
            f'`{entry["config"]}`',
            entry.get('starts_from') or '',
            f'{entry["iterations"]:,}' if entry.get('iterations') else '',
            f'{entry["seconds"]:.0f}' if entry.get('seconds') else '',
            _millions(entry.get('parameters')),
            entry.get('latency_ratio'),
        ]
        for name, entry in results.entries.items()
    ]
    return markdown_table(
        [
            *('', 'config', 'weights of', 'iterations', 'seconds'),
            *('parameters (M)', 'latency'),
        ],
        rows,
    )


def _millions(number: int | None) -> str:
    return f'{number / 1e6:.2f}' if number else ''


# The baseline, trained on for as long as the recurrent nets; and that net
# with all that needs no training.
LONGER, STEADIED = 'framewise_longer', 'longer_flow_ema_hold'
# What the front page shows, where it was measured, and what else it is
# compared with: what took the same time.
FRONT = dict.fromkeys((LONGER, 'hold', 'flow_ema_hold', STEADIED, 'joint'))
FRONT |= dict(joint_flow=LONGER, joint_flow_ema_hold=STEADIED)
EQUAL_TIME = {
    'bursts, all frames': Column('bursts', 'stream'),
    'clean frames': Column('bursts', 'stream', subset='clean'),
    'degraded frames': Column('bursts', 'stream', subset='degraded'),
    'no degradation': Column('clean', 'stream'),
    'long bursts, degraded': Column(
        'long_bursts', 'stream', subset='degraded'
    ),
    'lens covered in part': Column('occlusion', 'stream', subset='degraded'),
    'darkness': Column('darkness', 'stream', subset='degraded'),
    'small far objects': Column('far', 'stream'),
}
EQUALLY_STEADIED = {
    **{name: c for name, c in EQUAL_TIME.items() if c.data == 'bursts'},
    'flicker (points)': Column('bursts', 'stream', 'flicker_static'),
    'long bursts, degraded': EQUAL_TIME['long bursts, degraded'],
}
CONDITIONS = {
    'mIoU, lens covered in part': Column(
        'occlusion', 'stream', subset='degraded'
    ),
    'lens free': Column('occlusion', 'stream', subset='clean'),
    'darkness': Column('darkness', 'stream', subset='degraded'),
    'before it': Column('darkness', 'stream', subset='clean'),
    'small far objects': Column('far', 'stream'),
}
BENCHMARK_TABLES = dict(
    front=_front,
    streamed=_streamed('bursts'),
    streamed_val=_streamed('bursts', 'val'),
    clean=_streamed('clean'),
    long_bursts=_streamed('long_bursts'),
    conditions=_conditions,
    equal_time=_over(LONGER, EQUAL_TIME),
    equally_steadied=_over(STEADIED, EQUALLY_STEADIED),
    clips=_clips,
    trainings=_trainings,
    camvid=camvid_table,
)


def _of_results(
    table: Callable[[BenchmarkResults], str],
) -> Callable[[Path], str]:
    return lambda path: table(BenchmarkResults(path))


# Name -> a function that makes a table of a file.
TABLES = {name: _of_results(t) for name, t in BENCHMARK_TABLES.items()}
TABLES |= steady_tables.TABLES
TABLES['steps'] = steps_table
# A page that a tool wrote beside its results.
TABLES['verbatim'] = Path.read_text
