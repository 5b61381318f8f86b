"""The stages, most worth first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .compiled import compiled, cuda_graphs
from .distributed import one_rank
from .facts import facts
from .latency import latency_large, latency_small
from .loader import loader
from .onnx_runtime import onnx_runtime
from .parity import parity
from .settings import Settings
from .stream import every, flows, stream
from .training import training_long, training_short


@dataclass(frozen=True)
class Stage:
    """A part of the day.

    Args:
        name (str): In the JSON, and on the command line.
        title (str): In the page.
        about (str): What its figures are.
        run (Callable): Yields rows, each when it is known.
        seconds (float): That it takes on a fast GPU, about: one that would
            not fit is not begun.
        limit (float): Seconds after which it is stopped.
    """

    name: str
    title: str
    about: str
    run: Callable[[Settings], Iterator[dict]]
    seconds: float
    limit: float = 60.0


STAGES = (
    Stage(
        'facts',
        'The machine',
        'Ceilings are medians, on random numbers.',
        facts,
        5,
    ),
    Stage(
        'parity',
        'Parity with the CPU',
        "Logits of a stream's third frame against those of the CPU in "
        'float32: norm of the difference over norm of the reference. Weights '
        'are random, so scores lie close together and more pixels change '
        "their class than a trained net's would.",
        parity,
        20,
        90,
    ),
    Stage(
        'latency_small',
        'Time of a streamed frame',
        'Batch 1, the net alone (a flow-compensated one with its warp), '
        'synchronised, medians in turn. Ratio: against framewise in the same '
        'precision.',
        latency_small,
        20,
    ),
    Stage(
        'training_short',
        'Training step, short clips',
        'Batch 1. Framewise: as many steps on stills; ratio against it in '
        'the same precision. MiB: what a step adds at its peak. float16 '
        'without the loss scale, whose time is small.',
        training_short,
        20,
    ),
    Stage(
        'stream',
        'Frames a second of the whole way',
        'VideoSegInferencer.predict: a uint8 frame in, its label map out, '
        'upload and download included; DIS flow in its own thread. TF32: '
        "PyTorch's default, in convolutions alone. Ratio: against framewise "
        'in the same precision.',
        stream,
        40,
        75,
    ),
    Stage(
        'latency_large',
        'Time of a streamed frame, whole Cityscapes frames',
        'As above.',
        latency_large,
        20,
    ),
    Stage(
        'training_long',
        'Training step, long clips',
        'As above.',
        training_long,
        30,
    ),
    Stage(
        'cuda_graphs',
        'CUDA graphs',
        "Ratio: against the same net in eager mode; error: against the CPU's "
        'float32.',
        cuda_graphs,
        15,
    ),
    Stage(
        'loader',
        'The loader',
        "The training pipelines on drawn scenes; ms: a sample's share.",
        loader,
        25,
    ),
    Stage(
        'flows',
        'Optical flow',
        'RAFT has random weights: its time alone counts. Ratio: against the '
        'framewise stream.',
        flows,
        20,
    ),
    Stage(
        'every',
        'Full and propagated frames',
        'The net on every k-th frame. Ratio: against every frame.',
        every,
        10,
    ),
    Stage(
        'one_rank',
        'NCCL, one rank',
        'Ratio: against the step without DDP.',
        one_rank,
        15,
    ),
    Stage(
        'onnx_runtime',
        'ONNX Runtime',
        'Ratio: against the eager net with its labels downloaded.',
        onnx_runtime,
        5,
    ),
    Stage(
        'compiled',
        'torch.compile',
        "Ratio: against the same net in eager mode; error: against the CPU's "
        'float32.',
        compiled,
        60,
        120,
    ),
)
