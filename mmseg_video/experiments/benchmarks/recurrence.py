"""What recurrence costs: a recurrent config against its framewise baseline."""

import time

import torch
from mmengine import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

from ...engine.launch import set_data_root
from ...io.atomic import write_text
from ..costs import build, device_name, interleaved, num_parameters, streamer
from ..output import markdown_table, to_json
from .training_step import train_cost, trainer


def benchmark_recurrence(
    config: str,
    baseline: str,
    size: tuple[int, int],
    num_frames: int,
    repeats: int,
    device: torch.device,
    num_samples: int = 0,
    data_root: str | None = None,
    out: str | None = None,
) -> None:
    """Print a table of both models, and the ratio.

    The arguments are those of ``tools/benchmark.py``.

    Raises:
        RuntimeError: If a training step needs more memory than there is.
    """
    paths = dict(framewise=baseline, recurrent=config)
    clips = dict(framewise=0, recurrent=num_frames)
    # First, while this process has started no threads that a fork would lose.
    memory = {
        name: train_cost(path, clips[name], size, device, steps=1)
        for name, path in paths.items()
    }
    if None in memory.values():
        raise RuntimeError(
            f'a training step at {size[0]}x{size[1]} needs more memory than '
            'there is: give a smaller --size'
        )
    models = {name: build(path, device) for name, path in paths.items()}
    frame = torch.randn(1, 3, *size, device=device)
    latency = interleaved(
        {name: streamer(model, frame) for name, model in models.items()},
        repeats,
        device,
    )
    # As many frames of both.
    steps = {
        name: trainer(
            *(model.train(), clips[name], size, device),
            1 if clips[name] else num_frames,
        )
        for name, model in models.items()
    }
    step = interleaved(steps, max(3, repeats // 3), device, warmup=1)
    rows = {
        'parameters (M)': {
            k: num_parameters(model) / 1e6 for k, model in models.items()
        },
        'streamed frame (ms)': {k: v * 1e3 for k, v in latency.items()},
        f'T={num_frames} clip / {num_frames} framewise steps (ms)': {
            k: v * 1e3 for k, v in step.items()
        },
        f'peak memory of a step, T={num_frames} / 1 (MiB)': {
            k: v[1] for k, v in memory.items()
        },
    }
    if num_samples:
        rates = {
            k: _data_rate(path, num_samples, data_root)
            for k, path in paths.items()
        }
        for i, what in enumerate(('samples', 'frames')):
            rows[f'training {what}/s, one process'] = {
                k: v[i] for k, v in rates.items()
            }
    name = device_name(device)
    print(f'{size[0]}x{size[1]}, {name}, torch {torch.__version__}')
    table = [
        [k, *v.values(), v['recurrent'] / v['framewise']]
        for k, v in rows.items()
    ]
    print(markdown_table(['', *paths, 'ratio'], table), end='')
    if out:
        report = dict(size=size, num_frames=num_frames, device=name)
        report |= dict(torch=torch.__version__, configs=paths, rows=rows)
        write_text(out, to_json(report))
        print(f'written to {out}')


def _data_rate(
    path: str, num_samples: int, root: str | None
) -> tuple[float, float]:
    """Samples and frames a second that one process loads for training."""
    cfg = Config.fromfile(path)
    set_data_root(cfg, root)
    init_default_scope('mmseg')
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    frames = len(dataset[0]['inputs'])
    start = time.perf_counter()
    for i in range(num_samples):
        dataset[i % len(dataset)]
    seconds = time.perf_counter() - start
    return num_samples / seconds, num_samples * frames / seconds
