r"""The values that the text asks for, and the claims that it makes.

In docs/report/\*.tex:

==================================================  =========================
``\result{DATA}{PROTOCOL}{ENTRY}{FIGURE}{SUBSET}``  43.1
``\resultsd{...}``                                  43.1 +- 0.6, over runs
``\gain{...}``                                      +1.2, to the baseline
``\gainci{...}``                                    +1.2 [+0.4, +1.9]
``\gainlow{...}``, ``\gainhigh{...}``               the ends of its interval
``\relgain{...}``                                   -40 %, of the baseline's
``\runs{...}``                                      'two runs', of which it is
                                                    the mean
``\about{BENCHMARK}{KEY}``                          of its results.json:
                                                    ``command``,
                                                    ``best.title``; and what
                                                    ``_SAID`` has
``\fact{NAME}{FORMAT}``                             see facts.py; the format
                                                    is plain, signed,
                                                    percent, count or ratio
``\lit{KEY}``                                       of literature.yml
``\claim{... as \result}{WHAT}``                    nothing; but the build
                                                    fails unless it holds
``\claimorder{DATA}{PROTOCOL}{A}{B}{FIGURE}         the same: A's figure is
{SUBSET}``                                          better than B's, in the
                                                    runs of both
``\claimfact{NAME}{positive or negative}``          the same, of a fact
==================================================  =========================

An ENTRY 'A/B' is A, with differences to B in place of the baseline.

WHAT is one of better, worse and unsure (the interval holds 0), or several with
a stroke between: ``better|unsure``.
"""

import re
from collections import Counter
from pathlib import Path

from mmseg_video.experiments.benchmark_results import Column, ResultsError

from . import numbers
from .facts import fact
from .sources import ReportError, Results, column, literature

ARITY = {
    **dict.fromkeys(('result', 'resultsd', 'gain', 'gainci', 'relgain'), 5),
    **dict(gainlow=5, gainhigh=5, runs=5),
    **dict(about=2, fact=2, lit=1),
    **dict(claim=6, claimorder=6, claimfact=2),
}
CLAIMS = ('claim', 'claimorder', 'claimfact')
_CALL = re.compile(
    r'\\(' + '|'.join(sorted(ARITY, key=len, reverse=True)) + r')(?=\{)'
)
_ARGUMENT = re.compile(r'\{([^{}]*)\}')
COMMENT = re.compile(r'(?<!\\)%.*')


def calls(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """The macros of a text and their arguments, in order."""
    text = COMMENT.sub('', text)
    found = []
    for match in _CALL.finditer(text):
        name, at, arguments = match[1], match.end(), []
        for _ in range(ARITY[name]):
            argument = _ARGUMENT.match(text, at)
            if argument is None:
                line = text.count('\n', 0, match.start()) + 1
                raise ReportError(
                    f'line {line}: \\{name} takes {ARITY[name]} arguments, '
                    f'got {len(arguments)}'
                )
            arguments.append(' '.join(argument[1].split()))
            at = argument.end()
        found.append((name, tuple(arguments)))
    return found


def read_values(results: Results, folder: Path) -> str:
    """generated/values.tex: every value that the text asks for.

    Args:
        results (Results): What was measured.
        folder (Path): docs/report.

    Raises:
        ReportError: If there is no such value, or a claim does not hold.
    """
    values = {}
    for path in sources(folder):
        try:
            for name, arguments in calls(path.read_text()):
                if name in CLAIMS:
                    _check(results, name, arguments)
                else:
                    key = ':'.join((name, *arguments))
                    values[key] = _value(results, folder, name, arguments)
        except ResultsError as error:
            where = path.relative_to(folder)
            raise ReportError(f'{where}: {error}') from error
    lines = (
        f'\\expandafter\\def\\csname value:{key}\\endcsname{{{value}}}\n'
        for key, value in sorted(values.items())
    )
    return ''.join(lines)


def sources(folder: Path) -> list[Path]:
    """The files of the text that are written by hand."""
    return [folder / 'report.tex', *sorted(folder.glob('sections/*.tex'))]


def _value(results: Results, folder: Path, name: str, arguments) -> str:
    if name == 'about':
        return _about(results, *arguments)
    if name == 'fact':
        return _format(fact(results, arguments[0]), arguments[1])
    if name == 'lit':
        known = literature(folder / 'literature.yml')
        if arguments[0] not in known:
            raise ReportError(f"literature.yml has no '{arguments[0]}'")
        return numbers.escape(str(known[arguments[0]]['value']))
    row = results.row(*arguments)
    if name == 'result':
        return numbers.plain(row['value'], row['figure'])
    if name == 'runs':
        return _runs(results.of(row['data']), row)
    if name == 'resultsd':
        return numbers.with_spread(row['value'], row['sd'], row['figure'])
    if row['entry'] == results.of(row['data']).baseline:
        raise ReportError(f'{arguments}: the baseline differs from nothing')
    if name == 'relgain':
        return numbers.relative(row)
    gain = numbers.signed(row['difference'], row['figure'])
    if name == 'gain':
        return gain
    if row.get('low') is None:
        raise ReportError(f'{arguments}: has no interval')
    if name == 'gainci':
        return f'{gain} {numbers.interval(row)}'
    return numbers.signed(row[name.removeprefix('gain')], row['figure'])


def _about(results: Results, benchmark: str, key: str) -> str:
    if benchmark not in results.benchmarks:
        raise ReportError(f"there is no benchmark '{benchmark}'")
    benchmark = results.benchmarks[benchmark]
    name, dot, attribute = key.partition('.')
    if key in _SAID:
        return _SAID[key](benchmark)
    if attribute == 'title':
        value = benchmark.title(name)
    elif dot:
        value = benchmark.entries[benchmark.name(name)].get(attribute)
    else:
        value = benchmark.content.get(key)
    if value is None:
        raise ReportError(f"'{benchmark.path.name}' has no {key}")
    if attribute == 'parameters':
        return f'{value / 1e6:.2f}'
    if isinstance(value, float):
        return f'{value:.2f}' if value < 20 else f'{value:.0f}'
    if isinstance(value, list):
        return str(len(value))
    if isinstance(value, int):
        return count(value)
    return numbers.escape(value)


def _counted(number: int, noun: str) -> str:
    """'three data sets'."""
    plural = 's' if number != 1 else ''
    return f'{WORDS.get(number, number)} {noun}{plural}'


def _runs(benchmark, row: dict) -> str:
    """'nine runs', 'four runs on two data sets' where there are more."""
    runs = _counted(row['runs'], 'run')
    used = {run.partition('/')[0] for run in row.get('each') or ()}
    if not used or len(used) == len(benchmark.content['data_seeds']):
        return runs
    return f'{runs} on {_counted(len(used), "data set")}'


def _data_sets(benchmark) -> str:
    return _counted(len(benchmark.content['data_seeds']), 'data set')


def _trainings(benchmark) -> str:
    """Of each data set: 'three trainings', 'one to three trainings'."""
    numbers = [len(own) for own in benchmark.content['trainings'].values()]
    most = _counted(max(numbers), 'training')
    if min(numbers) == max(numbers):
        return most
    return f'{WORDS.get(min(numbers), min(numbers))} to {most}'


def _fewest(benchmark) -> str:
    """How a sentence begins that says whether all figures of the streamed
    test are of all runs."""
    column = Column('bursts', 'stream')
    most = benchmark.most_runs(column)
    fewer = Counter(
        _runs(benchmark, row)
        for name in benchmark.entries
        if (row := benchmark.row(name, column)) and row['runs'] < most
    )
    if not fewer:
        return 'All systems have been run on all of them'
    have = 'has' if fewer.total() == 1 else 'have'
    said = (
        f'In the tables {_counted(fewer.total(), "system")} {have} fewer runs'
    )
    for runs, number in fewer.items():
        if 'data set' in runs:
            said += f', {WORDS.get(number, number)} of them {runs}'
    return said


def _rule(benchmark) -> str:
    """How a sentence begins that says how sure the rule's choice is."""
    tested, read = (
        Column('bursts', 'stream', subset='clean', split=split)
        for split in ('test', 'val')
    )
    candidates = [
        name
        for name in benchmark.baseline_first
        if name not in NO_CANDIDATES and benchmark.row(name, tested)
    ]
    most = benchmark.most_runs(read)
    lacking = [
        name
        for name in candidates
        if (benchmark.row(name, read) or {}).get('runs') != most
        or benchmark.entries[name].get('latency_ratio') is None
    ]
    if not lacking:
        return 'Every system was measured there'
    return (
        f'Of {len(candidates)} systems {len(lacking)} have fewer runs on '
        'validation than the others, or none, or no latency; without one of '
        'them a system is no candidate'
    )


def _classes(benchmark) -> str:
    """How a sentence begins that says how many classes gain."""
    gains = benchmark.class_gains('best')
    loses = [name for name, gain in gains.items() if gain < 0]
    if not loses:
        return 'Every class gains'
    return (
        f'Of {len(gains)} classes {len(gains) - len(loses)} gain, and '
        f'{" and ".join(loses)} lose{"s" * (len(loses) == 1)}'
    )


def _extremes(benchmark) -> str:
    """The classes that gain most and least."""
    gains = benchmark.class_gains('best')
    names = sorted(gains, key=gains.get)
    return (
        f'{names[-1]} and {names[-2]} gain most, {names[0]} and {names[1]} '
        'least'
    )


WORDS = {
    1: 'one',
    2: 'two',
    3: 'three',
    4: 'four',
    5: 'five',
    6: 'six',
    7: 'seven',
}
# The rule decides between systems that use the past.
NO_CANDIDATES = (
    *('framewise', 'framewise_longer', 'larger_input'),
    *('laterals_reset', 'joint_reset'),  # controls
)


def _slowest(benchmark) -> str:
    """Seconds of the longest training of a memory behind the baseline."""
    return count(
        max(
            entry['seconds']
            for name, entry in benchmark.entries.items()
            if entry.get('starts_from') == benchmark.baseline
            and entry.get('seconds')
            and name not in NO_CANDIDATES
        )
    )


def _hours(benchmark) -> str:
    """Of training, of all data sets."""
    seconds = sum(e.get('seconds') or 0 for e in benchmark.entries.values())
    runs = sum(map(len, benchmark.content['trainings'].values()))
    return count(seconds * runs / 3600)


_SAID = dict(
    **dict(data_sets=_data_sets, trainings=_trainings, fewest=_fewest),
    **dict(rule=_rule, classes=_classes, extremes=_extremes),
    **dict(slowest=_slowest, hours=_hours),
)


def count(value: float) -> str:
    """'1,500'."""
    return f'{value:,.0f}'.replace(',', '{,}')


def _format(value: float, how: str) -> str:
    formats = dict(
        plain=numbers.plain,
        signed=numbers.signed,
        percent=numbers.percent,
        count=count,
        ratio=lambda value: f'{value:.2f}',
        millions=lambda value: f'{value / 1e6:.2f}',
        flicker=lambda value: f'{value:.2f}',
    )
    if how not in formats:
        raise ReportError(f"no format '{how}': choose of {list(formats)}")
    return formats[how](value)


def _check(results: Results, name: str, arguments) -> None:
    """Refuse a claim that does not hold."""
    if name == 'claimfact':
        value = fact(results, arguments[0])
        holds = value > 0 if arguments[1] == 'positive' else value < 0
        said = f'{value:+.3f}'
    elif name == 'claimorder':
        data, protocol, better, worse, figure, subset = arguments
        a, b = results.of(data).common_differences(
            (better, worse), column(data, protocol, figure, subset)
        )
        less = figure in numbers.LESS_IS_BETTER
        holds, said = (a < b if less else a > b), f'{a:.2f} and {b:.2f}'
    else:
        said = numbers.significance(results.row(*arguments[:5]))
        holds = said in arguments[5].split('|')
    if not holds:
        raise ReportError(
            f'the text claims \\{name}{{{"}{".join(arguments)}}}, but the '
            f'results say {said}: rewrite the sentence'
        )
