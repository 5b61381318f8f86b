"""NCCL with one rank: that it works here, and what DDP itself costs."""

import tempfile
from collections.abc import Iterator

import torch
import torch.distributed as dist

from ...costs import interleaved
from ..training_step import Distributed, trainer
from .networks import LATERALS, network
from .precision import PRECISIONS, TF32, fastest_kernels
from .rows import row
from .settings import Settings


def one_rank(settings: Settings) -> Iterator[dict]:
    """An all-reduce, and a training step under DDP against one without."""
    device = settings.device
    backend = 'nccl' if device.type == 'cuda' else 'gloo'
    with tempfile.TemporaryDirectory() as folder:
        dist.init_process_group(
            backend,
            init_method=f'file://{folder}/ranks',
            rank=0,
            world_size=1,
        )
        try:
            yield from _figures(settings, device, backend)
        finally:
            dist.destroy_process_group()


def _figures(settings, device, backend) -> Iterator[dict]:
    tensor = torch.ones(settings.copy_mib * 2**15, device=device)
    seconds = interleaved(
        {'': lambda: dist.all_reduce(tensor)}, settings.repeats, device
    )['']
    if not tensor.eq(1).all():
        raise ValueError(f'{backend} with one rank changes what it reduces')
    yield row(
        f'{backend}, all_reduce',
        ms=1000 * seconds,
        mib=tensor.numel() / 2**18,
    )
    num_frames = settings.lengths[0]
    how = PRECISIONS[TF32]
    plain = network(LATERALS, device, trainable=True)
    wrapped = Distributed(network(LATERALS, device, trainable=True))
    with fastest_kernels():
        seconds = interleaved(
            {
                name: how.around(
                    trainer(model, num_frames, settings.size, device), device
                )
                for name, model in (('plain', plain), ('ddp', wrapped))
            },
            settings.steps,
            device,
        )
    yield row(
        f'{LATERALS}, T={num_frames}, {TF32}, DDP on {backend}',
        settings.size,
        ms=1000 * seconds['ddp'],
        rate=num_frames / seconds['ddp'],
        ratio=seconds['ddp'] / seconds['plain'],
    )
