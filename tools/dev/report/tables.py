"""The report's tables, of the two benchmarks."""

from collections.abc import Callable

from . import numbers
from .latex import best_bold, tabular
from .sources import Benchmark, Results

# data, protocol, figure, subset
Cell = tuple[str, str, str, str]
MISSING = '--'

# Group of columns -> its columns and their names.
STREET = {
    'no degradation, stream': {
        ('clean', 'stream', 'mIoU', 'all'): 'all',
        ('clean', 'stream', 'flicker_static', 'all'): 'flicker',
        ('clean', 'stream', 'VC8', 'all'): 'VC8',
    },
    'bursts, stream': {
        ('bursts', 'stream', 'mIoU', 'all'): 'all',
        ('bursts', 'stream', 'mAcc', 'all'): 'mAcc',
        ('bursts', 'stream', 'mIoU', 'clean'): 'clean',
        ('bursts', 'stream', 'mIoU', 'degraded'): 'degr.',
        ('bursts', 'stream', 'flicker_static', 'all'): 'flicker',
        ('bursts', 'stream', 'VC8', 'all'): 'VC8',
    },
    'bursts, $T\\,{=}\\,5$': {
        ('bursts', 't5', 'mIoU', 'all'): 'all',
        ('bursts', 't5', 'mIoU', 'clean'): 'clean',
        ('bursts', 't5', 'mIoU', 'degraded'): 'degr.',
    },
    'long bursts': {
        ('long_bursts', 'stream', 'mIoU', 'clean'): 'clean',
        ('long_bursts', 'stream', 'mIoU', 'degraded'): 'degr.',
    },
}
STREET_GAINS = {
    ('clean', 'stream', 'mIoU', 'all'): 'no degradation',
    ('bursts', 'stream', 'mIoU', 'all'): 'bursts, all',
    ('bursts', 'stream', 'mIoU', 'clean'): 'bursts, clean',
    ('bursts', 'stream', 'mIoU', 'degraded'): 'bursts, degr.',
    ('long_bursts', 'stream', 'mIoU', 'degraded'): 'long, degr.',
    ('bursts', 'stream', 'flicker_static', 'all'): 'flicker, all',
    ('bursts', 'stream', 'flicker_static', 'clean'): 'flicker, clean',
}
SELECTION = {
    ('bursts@val', 'stream', 'mIoU', 'clean'): 'mIoU',
    ('bursts@val', 'stream', 'flicker_static', 'clean'): 'flicker',
}
MARKS = {'best_without_laterals': r'\,$\circ$', 'best': r'\,$\star$'}


def street_values(results: Results) -> str:
    """Every entry on every street data set; the best of each column bold."""
    more = dict(runs=_runs, latency=_latency)
    return _grouped(results.benchmarks['street'], STREET, **more)


def street_gains(results: Results) -> str:
    """Differences to the baseline, with their intervals."""
    benchmark = results.benchmarks['street']
    columns = {c: n for c, n in STREET_GAINS.items() if any_has(benchmark, c)}
    head = (_head(columns.values()),)
    lines = _gains(benchmark, columns)
    return tabular('@{}l' + 'r' * len(columns) + '@{}', head, lines)


def selection(results: Results) -> str:
    """What the rule for the default reads, on the validation split."""
    benchmark = results.benchmarks['street']
    marks = {
        benchmark.name(entry): mark
        for entry, mark in MARKS.items()
        if entry in benchmark.content
    }
    lines = []
    for cells, name in zip(
        _values(benchmark, SELECTION, _latency),
        measured(benchmark, SELECTION),
        strict=True,
    ):
        lines.append([cells[0] + marks.get(name, ''), *cells[1:]])
    head = (_head(SELECTION.values(), 'latency'),)
    return tabular('@{}lrrr@{}', head, lines)


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
            *(_number(entry.get(c[0]), *c[1:]) for c in columns.values()),
        ]
        for name, entry in benchmark.entries.items()
        if entry.get('seconds') is not None
    ]
    letters = '@{}l' + 'r' * len(columns) + '@{}'
    return tabular(letters, [_head(columns)], lines)


def _grouped(
    benchmark: Benchmark,
    groups: dict[str, dict[Cell, str]],
    **more: Callable[[Benchmark, str], str],
) -> str:
    """A table of the columns that were measured, under their groups."""
    groups = {
        group: {c: n for c, n in columns.items() if any_has(benchmark, c)}
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
        above.append(f'\\multicolumn{{{len(own)}}}{{c}}{{{group}}}')
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


def any_has(benchmark: Benchmark, column: Cell) -> bool:
    return any(find(benchmark, name, column) for name in benchmark.entries)


def _head(names, *more: str) -> str:
    return ' & '.join(['', *names, *more]) + r' \\'


def measured(benchmark: Benchmark, columns: dict[Cell, str]) -> list[str]:
    """The entries that have any of the figures."""
    return [
        name
        for name in benchmark.entries
        if any(find(benchmark, name, column) for column in columns)
    ]


def find(benchmark: Benchmark, name: str, column: Cell) -> dict | None:
    data, protocol, figure, subset = column
    return benchmark.find(data, protocol, name, figure, subset)


def _values(
    benchmark: Benchmark,
    columns: dict[Cell, str],
    *more: Callable[[Benchmark, str], str],
) -> list[list[str]]:
    names = measured(benchmark, columns)
    lines = [[numbers.escape(benchmark.title(n))] for n in names]
    for column in columns:
        rows = [find(benchmark, name, column) for name in names]
        values = [row and row['value'] for row in rows]
        texts = [
            MISSING if v is None else numbers.plain(v, column[2])
            for v in values
        ]
        less = column[2] in numbers.LESS_IS_BETTER
        texts = best_bold(values, texts, less)
        for line, text in zip(lines, texts, strict=True):
            line.append(text)
    for line, name in zip(lines, names, strict=True):
        line += [make(benchmark, name) for make in more]
    return lines


def _gains(benchmark: Benchmark, columns: dict[Cell, str]) -> list:
    baseline = benchmark.name('baseline')
    lines = []
    for name in measured(benchmark, columns):
        if name == baseline:
            continue
        rows = [find(benchmark, name, column) for column in columns]
        if all(row is None or row.get('difference') is None for row in rows):
            continue
        title = numbers.escape(benchmark.title(name))
        lines.append([title, *map(_gain, rows)])
    return lines


def _gain(row: dict | None) -> str:
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
    if row.get('low') is not None:
        text += f' {{\\scriptsize {numbers.interval(row)}}}'
    return text


def _latency(benchmark: Benchmark, name: str) -> str:
    return _number(benchmark.entries[name].get('latency_ratio'), 1, '.2f')


def _runs(benchmark: Benchmark, name: str) -> str:
    """How many runs its streamed figures are means of."""
    row = benchmark.find('bursts', 'stream', name, 'mIoU', 'all')
    return str(row['runs']) if row else MISSING


def _number(value: float | None, unit: float, how: str) -> str:
    if value is None:
        return MISSING
    return f'{value * unit:{how}}'.replace(',', '{,}')
