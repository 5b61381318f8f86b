"""The committed results, as the report reads them."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
RESULTS = ROOT / 'work_dirs/results'
BENCHMARKS = {'street': 'street_scenes'}
# Entries that the results themselves name.
ALIASES = ('best', 'best_without_laterals', 'baseline')
COMMAND = 'bash tools/reproduce.sh'
# Entries by names that are short enough for a table; others have their own.
TITLES = {
    'framewise_same_time': 'framewise, same time (baseline)',
    'framewise': 'framewise, same iterations',
    'larger_input': 'framewise, larger input',
    'hold': 'framewise, bad frames held',
    'ema': 'EMA in place',
    'flow_ema': 'EMA along flow',
    'laterals': 'residual laterals',
    'laterals_flow_ema': 'residual laterals, EMA along flow',
    'split_laterals': 'split laterals',
    'split_laterals_flow_ema': 'split laterals, EMA along flow',
    'gated_ema': 'gated EMA',
    'gated_ema_flow': 'gated EMA along flow',
    'split_gated_ema': 'split laterals, gated EMA',
    'split_gated_ema_flow': 'split laterals, gated EMA along flow',
}
# The first of the splits that has a row is meant.
SPLITS = ('test', 'val')


class ReportError(ValueError):
    """A sentence: what the report asks for, and where it is not."""


@dataclass
class Benchmark:
    """What ``bash tools/reproduce.sh`` measured on one benchmark.

    Args:
        path (Path): Its results.json.
        content (dict): What is in it.
    """

    path: Path
    content: dict
    index: dict = field(init=False, repr=False)

    def __post_init__(self):
        self.index = {
            (
                *(row['data'], row['split'], row['protocol']),
                *(row['entry'], row['figure'], row['subset']),
            ): row
            for row in self.content['rows']
        }

    @property
    def data(self) -> set[str]:
        return {row['data'] for row in self.content['rows']}

    @property
    def entries(self) -> dict[str, dict]:
        """Name -> title, config and costs, the baseline first."""
        entries, first = self.content['entries'], self.content['baseline']
        return {first: entries[first], **entries}

    def name(self, entry: str) -> str:
        """The entry that a name or an alias means."""
        name = self.content[entry] if entry in ALIASES else entry
        if name not in self.content['entries']:
            raise ReportError(
                f"{self.path}: there is no entry '{name}'; there are "
                + ', '.join(self.content['entries'])
            )
        return name

    def title(self, entry: str) -> str:
        name = self.name(entry)
        return TITLES.get(name, self.content['entries'][name]['title'])

    def find(self, data, protocol, entry, figure, subset) -> dict | None:
        """A row, None where it was not measured.

        Args:
            data (str): The data, or DATA@SPLIT.
            protocol, entry, figure, subset (str): As in results.json; the
                entry may be an alias.
        """
        data, _, split = data.partition('@')
        entry = self.name(entry)
        for each in (split,) if split else SPLITS:
            key = data, each, protocol, entry, figure, subset
            if key in self.index:
                return self.index[key]
        return None


def read_benchmark(path: Path) -> Benchmark:
    """The results of a benchmark.

    Raises:
        ReportError: If they are missing or no such results.
    """
    if not path.is_file():
        raise ReportError(
            f"the results '{_short(path)}' are missing, and the report is "
            f'made of them: run {COMMAND}'
        )
    try:
        benchmark = Benchmark(path, json.loads(path.read_text()))
        for entry in ('baseline', 'best'):
            benchmark.name(entry)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, ReportError):
            raise
        raise ReportError(
            f"'{_short(path)}' holds no results of a benchmark "
            f'({type(error).__name__}: {error}): remove it and run {COMMAND}'
        ) from error
    return benchmark


@dataclass
class Results:
    """All that the report is made of.

    Args:
        root (Path): The folder of the results. Defaults to the committed one.
    """

    root: Path = RESULTS

    def __post_init__(self):
        self.benchmarks = {
            name: read_benchmark(self.root / folder / 'results.json')
            for name, folder in BENCHMARKS.items()
        }

    def of(self, data: str) -> Benchmark:
        """The benchmark that has this data."""
        for benchmark in self.benchmarks.values():
            if data.partition('@')[0] in benchmark.data:
                return benchmark
        known = [sorted(b.data) for b in self.benchmarks.values()]
        raise ReportError(f"no results on '{data}': there are {known}")

    def row(self, data, protocol, entry, figure, subset) -> dict:
        """A row of the results, see :meth:`Benchmark.find`.

        Raises:
            ReportError: If it was not measured.
        """
        benchmark = self.of(data)
        found = benchmark.find(data, protocol, entry, figure, subset)
        if found is None:
            raise ReportError(
                f"'{_short(benchmark.path)}' has no {figure} of "
                f"'{benchmark.name(entry)}' on {data}, {protocol}, {subset} "
                f'frames: run {COMMAND}, or take it out of the text'
            )
        return found

    def json(self, name: str) -> dict | list:
        """A JSON file below the root."""
        return json.loads(self._existing(name).read_text())

    def table(self, spec: str) -> dict[str, dict]:
        """Entry -> its figures, from an ablation's table.csv."""
        with open(self._existing(f'ablations/{spec}/table.csv')) as file:
            return {row['entry']: row for row in csv.DictReader(file)}

    def markdown(self, name: str) -> Iterator[list[str]]:
        """The cells of each line of a Markdown file's tables."""
        for line in self._existing(name).read_text().splitlines():
            if line.startswith('|'):
                yield [cell.strip() for cell in line.strip('|').split('|')]

    def _existing(self, name: str) -> Path:
        path = self.root / name
        if not path.is_file():
            raise ReportError(
                f"'{_short(path)}' is missing, and the report shows it: "
                'restore it (git checkout), or run the command that '
                'work_dirs/README.md names'
            )
        return path


@cache
def literature(path: Path) -> dict[str, dict]:
    """Key -> ``value`` and ``source``: numbers that others published."""
    import yaml

    return yaml.safe_load(path.read_text())


def _short(path: Path) -> str:
    """Relative to the repository where it is in it."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
