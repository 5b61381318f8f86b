"""What an ablation has to say: of its state, and of its results."""

from pathlib import Path

from ..engine.checkpoints import find_last_checkpoint
from ..io.atomic import write_text
from .costs import Costs
from .plan import Plan
from .plot import draw_costs, draw_flicker, draw_matrix
from .stages import Stage
from .table import (
    as_csv,
    as_markdown,
    collect,
    matrix,
    matrix_as_markdown,
)


def describe(
    plan: Plan,
    names: list[str],
    to_do: list[Stage],
    seeds: list[int] | None = None,
) -> str:
    """A line for each run: done, or what there is to do.

    Args:
        plan (Plan): The ablation.
        names (list[str]): The entries to tell of.
        to_do (list[Stage]): What will be done.
        seeds (list[int] | None): The seeds to tell of. Defaults to None, all.
    """
    lines = []
    width = max(map(len, names))
    for run, own in plan.runs.items():
        if run.entry.name not in names or (seeds and run.seed not in seeds):
            continue
        stages = [_name(stage) for stage in own if stage in to_do]
        whose = run.start.entry.name if run.start else run.entry.start
        verb = 'of' if run.entry.checkpoint_of else 'from'
        start = f' {verb} {whose}' if whose else ''
        lines.append(
            f'  {run.entry.name:{width}}  seed {run.seed}{start}: '
            + (', '.join(stages) or 'done')
        )
    trainings = sum(stage.is_training for stage in to_do)
    total = len(plan.of(names, seeds))
    lines.append(
        f'{trainings} trainings and {len(to_do) - trainings} tests to do; '
        f'{max(0, total - len(to_do))} of {total} stages are done'
    )
    return '\n'.join(lines)


def describe_weights(
    plan: Plan, names: list[str], seeds: list[int] | None = None
) -> str:
    """A line for each run whose weights are not there yet: which, and where
    they come from; empty where all are.

    Args:
        plan, names, seeds: As of :func:`describe`.
    """
    lines, files = [], {}
    for run in plan.runs:
        name, start = run.entry.name, run.start
        if name not in names or (seeds and run.seed not in seeds):
            continue
        if run.missing:
            files.setdefault(run.missing, []).append(run.title)
        elif start and not (start.checkpoint and start.checkpoint.is_file()):
            lines.append(f'  {run.title}: {start.title} makes them')
    for path, titles in files.items():
        lines += [
            f"  {title}: '{path}', which nothing in this spec makes: bring it"
            for title in titles
        ]
    head = ['weights that are not there yet:'] if lines else []
    return ''.join(f'{line}\n' for line in (*head, *lines))


def write_report(plan: Plan, folder: Path, costs: Costs) -> list[Path]:
    """The tables and pictures of what is there; returns their paths.

    Always table.md and table.csv; cost.png where a cost was measured,
    flicker.png where flicker was, and matrix.md and matrix.png where a metric
    has several protocols.
    """
    rows = collect(plan, costs)
    if not rows:
        return []
    paths = [folder / 'table.md', folder / 'table.csv']
    write_text(paths[0], as_markdown(rows))
    write_text(paths[1], as_csv(rows))
    for name, draw in (
        ('cost.png', draw_costs),
        ('flicker.png', draw_flicker),
    ):
        picture = folder / name
        if draw(rows, picture):
            paths.append(picture)
        else:
            picture.unlink(missing_ok=True)  # of another state
    over = matrix(rows)
    if over:
        paths += [folder / 'matrix.md', folder / 'matrix.png']
        write_text(paths[-2], matrix_as_markdown(rows, *over))
        draw_matrix(rows, *over, paths[-1])
    return paths


def _name(stage: Stage) -> str:
    last = None
    if stage.is_training:
        last = find_last_checkpoint(stage.work_dir)
    goes_on = f' (goes on from {Path(last).stem})' if last else ''
    return f'{stage.label}{goes_on}'
