"""The process that runs stages: killed, and another started, if one hangs."""

import multiprocessing
import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

import torch

from ...costs import device_name
from .settings import Settings
from .stages import Stage

START = 180  # seconds that a process may take to import all

DONE, FAILED, STOPPED, SKIPPED = 'done', 'failed', 'timed out', 'skipped'


@dataclass
class Outcome:
    """What came of a stage.

    Args:
        status (str): 'done', 'failed', 'timed out' or 'skipped'.
        rows (list[dict]): Those that were known when it ended.
        seconds (float): That it took.
        why (str | None): In a sentence, unless it is done.
    """

    status: str
    rows: list[dict] = field(default_factory=list)
    seconds: float = 0.0
    why: str | None = None


class Worker:
    """Runs stages in a process of its own, and kills it where one hangs.

    Args:
        settings (Settings): What every stage is given.
        log (Path): Gets all that the process prints.
        start (str): How processes start. Defaults to 'spawn': a GPU that was
            used cannot be forked.
    """

    def __init__(self, settings: Settings, log: Path, start: str = 'spawn'):
        self._settings, self._log = settings, log
        self._context = multiprocessing.get_context(start)
        self._process = None

    def begin(self) -> str:
        """Start the process; returns what it computes on.

        Raises:
            RuntimeError: If it does not start.
        """
        self._pipe, end = self._context.Pipe()
        self._process = self._context.Process(
            target=_work, args=(end, self._settings, str(self._log))
        )
        self._process.start()
        end.close()
        try:
            if self._pipe.poll(START):
                return self._pipe.recv()
        except EOFError:
            pass
        self.stop()
        raise RuntimeError(
            f'the process that measures does not start, see {self._log}'
        )

    def do(self, stage: Stage, limit: float) -> Outcome:
        """What comes of a stage within ``limit`` seconds."""
        if self._process is None:
            self.begin()
        outcome = Outcome(DONE)
        begin = time.monotonic()
        try:
            self._pipe.send(stage)
            self._follow(outcome, begin + limit)
        except (EOFError, ConnectionError):
            self._process.join(5)
            outcome.status = FAILED
            outcome.why = f'its process died ({self._process.exitcode})'
            self.stop()
        outcome.seconds = time.monotonic() - begin
        return outcome

    def _follow(self, outcome: Outcome, deadline: float) -> None:
        while True:
            if not self._pipe.poll(max(0, deadline - time.monotonic())):
                outcome.status = STOPPED
                outcome.why = 'it took too long'
                self.stop()
                return
            kind, content, healthy = self._pipe.recv()
            if kind == 'row':
                outcome.rows.append(content)
                continue
            if content is not None:
                outcome.status, outcome.why = FAILED, content
            if not healthy:
                self.stop()
            return

    def stop(self, hangs: bool = True) -> None:
        """End the process, and those that it started.

        Args:
            hangs (bool): Whether it is not asked to first. Defaults to True.
        """
        if self._process is None:
            return
        if not hangs:
            self._pipe.send(None)
            self._process.join(5)
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            self._process.kill()  # it has no group yet, or has ended
        self._process.join()
        self._pipe.close()
        self._process = None


def _work(pipe, settings: Settings, log: str) -> None:
    os.setpgid(0, 0)
    # Open as long as the process is: all output goes there.
    sys.stdout = sys.stderr = open(log, 'a', buffering=1)  # noqa: SIM115
    for output in (1, 2):  # that of libraries and other processes too
        os.dup2(sys.stdout.fileno(), output)
    pipe.send(device_name(settings.device))
    while True:
        try:
            stage = pipe.recv()
        except EOFError:
            return
        if stage is None:
            return
        print(f'--- {stage.name}')
        why = None
        try:
            for row in stage.run(settings):
                print(row)
                pipe.send(('row', row, True))
        except Exception as error:
            traceback.print_exc()
            text = str(error).strip().split('\n')[0]
            why = f'{type(error).__name__}: {text}'
        pipe.send(('end', why, _clean_up(settings)))


def _clean_up(settings: Settings) -> bool:
    """Whether the device still works."""
    if settings.device.type != 'cuda':
        return True
    try:
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.ones(1, device='cuda').item()
    except RuntimeError:
        traceback.print_exc()
        return False
    return True
