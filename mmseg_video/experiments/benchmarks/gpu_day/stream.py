"""Frames a second of the whole way: frame in, label map out."""

import inspect
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from ....flow.estimators import RAFTFlow
from ....flow.previous import FlowToPrevious
from ...costs import interleaved
from .networks import FLOW, FRAMEWISE, NETWORKS, config_path, network
from .precision import FLOAT16, TF32, fastest_kernels
from .rows import row
from .settings import Settings

DRAWN = 6  # frames, which a stream shows forwards and backwards


def stream(settings: Settings) -> Iterator[dict]:
    """Of each net at each size; DIS flow is estimated by its own thread."""
    inferencers = {name: _inferencer(name) for name in NETWORKS}
    for size in settings.sizes:
        pictures = _pictures(size)
        for amp in (False, True):
            framewise = None
            for name, inferencer in inferencers.items():
                inferencer.stepper.amp = amp
                seconds = _seconds(inferencer, pictures, settings.frames)
                framewise = framewise or seconds
                yield row(
                    f'{name}, {FLOAT16 if amp else TF32}',
                    size,
                    ms=1000 * seconds,
                    rate=1 / seconds,
                    ratio=seconds / framewise,
                )


def every(settings: Settings) -> Iterator[dict]:
    """With the net on every k-th frame, if this version has it."""
    from ....apis.video_seg_inferencer import VideoSegInferencer

    if 'every' not in inspect.signature(VideoSegInferencer).parameters:
        yield row('every', note='this version has no such option')
        return
    pictures = _pictures(settings.size)
    all_frames = None
    for k in (1, 3, 5):
        inferencer = _inferencer(FLOW, every=k)
        seconds = _seconds(inferencer, pictures, settings.frames)
        all_frames = all_frames or seconds
        yield row(
            f'{FLOW}, every={k}',
            settings.size,
            ms=1000 * seconds,
            rate=1 / seconds,
            ratio=seconds / all_frames,
        )


def flows(settings: Settings) -> Iterator[dict]:
    """RAFT on the device and DIS on the CPU, alone and beside the net."""
    device = settings.device
    inferencer = _inferencer(FLOW)
    with tempfile.TemporaryDirectory() as folder:
        raft = _random_raft(settings, Path(folder) / 'raft.pth')
    estimators = {
        'DIS': inferencer.flow,
        f'RAFT {settings.raft}': FlowToPrevious(raft),
    }
    for size in settings.sizes:
        before, after = _pictures(size)[:2]
        for name, flow in estimators.items():

            def alone(flow=flow, pair=(after, before)):
                flow(*map(flow.reduce, pair))

            seconds = interleaved(
                {'': alone}, max(1, settings.repeats // 3), device
            )['']
            h, w = flow.reduce(after).shape[:2]
            yield row(
                f'{name} alone',
                size,
                ms=1000 * seconds,
                rate=1 / seconds,
                note=f'estimated at {h}x{w}',
            )
    framewise = _inferencer(FRAMEWISE)
    pictures = _pictures(settings.size)
    base = _seconds(framewise, pictures, settings.frames)
    for name, flow in estimators.items():
        inferencer.flow = flow
        seconds = _seconds(inferencer, pictures, settings.frames)
        yield row(
            f'{FLOW}, {name} beside the net',
            settings.size,
            ms=1000 * seconds,
            rate=1 / seconds,
            ratio=seconds / base,
        )


def _inferencer(name: str, **kwargs):
    """The project's own, from a checkpoint of random weights."""
    from ....apis.video_seg_inferencer import VideoSegInferencer

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / 'random.pth')
        torch.save(dict(state_dict=network(name, 'cpu').state_dict()), path)
        return VideoSegInferencer(config_path(name), path, **kwargs)


def _random_raft(settings: Settings, path: Path) -> RAFTFlow:
    """RAFT with random weights: its time is that of any others."""
    from torchvision.models import optical_flow

    model = getattr(optical_flow, f'raft_{settings.raft}')(weights=None)
    torch.save(model.state_dict(), path)
    return RAFTFlow(str(path), settings.raft, str(settings.device))


def _pictures(size: tuple[int, int]) -> list[np.ndarray]:
    """Street scenes (H, W, 3) uint8 BGR, forwards and backwards."""
    from ....datasets.street_scenes import StreetScene

    scene = StreetScene(0, 'val', 0, *size)
    drawn = [scene.frame(t)[0] for t in range(DRAWN)]
    return drawn + drawn[-2:0:-1]


def _seconds(inferencer, pictures: list[np.ndarray], frames: int) -> float:
    """Of a frame, in a stream that runs as fast as it can.

    The first frames, which choose kernels and fill the queue, do not count.
    """
    warmup = min(10, frames // 2)
    source = islice(_again_and_again(pictures), frames + warmup)
    with fastest_kernels():
        for index, _ in enumerate(inferencer.predict(source), 1):
            if index == warmup:
                start = time.perf_counter()
    return (time.perf_counter() - start) / frames


def _again_and_again(pictures: list[np.ndarray]) -> Iterator[np.ndarray]:
    while True:
        yield from pictures
