"""Jobs of several processes."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.commands import ROOT


def run_job(
    script: Path, *arguments, folder: Path, processes: int = 2
) -> list[tuple[int, str]]:
    """Exit status and output of each process of a job that runs a script, as
    torchrun starts one on this machine.

    When one fails, the others are ended.

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
    codes, running = {}, {}
    try:
        for rank, path in enumerate(outputs):
            own = dict(job, RANK=str(rank), LOCAL_RANK=str(rank))
            running[rank] = _start(argv, own, path)
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
