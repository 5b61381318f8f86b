"""The stages in the time that is given."""

import time
from collections.abc import Sequence
from pathlib import Path

from ....io.locks import FolderLock
from ...perform import duration
from .report import Report
from .settings import Settings
from .stages import Stage
from .worker import DONE, FAILED, SKIPPED, Outcome, Worker


def run_gpu_day(
    out: Path,
    minutes: float,
    settings: Settings,
    stages: Sequence[Stage],
    start: str = 'spawn',
) -> None:
    """Do the stages that fit; what is known is written after each.

    A stage that would not fit into what is left is skipped, one that fails or
    hangs is recorded, and the next one goes on. Run again, what was done on
    this machine with these settings is kept.

    Args:
        out (Path): The folder for ``gpu_day.json``, ``table.md``, ``gpu.md``
            and ``gpu_day.log``.
        minutes (float): The time in all.
        settings (Settings): How large all is.
        stages (Sequence[Stage]): Most worth first.
        start (str): See :class:`Worker`. Defaults to 'spawn'.

    Raises:
        ValueError: If the folder holds figures of another machine, or another
            process is at work in it.
        RuntimeError: If a stage failed.
    """
    end = time.monotonic() + 60 * minutes
    with FolderLock(out):
        worker = Worker(settings, out / 'gpu_day.log', start)
        try:
            report = Report(out, settings, worker.begin())
            for stage in stages:
                _one(stage, end, worker, report)
            worker.stop(hangs=False)
        finally:
            worker.stop()
    failed = [stage.name for stage in stages if report.failed(stage)]
    print(f'written to {out}: gpu_day.json, table.md, gpu.md, gpu_day.log')
    if failed:
        raise RuntimeError(
            f'{len(failed)} of {len(stages)} stages failed '
            f'({", ".join(failed)}): see {out}/gpu_day.log; the same command '
            'does them again, and only them'
        )


def _one(stage: Stage, end: float, worker: Worker, report: Report) -> None:
    if report.is_done(stage):
        print(f'{stage.name}: done before', flush=True)
        return
    left = end - time.monotonic()
    if left < stage.seconds:
        outcome = Outcome(
            SKIPPED,
            why=f'it takes about {duration(stage.seconds)}, and '
            f'{duration(max(0, left))} were left',
        )
    else:
        try:
            outcome = worker.do(stage, min(stage.limit, left))
        except RuntimeError as error:
            outcome = Outcome(FAILED, why=str(error))
    report.add(stage, outcome)
    text = outcome.status
    if outcome.status != DONE:
        text += f': {outcome.why}'
    print(f'{stage.name}: {text} ({outcome.seconds:.1f} s)', flush=True)
