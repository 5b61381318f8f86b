"""What recurrence costs: a recurrent config against its framewise twin.

    python tools/benchmark.py configs/rnn_unet_cityscapes.py \
        --baseline configs/unet_cityscapes.py --size 512 1024

Medians of interleaved repeats in one run, so that the ratios hold even where
the clock of the machine does not. Weights are random: costs only.
"""

import argparse
import json
import multiprocessing
import resource
import time
from pathlib import Path

import torch
from mmengine import Config
from mmengine.fileio import dump
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import DATASETS
from mmseg.structures import SegDataSample

import mmseg_video  # noqa: F401, registers
from mmseg_video.costs import build, interleaved, num_parameters, streamer
from mmseg_video.engine.arguments import set_data_root
from mmseg_video.engine.launch import cli


def trainer(model, num_frames, size, device, steps=1):
    """A function that trains ``steps`` steps, each on one labelled sample."""
    shape = (1, num_frames, 3, *size) if num_frames else (1, 3, *size)
    inputs = torch.randn(shape, device=device)
    classes = model.decode_head.num_classes
    label = torch.randint(classes, (1, *size), device=device)
    samples = [
        SegDataSample(
            gt_sem_seg=PixelData(data=label), metainfo=dict(img_shape=size)
        )
    ]
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)

    def train():
        for _ in range(steps):
            losses = model.loss(inputs, samples)
            sum(v for k, v in losses.items() if 'loss' in k).backward()
            optimizer.step()
            optimizer.zero_grad()

    return train


def peak_memory(path, num_frames, size, device):
    """MiB that two training steps add at their peak."""
    if torch.device(device).type == 'cuda':
        return _peak_on_gpu(path, num_frames, size, device)
    return _peak_on_cpu(path, num_frames, size, device)


def _peak_on_gpu(path, num_frames, size, device):
    model = build(path, device, trainable=True)
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    trainer(model, num_frames, size, device, steps=2)()
    return (torch.cuda.max_memory_allocated(device) - before) / 2**20


def _peak_on_cpu(path, num_frames, size, device):
    """In a process of its own: a process remembers its highest peak."""

    def child(pipe):
        torch.set_num_threads(2)
        model = build(path, device, trainable=True)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        trainer(model, num_frames, size, device, steps=2)()
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        pipe.send((after - before) / 1024)

    receiver, sender = multiprocessing.Pipe(False)
    process = multiprocessing.get_context('fork').Process(
        target=child, args=(sender,)
    )
    process.start()
    sender.close()
    try:
        return receiver.recv()
    finally:
        process.join()


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
    parser.add_argument('--baseline', required=True, help='its framewise twin')
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
    paths = dict(framewise=args.baseline, recurrent=args.config)

    # First, while this process has started no threads that a fork would lose.
    memory = {
        name: peak_memory(
            path, frames if name == 'recurrent' else 0, size, device
        )
        for name, path in paths.items()
    }
    device = torch.device(device)
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
        f'peak memory of a step, T={frames} / 1 (MiB)': memory,
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
