"""Long work as stages: each is a tool of its own, done once, with a bar."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

PROGRESS = re.compile(r'Iter\((train|val|test)\)\s*\[\s*(\d+)/(\d+)\]')
LOSS = re.compile(r'\sloss: ([\d.]+|nan|inf)')


def run(
    title: str, command: Sequence, marker: Path, show: bool = False
) -> None:
    """Run a Python tool, unless ``marker`` says that this was done.

    Its output goes to ``marker`` with the suffix .log, its progress to a bar
    that follows MMEngine's log lines.

    Args:
        title (str): What it is, for the bar.
        command (Sequence): The tool and its arguments.
        marker (Path): A file ``*.done``, written at the end with the command
            and its seconds. Another command's is not believed.
        show (bool): Whether the tool shows its progress itself. Defaults to
            False.

    Raises:
        RuntimeError: If the tool fails; what it said is printed.
    """
    command = [str(part) for part in command]
    if _was_done(command, marker):
        print(f'{title}: done before')
        return
    environment = {**os.environ, 'PYTHONWARNINGS': 'ignore'}
    start = time.time()
    if show:
        call = [sys.executable, *command]
        if subprocess.run(call, env=environment).returncode:
            raise RuntimeError(f"'{title}' failed, see above")
    else:
        try:
            call = [sys.executable, *command]
            follow(title, call, marker.with_suffix('.log'), environment)
        except ToolError as error:
            sys.stderr.writelines(error.tail)
            raise RuntimeError(
                f'{error} (above: its end); run the same command again to go '
                'on'
            ) from None
    done = dict(seconds=round(time.time() - start, 1), command=command)
    marker.write_text(json.dumps(done, indent=1) + '\n')


def _was_done(command: list[str], marker: Path) -> bool:
    try:
        return json.loads(marker.read_text())['command'] == command
    except (OSError, ValueError, KeyError, TypeError):
        return False


class ToolError(RuntimeError):
    """A tool ended with an error.

    Args:
        message (str): One sentence.
        tail (list[str]): What the tool said last: its own sentence where it
            had one, else its last lines.
    """

    def __init__(self, message: str, tail: list[str]):
        super().__init__(message)
        self.tail = tail


def follow(
    title: str,
    call: Sequence[str],
    log: Path,
    environment: dict | None = None,
    position: int | None = None,
    processes: set | None = None,
) -> None:
    """Run a tool, its output to ``log`` and its progress to a bar.

    Args:
        title (str): What it is, for the bar.
        call (Sequence[str]): The program and its arguments.
        log (Path): Is appended to.
        environment (dict | None): Of the process. Defaults to None, as here.
        position (int | None): Of the bar where several run at once; it goes
            when the tool has ended. Defaults to None: one bar, which stays.
        processes (set | None): Holds the process while it runs, so that
            another thread can end it. Defaults to None.

    Raises:
        ToolError: If the tool fails.
    """
    tail = deque(maxlen=15)
    process = subprocess.Popen(
        call,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors='replace',
    )
    processes = set() if processes is None else processes
    processes.add(process)
    with (
        open(log, 'a') as file,
        tqdm(
            desc=f'{title:28}',
            unit='it',
            dynamic_ncols=True,
            position=position,
            leave=position is None,
        ) as bar,
    ):
        print(f'$ {shlex.join(call)}', file=file, flush=True)
        try:
            for line in process.stdout:
                file.write(line)
                file.flush()
                tail.append(line)
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
        errors = [line for line in tail if line.startswith('error: ')]
        raise ToolError(
            f"'{title}' failed, its log is {log}", errors or list(tail)
        )


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
