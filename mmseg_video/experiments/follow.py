"""A tool as a process: its log, its progress, and why it failed."""

import ctypes
import re
import shlex
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

PROGRESS = re.compile(r'Iter\((train|val|test)\)\s*\[\s*(\d+)/(\d+)\]')
LIBC = ctypes.CDLL(None) if sys.platform == 'linux' else None
PR_SET_PDEATHSIG = 1
ERROR = 'error: '  # begins a tool's sentence
# That of torchrun's processes (launch_processes.py) gives no reason.
ENDED = re.compile(rf'{ERROR}process(es)? \d')
LOSS = re.compile(r'\sloss: ([\d.]+|nan|inf)')


class ToolError(RuntimeError):
    """A tool ended with an error.

    Args:
        message (str): One sentence.
        tail (list[str]): Its own sentences (``error: ...``), the first three
            of several processes and how these ended; its last lines where it
            had none.
    """

    def __init__(self, message: str, tail: list[str]):
        super().__init__(message)
        self.tail = tail


def follow(
    title: str,
    call: Sequence[str],
    log: Path,
    environment: dict,
    position: int,
    processes: set,
) -> None:
    """Run a tool, its output to ``log`` and its progress to a bar.

    Args:
        title (str): What it is, for the bar.
        call (Sequence[str]): The program and its arguments.
        log (Path): Is appended to.
        environment (dict): Of the process.
        position (int): Of the bar where several run at once; it goes when
            the tool has ended.
        processes (set): Holds the process while it runs, so that another
            thread can end it.

    Raises:
        OSError: If the log cannot be written; the tool does not run then.
        ToolError: If the tool fails.
    """
    errors, tail = {}, deque(maxlen=15)
    with (
        open(log, 'a') as file,
        tqdm(
            desc=f'{title:28}',
            unit='it',
            dynamic_ncols=True,
            position=position,
            leave=False,
        ) as bar,
    ):
        print(f'$ {shlex.join(call)}', file=file, flush=True)
        process = subprocess.Popen(
            call,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors='replace',
            preexec_fn=_end_with_parent,
        )
        processes.add(process)
        try:
            for line in process.stdout:
                file.write(line)
                file.flush()
                tail.append(line)
                if line.startswith(ERROR):
                    errors[line] = bool(ENDED.match(line))
                _move(bar, line)
        except BaseException:
            process.terminate()
            raise
        finally:
            process.wait()
            processes.discard(process)
        if not process.returncode:
            bar.n = bar.total or bar.n
    if process.returncode:
        # torchrun has a line for each process that it ends: of many, those
        # that say why have left the tail.
        reasons = [line for line, ended in errors.items() if not ended]
        if reasons:
            tail = reasons[:3] + [e for e, ended in errors.items() if ended]
        raise ToolError(f"'{title}' failed, its log is {log}", list(tail))


def _end_with_parent() -> None:
    """Else it would go on beside the one that is started after a kill."""
    if LIBC:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _move(bar: tqdm, line: str) -> None:
    """Move the bar to where a tool's log line says it is."""
    match = PROGRESS.search(line)
    if match is None:
        return
    mode, at, total = match[1], int(match[2]), int(match[3])
    if mode == 'train' or bar.total is None:
        bar.total = total
    if mode == 'train' or bar.n <= at <= bar.total:
        bar.n = at
    loss = LOSS.search(line)
    bar.set_postfix_str(f'loss {loss[1]}' if loss else mode)
