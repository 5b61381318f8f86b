"""The time of a streamed frame, batch 1: the net alone, synchronised."""

from collections.abc import Iterator

import torch

from ...costs import interleaved, streamer
from .networks import FRAMEWISE, NETWORKS, network
from .precision import (
    FLOAT16,
    FLOAT16_LAST,
    FLOAT32,
    PRECISIONS,
    TF32,
    fastest_kernels,
)
from .rows import row
from .settings import Settings

MEASURED = (FLOAT32, TF32, FLOAT16, FLOAT16_LAST)


def latency_small(settings: Settings) -> Iterator[dict]:
    """At the size that is trained on."""
    yield from _latency(settings, settings.sizes[0])


def latency_large(settings: Settings) -> Iterator[dict]:
    """At the size of Cityscapes' frames."""
    yield from _latency(settings, settings.sizes[1])


def _latency(settings: Settings, size: tuple[int, int]) -> Iterator[dict]:
    """All nets in turn, so that their ratios hold."""
    device = settings.device
    models = {name: network(name, device) for name in NETWORKS}
    # The one that changes the weights' layout comes last.
    for precision in MEASURED:
        how = PRECISIONS[precision]
        frame = torch.randn(1, 3, *size, device=device)
        functions = {
            name: how.around(streamer(how.prepare(model), frame), device)
            for name, model in models.items()
        }
        with fastest_kernels():
            seconds = interleaved(
                functions, settings.repeats, device, warmup=settings.warmup
            )
        for name, value in seconds.items():
            yield row(
                f'{name}, {precision}',
                size,
                ms=1000 * value,
                rate=1 / value,
                ratio=value / seconds[FRAMEWISE],
            )
