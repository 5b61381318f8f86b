"""A plan carried out: checked, alone in its folder, with what is left told."""

import functools
import signal
import sys
from collections.abc import Callable, Iterable

from tqdm import tqdm

from .costs import build
from .execute import execute
from .launch import Launcher
from .plan import Plan, time_left
from .resolve import missing_files
from .stages import Stage


def perform(
    plan: Plan, stages: Iterable[Stage], launcher: Launcher
) -> dict[str, str]:
    """Do stages and what they lack to begin; titles that failed, and why.

    Args:
        plan (Plan): What they belong to.
        stages (Iterable[Stage]): Those that are done are left.
        launcher (Launcher): Runs them.

    Raises:
        FileNotFoundError: If data or weights of an entry are not there.
        ValueError: If an entry does not build, or there are too few GPUs.
    """
    to_do = plan.to_do(stages)
    if to_do:
        launcher.check()
    _check(to_do)
    left = list(to_do)

    def ended(stage: Stage, why: str | None) -> None:
        left.remove(stage)
        if why:
            tqdm.write(f'FAILED: {stage.title}: {why}')
            return
        line = f'{stage.title}: {duration(stage.report["seconds"])}'
        if left:
            line += f'; {len(left)} left'
        seconds = time_left(plan, left)
        if seconds:
            line += f', about {duration(seconds / launcher.jobs)}'
        tqdm.write(line)

    failed = execute(to_do, launcher, launcher.jobs, ended, launcher.stop)
    return {stage.title: why for stage, why in failed.items()}


def report_failures(failed: dict[str, str]) -> None:
    """Print what failed and why.

    Raises:
        RuntimeError: If anything did.
    """
    for title, why in failed.items():
        print(f'\nFAILED: {title}: {why}')
    if failed:
        raise RuntimeError(
            f'{len(failed)} failed, see above; the same command does them '
            'again, and only them'
        )


def resumable(main: Callable) -> Callable:
    """Make an interruption of a tool's ``main`` end in one sentence."""

    def interrupt(*_):
        raise KeyboardInterrupt

    @functools.wraps(main)
    def wrapped(*args, **kwargs):
        before = signal.signal(signal.SIGTERM, interrupt)
        try:
            return main(*args, **kwargs)
        except KeyboardInterrupt:
            sentence = 'stopped; the same command goes on from here'
            print(f'\n{sentence}', file=sys.stderr)
            sys.exit(130)
        finally:
            signal.signal(signal.SIGTERM, before)

    return wrapped


def duration(seconds: float) -> str:
    """'2 h 10 min', '12 min' or '40 s'."""
    if seconds < 60:
        return f'{seconds:.0f} s'
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    return f'{hours} h {rest} min' if hours else f'{minutes} min'


def _check(stages: Iterable[Stage]) -> None:
    """Refuse what cannot be run before anything is."""
    runs = {stage.run.entry.name: stage.run for stage in stages}
    for name, run in runs.items():
        for path in missing_files(run.cfg, not run.entry.checkpoint_of):
            raise FileNotFoundError(
                f"entry '{name}': there is no '{path}': see the dataset "
                'preparation and pretraining pages of the documentation, or '
                'name your data with --data-root'
            )
        try:
            build(run.cfg, 'cpu')
        except Exception as error:
            raise ValueError(
                f"entry '{name}' does not build: {error}"
            ) from error
