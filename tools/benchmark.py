"""What recurrence costs: a recurrent config against its framewise baseline.

    python tools/benchmark.py configs/rnn_unet_cityscapes.py \
        --baseline configs/unet_cityscapes.py --size 512 1024

Medians of interleaved repeats in one run, so that the ratios hold even where
the clock of the machine does not. Weights are random: costs only.
"""

import argparse
import json
import time
from pathlib import Path

import torch
from mmengine import Config
from mmengine.fileio import dump
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

import mmseg_video.engine.registration  # noqa: F401
from mmseg_video.engine.arguments import set_data_root
from mmseg_video.engine.launch import cli
from mmseg_video.experiments.costs import (
    build,
    interleaved,
    num_parameters,
    streamer,
    train_cost,
    trainer,
)


def data_rate(path, samples, root):
    """Samples and frames a second that one process loads for training."""
    cfg = Config.fromfile(path)
    set_data_root(cfg, root)
    init_default_scope('mmseg')
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    frames = len(dataset[0]['inputs'])
    start = time.perf_counter()
    for i in range(samples):
        dataset[i % len(dataset)]
    seconds = time.perf_counter() - start
    return samples / seconds, samples * frames / seconds


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config', help='the recurrent config')
    parser.add_argument(
        '--baseline', required=True, help='its framewise baseline'
    )
    parser.add_argument('--size', type=int, nargs=2, default=(512, 1024))
    parser.add_argument('--num-frames', type=int, default=5, help='T')
    parser.add_argument('--repeats', type=int, default=9)
    parser.add_argument(
        '--data',
        type=int,
        default=0,
        metavar='N',
        help='also load N training samples of both configs',
    )
    parser.add_argument('--data-root', help="instead of the configs'")
    parser.add_argument('--device', default=None)
    parser.add_argument('--out', help='write the figures to this JSON file')
    return parser.parse_args()


@cli
def main():
    args = parse_args()
    size, frames = tuple(args.size), args.num_frames
    device = args.device or ('cuda' if torch.cuda.is_available() else 'cpu')
    device = torch.device(device)
    paths = dict(framewise=args.baseline, recurrent=args.config)

    # First, while this process has started no threads that a fork would lose.
    memory = {
        name: train_cost(
            path, frames if name == 'recurrent' else 0, size, device, steps=1
        )
        for name, path in paths.items()
    }
    if None in memory.values():
        raise RuntimeError(
            f'a training step at {size[0]}x{size[1]} needs more memory than '
            'there is: give a smaller --size'
        )
    models = {name: build(path, device) for name, path in paths.items()}
    parameters = {
        name: num_parameters(model) for name, model in models.items()
    }
    frame = torch.randn(1, 3, *size, device=device)
    latency = interleaved(
        {name: streamer(model, frame) for name, model in models.items()},
        args.repeats,
        device,
    )
    for model in models.values():
        model.train()
    step = interleaved(
        dict(
            framewise=trainer(models['framewise'], 0, size, device, frames),
            recurrent=trainer(models['recurrent'], frames, size, device),
        ),
        max(3, args.repeats // 3),
        device,
        warmup=1,
    )
    rows = {
        'parameters (M)': {k: v / 1e6 for k, v in parameters.items()},
        'streamed frame (ms)': {k: v * 1e3 for k, v in latency.items()},
        f'T={frames} clip / {frames} framewise steps (ms)': {
            k: v * 1e3 for k, v in step.items()
        },
        f'peak memory of a step, T={frames} / 1 (MiB)': {
            k: v[1] for k, v in memory.items()
        },
    }
    if args.data:
        rates = {
            k: data_rate(path, args.data, args.data_root)
            for k, path in paths.items()
        }
        rows['training samples/s, one process'] = {
            k: v[0] for k, v in rates.items()
        }
        rows['training frames/s, one process'] = {
            k: v[1] for k, v in rates.items()
        }
    name = (
        torch.cuda.get_device_name(device)
        if device.type == 'cuda'
        else f'CPU, {torch.get_num_threads()} threads'
    )
    print(f'{size[0]}x{size[1]}, {name}, torch {torch.__version__}')
    print(f'| {"":40} | framewise | recurrent | ratio |')
    print(f'|{"-" * 42}|{"-" * 11}|{"-" * 11}|{"-" * 7}|')
    for row, values in rows.items():
        base, ours = values['framewise'], values['recurrent']
        print(f'| {row:40} | {base:9.2f} | {ours:9.2f} | {ours / base:5.2f} |')
    if args.out:
        report = dict(
            size=size,
            num_frames=frames,
            device=name,
            torch=torch.__version__,
            configs=paths,
            rows=rows,
        )
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        dump(json.loads(json.dumps(report)), args.out, indent=1)
        print(f'written to {args.out}')


if __name__ == '__main__':
    main()
