"""How a stage becomes a process: on this machine, by torchrun, by SLURM."""

import os
import shutil
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from .follow import follow
from .stages import Stage


class Launcher:
    """Runs ``tools/train.py`` or ``tools/test.py`` for a stage.

    Args:
        tools (Path): The folder of the tools.
        launcher (str): One of 'none' (a process on a GPU, or on the CPU),
            'pytorch' (torchrun) and 'slurm'. Defaults to 'none'.
        jobs (int): How many run at once. Defaults to 1.
        gpus (int): Processes of one run, each with a GPU where there are
            some. Defaults to 1.
        devices (Sequence[str]): The GPUs of this machine, dealt to the runs.
            Defaults to none: the cores are shared instead.
        partition (str | None): Of SLURM. Defaults to None.

    Raises:
        ValueError: If a launcher lacks what it needs.
    """

    def __init__(
        self,
        tools: Path,
        launcher: str = 'none',
        jobs: int = 1,
        gpus: int = 1,
        devices: Sequence[str] = (),
        partition: str | None = None,
    ):
        if launcher == 'slurm' and not (partition and shutil.which('srun')):
            raise ValueError(
                '--launcher slurm needs --partition and srun on the PATH'
            )
        if launcher == 'none' and gpus > 1:
            raise ValueError(
                f'{gpus} GPUs for each run need --launcher pytorch or slurm'
            )
        self.tools, self.launcher, self.jobs = tools, launcher, jobs
        self.gpus, self.devices, self.partition = gpus, devices, partition
        self._processes = set()
        self._stopping = False

    def check(self) -> None:
        """Print a line where runs share GPUs.

        Raises:
            ValueError: If a run wants more GPUs than there are.
        """
        there = len(self.devices)
        if self.launcher == 'slurm' or not there:
            return
        if self.gpus > there:
            raise ValueError(
                f'each run wants {self.gpus} GPUs, this machine has {there}: '
                f'set --gpus to {there} at most, or take --launcher slurm'
            )
        if self.jobs * self.gpus > there:
            print(
                f'{self.jobs} runs at once with {self.gpus} GPU(s) each share '
                f'{there} GPU(s): a smaller --jobs gives each its own'
            )

    def __call__(self, stage: Stage, slot: int) -> None:
        """Run a stage to its end.

        Raises:
            ToolError: If the tool fails.
        """
        if self._stopping:
            raise RuntimeError('stopped')
        follow(
            stage.title,
            self.command(stage),
            stage.log,
            {**os.environ, **self.environment(slot)},
            slot,
            self._processes,
        )

    def command(self, stage: Stage) -> list[str]:
        """Program and arguments of a stage."""
        kind = 'train' if stage.is_training else 'test'
        target = [stage.config]
        arguments = ['--work-dir', stage.work_dir]
        if stage.is_training:
            arguments.append('--resume')
        else:
            target.append(stage.run.checkpoint)
        arguments += stage.arguments
        if self.launcher == 'none':
            script = [sys.executable, self.tools / f'{kind}.py']
            call = [*script, *target, *arguments]
        elif self.launcher == 'pytorch':
            script = ['bash', self.tools / f'dist_{kind}.sh']
            call = [*script, *target, self.gpus, *arguments]
        else:
            script = ['bash', self.tools / f'slurm_{kind}.sh']
            name = f'{stage.run.entry.name}_{stage.run.seed}'
            call = [*script, self.partition, name, *target, *arguments]
        return [str(part) for part in call]

    def environment(self, slot: int) -> dict[str, str]:
        """What sets the runs at work at the same time apart."""
        # The scripts take the first Python of the PATH: this one.
        path = f'{Path(sys.executable).parent}:{os.environ.get("PATH", "")}'
        environment = dict(PYTHONWARNINGS='ignore', PATH=path)
        if self.launcher == 'slurm':
            return {**environment, 'GPUS': str(self.gpus)}
        if self.launcher == 'pytorch':
            environment['PORT'] = str(_free_port())
        if self.devices:
            first = slot * self.gpus
            chosen = [
                self.devices[i % len(self.devices)]
                for i in range(first, first + self.gpus)
            ]
            environment['CUDA_VISIBLE_DEVICES'] = ','.join(chosen)
        elif self.launcher == 'none' and 'OMP_NUM_THREADS' not in os.environ:
            threads = max(1, (os.cpu_count() or 1) // self.jobs)
            environment['OMP_NUM_THREADS'] = str(threads)
        return environment

    def stop(self) -> None:
        """End what runs, and begin nothing more."""
        self._stopping = True
        for process in list(self._processes):
            process.terminate()


def visible_devices(count: int) -> list[str]:
    """The names of this machine's ``count`` GPUs, as CUDA takes them."""
    named = os.environ.get('CUDA_VISIBLE_DEVICES')
    if named:
        return named.split(',')[:count]
    return [str(i) for i in range(count)]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]
