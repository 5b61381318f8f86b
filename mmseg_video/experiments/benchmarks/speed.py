"""What memory layout, compilation and mixed precision gain a stream."""

from copy import deepcopy
from itertools import cycle

import numpy as np
import torch
from tqdm import tqdm

from ...apis import VideoSegInferencer
from ...datasets.street_scenes import StreetScene
from ...engine.speed import speed_up
from ...io.atomic import write_text
from ..costs import interleaved
from ..output import markdown_table, to_json

WAYS = {
    'plain': dict(),
    'channels-last': dict(channels_last=True),
    'compiled': dict(compile=True),
    'channels-last, compiled': dict(channels_last=True, compile=True),
}


def benchmark_speed(
    config: str,
    checkpoint: str | None,
    size: tuple[int, int],
    num_frames: int,
    repeats: int,
    out: str | None = None,
) -> None:
    """Print the time of a streamed frame in each way to compute it.

    The arguments are those of ``tools/benchmark_speed.py``.
    """
    scene = StreetScene(0, 'val', 0, *size)
    frames = [scene.frame(t)[0] for t in range(num_frames)]
    models = _ways(config, checkpoint)
    # Runs every frame once, and so compiles what is to be compiled.
    changed = _differences(models, frames)
    stream = cycle(frames)

    def one_more(model):
        return lambda: model.predict_frame(next(stream))

    seconds = interleaved(
        {name: one_more(model) for name, model in models.items()},
        repeats,
        next(models['plain'].model.parameters()).device,
    )
    rows = {
        name: dict(
            milliseconds=1000 * value,
            ratio=value / seconds['plain'],
            changed_pixels=changed[name],
        )
        for name, value in seconds.items()
    }
    text = f'{size[0]}x{size[1]}'
    threads, version = torch.get_num_threads(), torch.__version__
    print(f'{text}, {threads} threads, torch {version}')
    head = ['', 'ms a frame', 'ratio', 'pixels of another class, %']
    table = [[name, *row.values()] for name, row in rows.items()]
    print(markdown_table(head, table), end='')
    if out:
        report = dict(size=text, config=config, torch=version)
        write_text(out, to_json(dict(report, threads=threads, ways=rows)))
        print(f'written to {out}')


def _ways(
    config: str, checkpoint: str | None
) -> dict[str, VideoSegInferencer]:
    """The model in every way, each compiled for itself."""
    plain = VideoSegInferencer(config, checkpoint)
    models = {}
    for amp in (False, True):
        for name, settings in WAYS.items():
            model = deepcopy(plain)
            model.stepper.amp = amp
            speed_up(model.model, **settings)
            models[f'{name}, amp' if amp else name] = model
    return models


def _differences(
    models: dict[str, VideoSegInferencer], frames: list[np.ndarray]
) -> dict[str, float]:
    """Pixels of another class than in the plain way, %."""
    changed = dict.fromkeys(models, 0.0)
    for frame in tqdm(frames, unit='frame'):
        labels = {k: m.predict_frame(frame).label for k, m in models.items()}
        for name, label in labels.items():
            changed[name] += 100 * np.mean(label != labels['plain'])
    return {name: value / len(frames) for name, value in changed.items()}
