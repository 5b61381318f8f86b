"""CUDA graphs and ``torch.compile``: parity, and the time of a frame."""

import copy
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ....engine.speed import speed_up
from ...costs import interleaved
from .networks import LATERALS, NETWORKS, network
from .parity import (
    constant_flow,
    difference,
    last_logits,
    random_frames,
    stepper,
)
from .precision import FLOAT16, PRECISIONS, TF32, Precision, fastest_kernels
from .rows import row
from .settings import Settings


def cuda_graphs(settings: Settings) -> Iterator[dict]:
    """One graph of a step, which moves its states on in place."""
    for name in NETWORKS:
        for precision in (TF32, FLOAT16):
            yield from _compare(
                f'{name}, {precision}, CUDA graph',
                name,
                PRECISIONS[precision],
                settings,
                graph_stepper,
            )


def compiled(settings: Settings) -> Iterator[dict]:
    """Backbone, necks and decoder, each compiled for itself."""

    def make(model, precision, frame):
        speed_up(model, compile=True, backend=settings.compiler)
        return stepper(model, precision)

    for precision in (FLOAT16, TF32):
        yield from _compare(
            f'{LATERALS}, {precision}, torch.compile',
            LATERALS,
            PRECISIONS[precision],
            settings,
            make,
        )


def _compare(
    title: str,
    name: str,
    precision: Precision,
    settings: Settings,
    make: Callable,
) -> Iterator[dict]:
    """Against the same net and precision in eager mode; the error against
    the CPU's float32."""
    device = settings.device
    frames = random_frames(settings.size)
    frame = frames[0].to(device)
    model = network(name, 'cpu')
    reference = last_logits(stepper(model), frames)
    model.to(device)
    eager = stepper(model, precision)
    with fastest_kernels():
        fast = make(copy.deepcopy(model), precision, frame)
        figures = difference(last_logits(fast, frames), reference)
        seconds = interleaved(
            dict(eager=lambda: eager(frame), fast=lambda: fast(frame)),
            settings.repeats,
            device,
            warmup=settings.warmup,
        )
    yield row(
        title,
        settings.size,
        ms=1000 * seconds['fast'],
        rate=1 / seconds['fast'],
        ratio=seconds['fast'] / seconds['eager'],
        **figures,
    )


def graph_stepper(
    model: torch.nn.Module, precision: Precision, frame: Tensor
) -> Callable[[Tensor], Tensor]:
    """Like :func:`stepper`, by replays of one CUDA graph.

    A sequence starts from states of zeros, which are equivalent to None. On
    a CPU, which has no such graphs, the same function is called.
    """
    given = frame.clone()
    recurrent = hasattr(model, 'step')
    flow = constant_flow(model, frame)
    states = {}

    @torch.no_grad()
    def step() -> Tensor:
        with precision(frame.device):
            if not recurrent:
                return model.encode_decode(given, [_meta(frame)])
            logits, after = model.step(given, states, flow)
            for place, parts in after.items():
                for kept, part in zip(states[place], parts, strict=True):
                    kept.copy_(part)
        return logits

    if recurrent:
        with torch.no_grad(), precision(frame.device):
            _, first = model.step(given, None, flow)
        states.update(
            {
                place: tuple(torch.zeros_like(part) for part in parts)
                for place, parts in first.items()
            }
        )
    replay = _captured(step, frame.device)
    for parts in states.values():
        for part in parts:
            part.zero_()

    def next_frame(frame: Tensor) -> Tensor:
        given.copy_(frame)
        return replay()

    return next_frame


def _meta(frame: Tensor) -> dict:
    return dict(img_shape=frame.shape[2:])


def _captured(
    function: Callable[[], Tensor], device: torch.device
) -> Callable[[], Tensor]:
    if device.type != 'cuda':
        return function
    # As PyTorch's notes on CUDA graphs have it: first on a side stream.
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            function()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = function()

    def replay() -> Tensor:
        graph.replay()
        return result

    return replay
