"""Many configs, with several seeds, trained and tested into one table."""

from collections.abc import Sequence
from pathlib import Path

from ..io.locks import FolderLock
from .costs import Costs, chosen_device
from .launch import Launcher
from .perform import perform, report_failures
from .plan import Plan, outline
from .report import describe, describe_weights, write_report
from .spec import read_spec


def ablate(
    spec: str,
    out: Path,
    launcher: Launcher,
    only: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    data_root: str | None = None,
    cfg_options: dict | None = None,
    dry_run: bool = False,
    report: bool = False,
    no_costs: bool = False,
) -> None:
    """Do what of a spec is not done, and write its tables.

    The arguments are those of ``tools/ablate.py``.

    Raises:
        FileNotFoundError: If weights that an entry starts from, with a seed
            that is asked for, are not there.
        RuntimeError: If some of it failed: the rest is done.
    """
    path, root = spec, out
    spec = read_spec(path, data_root=data_root, overrides=cfg_options)
    out = root / spec.name
    plan = outline(spec, root, launcher.gpus)
    names = spec.with_starts(only or spec.entries)
    stages = plan.of(names, seeds)
    if not dry_run:
        plan.check_weights(stages)
    costs = Costs(root / 'costs', spec.size, chosen_device())
    failed = {}
    if not report:
        print(f'{path}, into {out}')
        print(describe(plan, names, plan.to_do(stages), seeds))
    if dry_run:
        print(describe_weights(plan, names, seeds), end='')
        return
    if not report:
        with FolderLock(root):
            for run in plan.runs:
                if not run.missing:  # its folder is not known yet
                    run.link(out)
            failed = perform(plan, stages, launcher)
            if not no_costs:
                failed |= _measure(plan, names, costs)
    paths = write_report(plan, out, costs)
    if paths:
        print(f'\n{paths[0].read_text()}')
    print('\n'.join(map(str, paths)))
    report_failures(failed)


def _measure(plan: Plan, names: Sequence[str], costs: Costs) -> dict[str, str]:
    """The cost of every entry that has a row; what failed, and why."""
    print('measuring parameters and latency ...')
    failed = {}
    for entry in plan.spec.rows:
        if entry.name in names:
            try:
                costs.measure(*plan.models(entry))
            except Exception as error:  # the others go on
                why = str(error) or type(error).__name__
                failed[entry.name] = f'its cost: {why}'
    return failed
