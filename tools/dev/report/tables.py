"""The report's tables, of the two benchmarks."""

from collections.abc import Callable
from dataclasses import replace

from mmseg_video.experiments.benchmark_results import BenchmarkResults, Column
from mmseg_video.experiments.camvid_table import (
    BETWEEN,
    CLEAN,
    DEGRADED,
    SECOND_HALF,
    TEST,
)

from . import numbers
from .latex import RULE, best_bold, tabular
from .sources import Results

MISSING = '--'

# Group of columns -> its columns and their names.
STREET = {
    'no degradation, stream': {
        Column('clean', 'stream'): 'all',
        Column('clean', 'stream', 'flicker_static'): 'flicker',
        Column('clean', 'stream', 'VC8'): 'VC8',
    },
    'bursts, stream': {
        Column('bursts', 'stream'): 'all',
        Column('bursts', 'stream', 'mAcc'): 'mAcc',
        Column('bursts', 'stream', subset='clean'): 'clean',
        Column('bursts', 'stream', subset='degraded'): 'degr.',
        Column('bursts', 'stream', 'flicker_static'): 'flicker',
        Column('bursts', 'stream', 'VC8'): 'VC8',
    },
    'bursts, $T\\,{=}\\,5$': {
        Column('bursts', 't5'): 'all',
        Column('bursts', 't5', subset='clean'): 'clean',
        Column('bursts', 't5', subset='degraded'): 'degr.',
    },
    'long bursts': {
        Column('long_bursts', 'stream', subset='clean'): 'clean',
        Column('long_bursts', 'stream', subset='degraded'): 'degr.',
    },
}
STREET_GAINS = {
    Column('clean', 'stream'): 'no degradation',
    Column('bursts', 'stream'): 'bursts, all',
    Column('bursts', 'stream', subset='clean'): 'bursts, clean',
    Column('bursts', 'stream', subset='degraded'): 'bursts, degr.',
    Column('long_bursts', 'stream', subset='degraded'): 'long, degr.',
    Column('bursts', 'stream', 'flicker_static'): 'flicker, all',
    Column('bursts', 'stream', 'flicker_static', 'clean'): 'flicker, clean',
}
CONDITIONS = {
    Column('occlusion', 'stream', subset='degraded'): 'covered frames',
    Column('darkness', 'stream', subset='degraded'): 'dark frames',
    Column('far', 'stream'): 'far objects',
}
CAMVID = {
    CLEAN: 'clean',
    replace(CLEAN, figure='flicker_static'): 'flicker',
    SECOND_HALF: 'second half',
    DEGRADED: 'degraded',
    BETWEEN: 'its clean fr.',
    replace(DEGRADED, figure='flicker_static'): 'flicker',
    TEST: 'test, 1\\,Hz',
}
SELECTION = {
    Column('bursts', 'stream', subset='clean', split='val'): 'mIoU',
    Column('bursts', 'stream', 'flicker_static', 'clean', 'val'): 'flicker',
}
# Figures of fewer runs than the others of their column say so.
FEWER = '\\textsuperscript{{{}}}'
MARKS = {'best_without_laterals': r'\,$\circ$', 'best': r'\,$\star$'}


def street_values(results: Results) -> str:
    """Every entry on every street data set; the best of each column bold."""
    return _grouped(results.benchmarks['street'], STREET, latency=_latency)


def street_gains(results: Results) -> str:
    """Differences to the baseline, with their intervals."""
    return _differences(results, STREET_GAINS)


def conditions(results: Results) -> str:
    """The same, under the conditions that have a test set of their own."""
    return _differences(results, CONDITIONS)


def _differences(results: Results, columns: dict[Column, str]) -> str:
    benchmark = results.benchmarks['street']
    columns = {c: n for c, n in columns.items() if benchmark.measured(c)}
    head = (_head(with_runs(benchmark, columns)),)
    lines = _gains(benchmark, columns)
    return tabular('@{}l' + 'r' * len(columns) + '@{}', head, lines)


def camvid(results: Results) -> str:
    """The trainings on CamVid: the baseline, and differences to it."""
    benchmark = results.benchmarks['camvid']
    lines = []
    for name in measured(benchmark, CAMVID):
        line = [numbers.escape(benchmark.title(name))]
        for column in CAMVID:
            row = benchmark.row(name, column)
            if row is None:
                line.append(MISSING)
            elif name == benchmark.baseline:
                line.append(numbers.plain(row['value'], column.figure))
            elif column.figure in numbers.LESS_IS_BETTER:
                line.append(numbers.relative(row))
            else:
                text = numbers.signed(row['difference'], column.figure)
                line.append(text + _fewer(row, benchmark.most_runs(column)))
        lines.append(line)
        if name == benchmark.baseline:
            lines.append(RULE)
    head = (_head(with_runs(benchmark, CAMVID)),)
    return tabular('@{}l' + 'r' * len(CAMVID) + '@{}', head, lines)


def selection(results: Results) -> str:
    """What the rule for the default reads, on the validation split."""
    benchmark = results.benchmarks['street']
    marks = {
        benchmark.name(entry): mark
        for entry, mark in MARKS.items()
        if entry in benchmark.content
    }
    lines = []
    for name in measured(benchmark, SELECTION):
        title = numbers.escape(benchmark.title(name))
        line = [title + marks.get(name, '')]
        for column in SELECTION:
            row = benchmark.row(name, column)
            line += [MISSING] * 2
            if row is None:
                continue
            most = benchmark.most_runs(column)
            figure = numbers.plain(row['value'], column.figure)
            line[-2] = figure + _fewer(row, most)
            if row['low'] is not None:  # the baseline differs from nothing
                line[-1] = numbers.signed(row['difference'], column.figure)
        lines.append([*line, _latency(benchmark, name)])
    columns = [x for name in SELECTION.values() for x in (name, 'diff.')]
    return tabular('@{}lrrrrr@{}', (_head(columns, 'latency'),), lines)


def costs(results: Results) -> str:
    """Training and running costs of each entry that was tested."""
    benchmark = results.benchmarks['street']
    columns = {
        'parameters (M)': ('parameters', 1e-6, '.2f'),
        'iterations': ('iterations', 1, ',.0f'),
        'training (s)': ('seconds', 1, ',.0f'),
        'latency (ratio)': ('latency_ratio', 1, '.2f'),
    }
    known = [key for entry in benchmark.entries.values() for key in entry]
    columns = {n: c for n, c in columns.items() if c[0] in known}
    lines = [
        [
            numbers.escape(benchmark.title(name)),
            *(
                _number(benchmark.entries[name].get(c[0]), *c[1:])
                for c in columns.values()
            ),
        ]
        for name in benchmark.baseline_first
        if benchmark.entries[name].get('seconds') is not None
    ]
    letters = '@{}l' + 'r' * len(columns) + '@{}'
    return tabular(letters, [_head(columns)], lines)


def _grouped(
    benchmark: BenchmarkResults,
    groups: dict[str, dict[Column, str]],
    **more: Callable[[BenchmarkResults, str], str],
) -> str:
    """A table of the columns that were measured, under their groups."""
    groups = {
        group: {c: n for c, n in columns.items() if benchmark.measured(c)}
        for group, columns in groups.items()
    }
    more = {
        name: make
        for name, make in more.items()
        if any(make(benchmark, e) != MISSING for e in benchmark.entries)
    }
    above, rules, at, columns = [''], [], 2, {}
    for group, own in groups.items():
        if not own:
            continue
        runs = max(benchmark.most_runs(column) for column in own)
        above.append(
            f'\\multicolumn{{{len(own)}}}{{c}}{{{group} ($n={runs}$)}}'
        )
        rules.append(f'\\cmidrule(lr){{{at}-{at + len(own) - 1}}}')
        at += len(own)
        columns |= own
    above += [''] * len(more)
    head = (
        ' & '.join(above) + r' \\',
        ''.join(rules),
        _head(columns.values(), *more),
    )
    lines = _values(benchmark, columns, *more.values())
    letters = '@{}l' + 'r' * (len(columns) + len(more)) + '@{}'
    return tabular(letters, head, lines)


def _head(names, *more: str) -> str:
    return ' & '.join(['', *names, *more]) + r' \\'


def with_runs(benchmark: BenchmarkResults, columns: dict[Column, str]):
    """The names of columns; with its runs where others have more."""
    runs = {c: benchmark.most_runs(c) for c in columns}
    most = max(runs.values(), default=0)
    for column, name in columns.items():
        few = runs[column] < most
        yield f'{name} ($n={runs[column]}$)' if few else name


def measured(benchmark: BenchmarkResults, columns) -> list[str]:
    """The entries that have any of the figures, the baseline first."""
    return [n for n in benchmark.baseline_first if benchmark.has(n, columns)]


def _values(
    benchmark: BenchmarkResults,
    columns: dict[Column, str],
    *more: Callable[[BenchmarkResults, str], str],
) -> list[list[str]]:
    names = measured(benchmark, columns)
    lines = [[numbers.escape(benchmark.title(n))] for n in names]
    for column in columns:
        rows = [benchmark.row(name, column) for name in names]
        most = benchmark.most_runs(column)
        texts = [
            numbers.plain(row['value'], column.figure) if row else MISSING
            for row in rows
        ]
        # Means over other runs are of other data: none of them is the best.
        values = [
            row['value'] if row and row['runs'] == most else None
            for row in rows
        ]
        less = column.figure in numbers.LESS_IS_BETTER
        texts = best_bold(values, texts, less)
        for line, text, row in zip(lines, texts, rows, strict=True):
            line.append(text + _fewer(row, most))
    for line, name in zip(lines, names, strict=True):
        line += [make(benchmark, name) for make in more]
    return lines


def _gains(benchmark: BenchmarkResults, columns: dict[Column, str]) -> list:
    lines = []
    for name in measured(benchmark, columns):
        if name == benchmark.baseline:
            continue
        rows = [benchmark.row(name, column) for column in columns]
        if all(row is None or row.get('difference') is None for row in rows):
            continue
        title = numbers.escape(benchmark.title(name))
        most = map(benchmark.most_runs, columns)
        lines.append([title, *map(_gain, rows, most)])
    return lines


def _gain(row: dict | None, most: int) -> str:
    """The difference and its interval; bold where it is better, with a
    dagger where it is worse than the baseline."""
    if row is None or row.get('difference') is None:
        return MISSING
    text = numbers.signed(row['difference'], row['figure'])
    found = numbers.significance(row)
    if found == 'better':
        text = text.replace('\\ensuremath{', '\\ensuremath{\\mathbf{', 1) + '}'
    elif found == 'worse':
        text += '$^\\dagger$'
    text += _fewer(row, most)
    if row.get('low') is not None:
        text += f' {{\\scriptsize {numbers.interval(row)}}}'
    return text


def _fewer(row: dict | None, most: int) -> str:
    """The number of runs, where others have more."""
    return FEWER.format(row['runs']) if row and row['runs'] < most else ''


def _latency(benchmark: BenchmarkResults, name: str) -> str:
    return _number(benchmark.entries[name].get('latency_ratio'), 1, '.2f')


def _number(value: float | None, unit: float, how: str) -> str:
    if value is None:
        return MISSING
    return f'{value * unit:{how}}'.replace(',', '{,}')
