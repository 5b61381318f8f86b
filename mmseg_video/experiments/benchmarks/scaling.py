"""How training scales over the processes of ``torchrun``: one GPU each, or
CPU cores.

Groups of 1, 2, 4 ... processes train in turn while the others wait, with and
without the gradient's all-reduce; a group is as fast as its slowest process.
"""

import os
import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist

from ...io.atomic import write_text
from ..costs import build, device_name
from ..output import markdown_table, to_json
from .training_step import Distributed, trainer


@dataclass(frozen=True)
class Group:
    """Processes 0 to n - 1 that train together.

    Args:
        size (int): n.
        group (ProcessGroup): Of torch.
    """

    size: int
    group: dist.ProcessGroup

    @property
    def has_this(self) -> bool:
        return dist.get_rank() < self.size


def benchmark_scaling(
    config: str,
    size: tuple[int, int],
    num_frames: int,
    repeats: int,
    out: str | None = None,
) -> None:
    """Measure, and print a table in process 0; writes OUT.json and OUT.md.

    Each process trains on one clip of T frames a step. The arguments are
    those of ``tools/dev/scaling.py``, whose end leaves the other processes;
    ``torchrun`` has set the environment.

    Raises:
        ValueError: If a process has no GPU of its own where there are GPUs.
    """
    device = _start()
    groups = [
        Group(n, dist.new_group(list(range(n))))
        for n in group_sizes(dist.get_world_size())
    ]
    times = _measure(groups, config, size, num_frames, repeats, device)
    if dist.get_rank() == 0:
        rows = scaling_rows(times)
        _write(config, size, num_frames, repeats, device, rows, out)


def group_sizes(processes: int) -> list[int]:
    """1, 2, 4 ... and all."""
    powers = [2**i for i in range(processes.bit_length())]
    return sorted({n for n in powers if n <= processes} | {processes})


def _start() -> torch.device:
    """Join the other processes; the device of this one."""
    if not torch.cuda.is_available():
        dist.init_process_group('gloo')
        return torch.device('cpu')
    local, gpus = int(os.environ['LOCAL_RANK']), torch.cuda.device_count()
    if local >= gpus:
        raise ValueError(
            f'{os.environ["LOCAL_WORLD_SIZE"]} processes share {gpus} GPU(s) '
            'of this machine: start as many as there are GPUs'
        )
    torch.cuda.set_device(local)
    dist.init_process_group('nccl')
    return torch.device('cuda', local)


def _measure(
    groups, config, size, num_frames, repeats, device
) -> dict[int, dict[str, float]]:
    """Size of a group -> median seconds of ``step``, of ``alone``, the step
    without the all-reduce, and of ``reduce``, the all-reduce alone."""
    works = {
        g.size: _work(g, config, size, num_frames, device) for g in groups
    }
    times = {g.size: {name: [] for name in works[g.size]} for g in groups}
    for repeat in range(repeats + 1):  # the first one warms up
        for group in groups:
            for name, work in works[group.size].items():
                seconds = _slowest(group, work, device)
                if repeat:
                    times[group.size][name].append(seconds)
    return {
        n: {name: statistics.median(s) for name, s in named.items()}
        for n, named in times.items()
    }


def _work(
    group: Group, config, size, num_frames, device
) -> dict[str, Callable | None]:
    """What is timed in a group, by name; None in processes outside."""
    if not group.has_this:
        return dict.fromkeys(('step', 'alone', 'reduce'))
    model = build(config, device, trainable=True)
    wrapped = Distributed(model, process_group=group.group)
    train = trainer(wrapped, num_frames, size, device)
    gradients = torch.zeros(
        sum(p.numel() for p in model.parameters() if p.requires_grad),
        device=device,
    )

    def alone() -> None:
        with wrapped.ddp.no_sync():
            train()

    def reduce() -> None:
        dist.all_reduce(gradients, group=group.group)

    return dict(step=train, alone=alone, reduce=reduce)


def _slowest(group: Group, work: Callable | None, device) -> float:
    """Seconds that the slowest process of a group takes; the others wait."""
    gpu = device.type == 'cuda'
    dist.barrier(device_ids=[device.index] if gpu else None)
    start = time.perf_counter()
    with torch.cuda.device(device) if gpu else nullcontext():
        if work is not None:
            work()
            if gpu:
                torch.cuda.synchronize(device)
        seconds = time.perf_counter() - start if group.has_this else 0.0
        slowest = torch.tensor(seconds, device=device, dtype=torch.float64)
        dist.all_reduce(slowest, dist.ReduceOp.MAX)
    return slowest.item()


def scaling_rows(times: dict[int, dict[str, float]]) -> list[dict]:
    """What the times of groups say.

    ``rate`` clips a second; ``efficiency`` against n times one process;
    ``overlap`` the part of the all-reduce that the backward pass hides: 1
    minus what it adds to a step, over its time alone.

    Args:
        times (dict): Size of a group -> seconds of ``step``, ``alone`` and
            ``reduce``.
    """
    one = 1 / times[1]['step']
    rows = []
    for n, seconds in times.items():
        added = max(0.0, seconds['step'] - seconds['alone'])
        overlap = max(0.0, 1 - added / seconds['reduce']) if n > 1 else None
        rate = n / seconds['step']
        rows.append(
            dict(
                processes=n,
                rate=rate,
                efficiency=rate / (n * one),
                without_reduce=n / seconds['alone'] / (n * one),
                overlap=overlap,
                seconds=seconds,
            )
        )
    return rows


def _write(config, size, num_frames, repeats, device, rows, out) -> None:
    nodes = dist.get_world_size() // int(os.environ['LOCAL_WORLD_SIZE'])
    title = (
        f'{Path(config).stem}, one clip of T={num_frames} at '
        f'{size[0]}x{size[1]} a process, {dist.get_backend()}, '
        f'{device_name(device)} a process, {nodes} node(s), torch '
        f'{torch.__version__}; medians of {repeats} rounds in turn'
    )
    table = markdown_table(
        [
            *('processes', 'clips/s', 'efficiency', '... without all-reduce'),
            *('all-reduce (ms)', 'part of it that overlaps'),
        ],
        [
            [
                *(row['processes'], row['rate'], row['efficiency']),
                row['without_reduce'],
                1000 * row['seconds']['reduce'],
                row['overlap'],
            ]
            for row in rows
        ],
    )
    print(f'{title}\n\n{table}', end='')
    if out:
        report = dict(config=config, size=size, num_frames=num_frames)
        report |= dict(title=title, repeats=repeats, rows=rows)
        write_text(f'{out}.json', to_json(report))
        write_text(f'{out}.md', f'{title}\n\n{table}')
        print(f'written to {out}.json, {out}.md')
