"""Real training with what is left of the time: the quick start on CamVid."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ....io.shipped import TOOLS
from .rows import row
from .settings import Settings
from .stages import Stage

ENDING = 15  # seconds that it is given to stop in


def camvid_stage(data_root: str, out: Path, until: float) -> Stage:
    """The stage, which writes into ``out``/camvid until a time of the clock.

    Args:
        data_root (str): CamVid's folder.
        out (Path): Of the day.
        until (float): Seconds since the epoch.

    Raises:
        FileNotFoundError: If there is no such folder.
    """
    if not Path(data_root).is_dir():
        raise FileNotFoundError(
            f"no folder '{data_root}': --train-camvid takes the one that "
            'holds CamVid, see Data in the README'
        )
    command = [
        *(sys.executable, str(TOOLS / 'quickstart.py'), '--dataset', 'camvid'),
        *('--data-root', data_root, '--out', str(out / 'camvid')),
    ]
    return Stage(
        'camvid',
        'Training on CamVid',
        'The quick start, as far as it came: the same command goes on.',
        partial(train_camvid, command=command, until=until),
        seconds=30,
        limit=float('inf'),
    )


def train_camvid(
    settings: Settings, command: list[str], until: float
) -> Iterator[dict]:
    """Run a command that goes on where it stopped, as long as time is left.

    Raises:
        TimeoutError: If it did not come to its end.
        RuntimeError: If it failed.
    """
    start = time.time()
    process = subprocess.Popen(command)
    try:
        code = process.wait(max(0, until - time.time() - ENDING))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(ENDING - 5)
        except subprocess.TimeoutExpired:
            process.kill()
        raise TimeoutError(
            'the time is up; its checkpoints are kept, and the same command '
            'goes on from them'
        ) from None
    if code:
        raise RuntimeError(f'it ended with exit status {code}')
    yield row(
        'quick start on CamVid',
        ms=1000 * (time.time() - start),
        note='done: camvid/table.md',
    )
