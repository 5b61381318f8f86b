"""Several processes that share work without training together."""

import os
import subprocess
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist

# A process may wait for the others as long as they need.
PATIENCE = timedelta(days=30)


@dataclass(frozen=True)
class Processes:
    """Which process this is, of how many.

    Args:
        rank (int): Of all, from 0. Defaults to 0.
        size (int): How many there are. Defaults to 1.
        local_rank (int): Of those on this machine. Defaults to 0.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def device(self) -> str:
        """The one that is this process's."""
        if not torch.cuda.is_available():
            return 'cpu'
        return f'cuda:{self.local_rank % torch.cuda.device_count()}'

    def from_first(self, make):
        """What ``make()`` gives in the first process, in all of them; what it
        raises there is raised in all."""
        if self.size == 1:
            return make()
        box = [None]
        if self.rank == 0:
            try:
                box = [(make(), None)]
            except Exception as error:
                box = [(None, error)]
        dist.broadcast_object_list(box)
        value, error = box[0]
        if error is not None:
            raise error
        return value

    def gathered(self, value) -> list:
        """What each process gives, in all of them; waits for the last one."""
        if self.size == 1:
            return [value]
        values = [None] * self.size
        dist.all_gather_object(values, value)
        return values


def join_processes(launcher: str) -> Processes:
    """Which process this is, with a group (gloo) that all of them are in.

    Args:
        launcher (str): 'none', 'pytorch' (torchrun) or 'slurm' (srun).

    Raises:
        ValueError: If the launcher did not start this process.
    """
    if launcher == 'none':
        return Processes()
    if launcher == 'slurm':
        _say_as_torchrun()
    try:
        rank, size = int(os.environ['RANK']), int(os.environ['WORLD_SIZE'])
    except KeyError:
        raise ValueError(
            f'--launcher {launcher}, but nothing launched this process: start '
            'it by torchrun --nproc_per_node N --no-python mmseg-video ..., '
            'or srun for slurm'
        ) from None
    local_rank = int(os.environ.get('LOCAL_RANK', 0))
    if size > 1 and not dist.is_initialized():
        dist.init_process_group('gloo', timeout=PATIENCE)
    per_machine = int(os.environ.get('LOCAL_WORLD_SIZE', size))
    if not torch.cuda.is_available():
        cores = os.cpu_count() or 1
        torch.set_num_threads(max(1, cores // per_machine))
    return Processes(rank, size, local_rank)


def set_slurm_port() -> None:
    """``MASTER_PORT`` of a job's own: two may share a machine."""
    if 'MASTER_PORT' not in os.environ:
        job = int(os.environ.get('SLURM_JOB_ID', 0))
        step = int(os.environ.get('SLURM_STEP_ID', 0))
        os.environ['MASTER_PORT'] = str(20000 + (job * 31 + step) % 30000)


def _say_as_torchrun() -> None:
    """SLURM's environment in the words of torchrun."""
    if 'SLURM_PROCID' not in os.environ:
        return
    ours = os.environ
    names = dict(
        RANK='SLURM_PROCID',
        WORLD_SIZE='SLURM_NTASKS',
        LOCAL_RANK='SLURM_LOCALID',
    )
    for name, slurms in names.items():
        ours[name] = ours[slurms]
    tasks = ours.get('SLURM_NTASKS_PER_NODE')
    if tasks:
        ours.setdefault('LOCAL_WORLD_SIZE', tasks.partition('(')[0])
    set_slurm_port()
    if 'MASTER_ADDR' not in ours:
        hosts = subprocess.run(
            ['scontrol', 'show', 'hostnames', ours['SLURM_JOB_NODELIST']],
            capture_output=True,
            text=True,
            check=True,
        )
        ours['MASTER_ADDR'] = hosts.stdout.split()[0]
