"""Figures over seeds, their differences to the baseline, and tables."""

import statistics
from dataclasses import dataclass, field

from ..evaluation.figures import less_is_better
from .costs import Costs
from .output import markdown_table, to_csv
from .plan import Plan

Column = tuple[str, str]  # protocol and metric


@dataclass(frozen=True)
class Figure:
    """A figure over seeds.

    Args:
        values (dict[int, float]): Seed -> value.
    """

    values: dict[int, float]

    @property
    def mean(self) -> float | None:
        values = self.values.values()
        return statistics.fmean(values) if values else None

    @property
    def std(self) -> float | None:
        """Of a sample (divided by n - 1), None for fewer than two."""
        values = list(self.values.values())
        return statistics.stdev(values) if len(values) > 1 else None

    def minus(self, other: 'Figure') -> 'Figure':
        """The difference seed by seed, over the seeds that both have.

        Runs of one seed share weights to start from and the order of the
        data, so the spread of their difference is not that of either.
        """
        shared = self.values.keys() & other.values.keys()
        return Figure(
            {s: self.values[s] - other.values[s] for s in sorted(shared)}
        )

    def text(self, sign: str = '') -> str:
        """'30.11 ± 0.82', empty where there is nothing."""
        if not self.values:
            return ''
        spread = '' if self.std is None else f' ± {self.std:.2f}'
        return f'{self.mean:{sign}.2f}{spread}'


@dataclass(frozen=True)
class Row:
    """An entry of the table.

    Args:
        name (str): The entry's.
        seeds (int): How many it is to have.
        figures (dict[Column, Figure]): What was measured so far.
        differences (dict[Column, Figure]): To the baseline.
        cost (dict): Parameters, latency and its ratio to the baseline's,
            empty where they were not measured.
        is_baseline (bool): Whether the others are compared with it.
    """

    name: str
    seeds: int
    figures: dict[Column, Figure]
    differences: dict[Column, Figure] = field(default_factory=dict)
    cost: dict = field(default_factory=dict)
    is_baseline: bool = False

    @property
    def seeds_done(self) -> int:
        """Of the figure that has the fewest."""
        return min(len(figure.values) for figure in self.figures.values())


def collect(plan: Plan, costs: Costs) -> list[Row]:
    """The rows of an ablation, from what is done."""
    spec = plan.spec
    figures = {entry.name: {} for entry in spec.rows}
    for (run, protocol), stage in plan.tests.items():
        metrics = stage.report.get('metrics', {})
        for metric in run.entry.protocols[protocol]:
            column = protocol.name, metric
            values = figures[run.entry.name].setdefault(column, {})
            if metric in metrics:
                values[run.seed] = metrics[metric]
    figures = {
        name: {column: Figure(values) for column, values in by.items()}
        for name, by in figures.items()
    }
    return [
        Row(
            entry.name,
            len(entry.seeds),
            figures[entry.name],
            _minus(
                figures[entry.name],
                figures.get(entry.baseline, {})
                if entry.baseline != entry.name
                else {},
            ),
            costs.get(*plan.models(entry)),
            entry.name in spec.baselines,
        )
        for entry in spec.rows
    ]


def _minus(
    figures: dict[Column, Figure], base: dict[Column, Figure]
) -> dict[Column, Figure]:
    return {c: f.minus(base[c]) for c, f in figures.items() if c in base}


def columns(rows: list[Row]) -> list[Column]:
    """All that occur, in the order of the first row that has them."""
    return list(dict.fromkeys(c for row in rows for c in row.figures))


def as_markdown(rows: list[Row]) -> str:
    """The table for reading: mean ± std over seeds, difference ± its std."""
    compared = any(row.is_baseline for row in rows)
    head = ['', 'seeds']
    for protocol, metric in columns(rows):
        head.append(f'{metric}, {protocol}')
        head += ['difference'] if compared else []
    head += ['parameters (M)', 'latency (ms)']
    head += ['ratio'] if compared else []
    lines = []
    for row in rows:
        name = f'**{row.name}**' if row.is_baseline else row.name
        missing = '' if row.seeds_done == row.seeds else f' of {row.seeds}'
        cells = [name, f'{row.seeds_done}{missing}']
        for column in columns(rows):
            cells.append(row.figures.get(column, Figure({})).text())
            if compared:
                difference = row.differences.get(column, Figure({}))
                cells.append(difference.text('+'))
        parameters = row.cost.get('parameters')
        cells.append(parameters and parameters / 1e6)
        cells.append(row.cost.get('latency_ms'))
        cells += [row.cost.get('ratio')] if compared else []
        lines.append(cells)
    devices = {row.cost.get('latency_on') for row in rows} - {None}
    note = f'\nLatency on {" or ".join(sorted(devices))}.\n' if devices else ''
    return markdown_table(head, lines) + note


def as_csv(rows: list[Row]) -> str:
    """The table for programs: a row for each entry, one figure a cell."""
    table = []
    for row in rows:
        cells = dict(entry=row.name, seeds=row.seeds)
        for column in columns(rows):
            figure = row.figures.get(column, Figure({}))
            difference = row.differences.get(column, Figure({}))
            cells |= {
                f'{" ".join(column)} {name}': value
                for name, value in (
                    ('n', len(figure.values)),
                    ('mean', figure.mean),
                    ('std', figure.std),
                    ('difference', difference.mean),
                    ('difference std', difference.std),
                )
            }
        for name in ('parameters', 'latency_ms', 'ratio', 'latency_on'):
            cells[name] = row.cost.get(name)
        table.append(cells)
    return to_csv(table)


def matrix(rows: list[Row]) -> tuple[str, list[str]] | None:
    """The metric that most protocols report, and these protocols in order.

    None where no metric has two: nothing to lay out over.
    """
    by_metric = {}
    for protocol, metric in columns(rows):
        by_metric.setdefault(metric, []).append(protocol)
    metric, protocols = max(by_metric.items(), key=lambda item: len(item[1]))
    return (metric, protocols) if len(protocols) > 1 else None


def matrix_as_markdown(
    rows: list[Row], metric: str, protocols: list[str]
) -> str:
    """One metric, entries down, protocols across; the best of each bold."""
    lines = []
    best_of = min if less_is_better(metric) else max
    best = {
        protocol: best_of(
            (
                figure.mean
                for row in rows
                if (figure := row.figures.get((protocol, metric)))
                and figure.values
            ),
            default=None,
        )
        for protocol in protocols
    }
    for row in rows:
        cells = [row.name]
        for protocol in protocols:
            figure = row.figures.get((protocol, metric), Figure({}))
            text = figure.text()
            top = text and figure.mean == best[protocol]
            cells.append(f'**{text}**' if top else text)
        lines.append(cells)
    return markdown_table([metric, *protocols], lines)
