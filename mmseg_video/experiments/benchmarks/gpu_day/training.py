"""What a training step costs: a clip of T frames against T stills."""

from collections.abc import Iterator

import torch

from ...costs import interleaved
from ..training_step import trainer
from .networks import FLOW, FRAMEWISE, GATED, LATERALS, network
from .precision import FLOAT16, PRECISIONS, TF32, fastest_kernels
from .rows import row
from .settings import Settings

# Name of the case -> the network, and what of train_cfg it changes.
CASES = {
    FRAMEWISE: (FRAMEWISE, {}),
    LATERALS: (LATERALS, {}),
    f'{LATERALS}, ref_grad=False': (LATERALS, dict(ref_grad=False)),
    GATED: (GATED, {}),
    f"{GATED}, ref_grad='states'": (GATED, dict(ref_grad='states')),
    f'{GATED}, checkpoint_frames=1': (GATED, dict(checkpoint_frames=1)),
    FLOW: (FLOW, {}),
}


def training_short(settings: Settings) -> Iterator[dict]:
    """Of T = 5."""
    yield from _training(settings, settings.lengths[0])


def training_long(settings: Settings) -> Iterator[dict]:
    """Of T = 12."""
    yield from _training(settings, settings.lengths[1])


def _training(settings: Settings, num_frames: int) -> Iterator[dict]:
    for precision in (TF32, FLOAT16):
        stills = None
        for case, (name, train_cfg) in CASES.items():
            cost = step_cost(name, num_frames, settings, precision, train_cfg)
            title = f'{case}, T={num_frames}, {precision}'
            if cost is None:
                yield row(title, settings.size, note='does not fit')
                continue
            seconds, mebibytes = cost
            stills = stills or seconds
            yield row(
                title,
                settings.size,
                ms=1000 * seconds,
                rate=num_frames / seconds,
                ratio=seconds / stills,
                mib=mebibytes,
            )


def step_cost(
    name: str,
    num_frames: int,
    settings: Settings,
    precision: str,
    train_cfg: dict,
) -> tuple[float, float | None] | None:
    """Median seconds and MiB that a step adds at its peak, None on a CPU;
    None for both where the memory does not suffice.

    A framewise net trains on as many stills, one after the other.
    """
    device = settings.device
    how = PRECISIONS[precision]
    try:
        model = network(name, device, trainable=True, train_cfg=train_cfg)
        clip = 0 if name == FRAMEWISE else num_frames
        steps = num_frames if name == FRAMEWISE else 1
        step = how.around(trainer(model, clip, settings.size, device), device)

        def train():
            for _ in range(steps):
                step()

        with fastest_kernels():
            train()  # allocates, and chooses kernels with room to work in
            before = _memory(device)
            seconds = interleaved(
                {'': train}, settings.steps, device, warmup=1
            )['']
            peak = _memory(device, peak=True)
    except torch.OutOfMemoryError:
        return None
    finally:
        if device.type == 'cuda':
            model = step = train = None
            torch.cuda.empty_cache()
    return seconds, None if peak is None else peak - before


def _memory(device: torch.device, peak: bool = False) -> float | None:
    """MiB that tensors hold now, from when on the peak counts; or at it."""
    if device.type != 'cuda':
        return None
    if peak:
        return torch.cuda.max_memory_allocated(device) / 2**20
    torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.memory_allocated(device) / 2**20
