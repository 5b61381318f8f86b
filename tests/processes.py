"""Jobs of several processes, without the seconds that each takes to start."""

import os
import runpy
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import cv2
import torch

from tests.commands import ROOT, forget_instances


def run_job(
    script: Path, *arguments, folder: Path, processes: int = 2
) -> list[tuple[int, str]]:
    """Exit status and output of each process of a job that runs a script, as
    torchrun starts one on this machine.

    The processes are forks of this one, which has imported all that takes
    seconds. When one fails, the others are ended.

    Args:
        script (Path): What each runs as its ``__main__``.
        arguments: Of the script.
        folder (Path): Of the outputs.
        processes (int): Defaults to 2.
    """
    argv = [str(part) for part in (script, *arguments)]
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    job = dict(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    for name in ('WORLD_SIZE', 'LOCAL_WORLD_SIZE'):
        job[name] = str(processes)
    outputs = [folder / f'output{rank}.txt' for rank in range(processes)]
    # CUDA survives no fork.
    start = _start if torch.cuda.is_available() else _fork
    codes, running = {}, {}
    try:
        for rank, path in enumerate(outputs):
            own = dict(job, RANK=str(rank), LOCAL_RANK=str(rank))
            running[rank] = start(argv, own, path)
        deadline = time.monotonic() + 300
        while running and time.monotonic() < deadline:
            for rank, poll in list(running.items()):
                codes[rank] = poll(False)
                if codes[rank] is not None:
                    del running[rank]
            if any(codes.values()):
                break
            time.sleep(0.02)
        # Those that are about to say why have some time.
        time.sleep(0.5 if running else 0)
    finally:
        for rank, poll in running.items():
            codes[rank] = poll(True)
    return [
        (codes[rank], path.read_text()) for rank, path in enumerate(outputs)
    ]


def _start(argv: list[str], environment: dict, output: Path) -> Callable:
    path = f'{ROOT}{os.pathsep}{os.environ.get("PYTHONPATH", "")}'
    with open(output, 'w') as file:
        process = subprocess.Popen(
            [sys.executable, *argv],
            env={**os.environ, **environment, 'PYTHONPATH': path},
            stdout=file,
            stderr=file,
        )

    def poll(end: bool) -> int | None:
        if end:
            process.kill()
            process.wait()
        return process.poll()

    return poll


def _fork(argv: list[str], environment: dict, output: Path) -> Callable:
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if not pid:
        code = 1
        with open(output, 'w', buffering=1) as file:
            for number in (1, 2):
                os.dup2(file.fileno(), number)
            sys.stdout = sys.stderr = file
            try:
                code = _run(argv, environment)
            except BaseException:
                traceback.print_exc()
            finally:
                file.flush()
                os._exit(code)

    def poll(end: bool) -> int | None:
        if end:
            os.kill(pid, signal.SIGKILL)
        done, status = os.waitpid(pid, 0 if end else os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if done else None

    return poll


def _run(argv: list[str], environment: dict) -> int:
    """In a fork: the script, to its end; returns its exit status."""
    os.environ.update(environment)
    # The threads of the process that was forked are not here.
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    torch.set_num_threads = lambda number: None
    forget_instances()
    sys.argv = argv
    try:
        runpy.run_path(argv[0], run_name='__main__')
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code)
            return 1
        return end.code or 0
    return 0
