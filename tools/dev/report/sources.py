"""The committed results, as the report reads them."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mmseg_video.experiments.benchmark_results import (
    COMMAND,
    BenchmarkResults,
    Column,
    ResultsError,
)

ROOT = Path(__file__).resolve().parents[3]
RESULTS = ROOT / 'work_dirs/results'
BENCHMARKS = {'street': 'street_scenes', 'camvid': 'camvid_recurrent'}
# Entries by names that are short enough for a table; others have their own.
TITLES = {
    'framewise': 'framewise (baseline)',
    'framewise_longer': 'framewise, trained longer',
    'longer_flow_ema': 'framewise, trained longer, EMA along flow',
    'longer_flow_ema_hold': 'framewise, trained longer, EMA along flow, '
    'bad frames held',
    'framewise_bursts': 'framewise, trained longer, bad frames too',
    'hold': 'framewise, bad frames held',
    'larger_input': 'framewise, larger input',
    'ema': 'EMA in place',
    'flow_ema': 'EMA along flow',
    'flow_ema_hold': 'EMA along flow, bad frames held',
    'gated_ema': 'gated EMA',
    'gated_ema_flow': 'gated EMA along flow',
    'laterals': 'laterals',
    'laterals_flow_ema': 'laterals, EMA along flow',
    'laterals_flow_ema_hold': 'laterals, EMA along flow, bad frames held',
    'laterals_reset': 'laterals, states reset at every frame',
    'laterals_single': 'laterals, trained on single frames',
    'laterals_gated_ema': 'laterals, gated EMA',
    'laterals_gated_ema_hold': 'laterals, gated EMA, bad frames held',
    'laterals_gated_ema_flow': 'laterals, gated EMA along flow',
    'joint': 'laterals, gated EMA, net trained too',
    'joint_reset': 'laterals, gated EMA, net trained too, states reset',
    'joint_flow': 'laterals, gated EMA along flow, net trained too',
    'joint_hold': 'laterals, gated EMA, net trained too, bad frames held',
    'joint_flow_hold': 'laterals, gated EMA along flow, net trained too, '
    'bad frames held',
    'joint_flow_ema': 'laterals, gated EMA and EMA along flow, net trained '
    'too',
    'joint_flow_ema_hold': 'laterals, gated EMA and EMA along flow, net '
    'trained too, bad frames held',
}


class ReportError(ResultsError):
    """A sentence: what the report asks for, and where it is not."""


def column(data: str, protocol: str, figure: str, subset: str) -> Column:
    """As the text writes it: the data is DATA, of test, or DATA@SPLIT."""
    data, _, split = data.partition('@')
    return Column(data, protocol, figure, subset, split or 'test')


@dataclass
class Results:
    """All that the report is made of.

    Args:
        root (Path): The folder of the results. Defaults to the committed one.
    """

    root: Path = RESULTS

    def __post_init__(self):
        self.benchmarks = {
            name: BenchmarkResults(self.root / folder / 'results.json', TITLES)
            for name, folder in BENCHMARKS.items()
        }

    def of(self, data: str) -> BenchmarkResults:
        """The benchmark that has this data."""
        for benchmark in self.benchmarks.values():
            if data.partition('@')[0] in benchmark.data:
                return benchmark
        known = [sorted(b.data) for b in self.benchmarks.values()]
        raise ReportError(f"no results on '{data}': there are {known}")

    def row(self, data, protocol, entry, figure, subset) -> dict:
        """A row of the results.

        Args:
            data, protocol, figure, subset (str): See :func:`column`.
            entry (str): A name or an alias.

        Raises:
            ReportError: If it was not measured.
        """
        benchmark = self.of(data)
        where = column(data, protocol, figure, subset)
        found = benchmark.row(entry, where)
        if found is None:
            names = '/'.join(map(benchmark.name, entry.split('/')))
            raise ReportError(
                f"'{_short(benchmark.path)}' has no {figure} of "
                f"'{names}' on {data}, {protocol}, {subset} "
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
