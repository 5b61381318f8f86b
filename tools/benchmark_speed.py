"""What memory layout, compilation and mixed precision gain a stream.

    python tools/benchmark_speed.py CONFIG --checkpoint CHECKPOINT \
        --size 512 1024

Runs a stream of street scenes through the model in each way, in turn: the
median time of a frame, its ratio to the plain way, and how many pixels get
another class than in the plain way.
"""

import argparse
from copy import deepcopy
from itertools import cycle

import numpy as np
import torch
from mmengine.fileio import dump
from tqdm import tqdm

from mmseg_video.apis import VideoSegInferencer
from mmseg_video.datasets.street_scenes import NUM_FRAMES, StreetScene
from mmseg_video.engine.arguments import at_least
from mmseg_video.engine.launch import cli
from mmseg_video.engine.speed import speed_up
from mmseg_video.experiments.costs import interleaved

WAYS = {
    'plain': dict(),
    'channels-last': dict(channels_last=True),
    'compiled': dict(compile=True),
    'channels-last, compiled': dict(channels_last=True, compile=True),
}


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config')
    parser.add_argument('--checkpoint', required=True)
    parser.add_argument(
        '--size',
        type=at_least(64),
        nargs=2,
        default=(512, 1024),
        metavar=('HEIGHT', 'WIDTH'),
    )
    parser.add_argument(
        '--frames', type=at_least(2), default=NUM_FRAMES, help='of the stream'
    )
    parser.add_argument('--repeats', type=at_least(3), default=15)
    parser.add_argument('--out', help='write the figures to this JSON file')
    return parser.parse_args()


def ways(args) -> dict[str, VideoSegInferencer]:
    """The model in every way, each compiled for itself."""
    plain = VideoSegInferencer(args.config, args.checkpoint)
    models = {}
    for amp in (False, True):
        for name, settings in WAYS.items():
            model = deepcopy(plain)
            model.amp = amp
            speed_up(model.model, **settings)
            models[f'{name}, amp' if amp else name] = model
    return models


def differences(models, frames) -> dict[str, float]:
    """Pixels of another class than in the plain way, %."""
    changed = dict.fromkeys(models, 0.0)
    for frame in tqdm(frames, unit='frame'):
        labels = {k: m.predict_frame(frame).label for k, m in models.items()}
        for name, label in labels.items():
            changed[name] += 100 * np.mean(label != labels['plain'])
    return {name: value / len(frames) for name, value in changed.items()}


@cli
def main():
    args = parse_args()
    scene = StreetScene(0, 'val', 0, *args.size)
    frames = [scene.frame(t)[0] for t in range(args.frames)]
    models = ways(args)
    # Runs every frame once, and so compiles what is to be compiled.
    changed = differences(models, frames)
    stream = cycle(frames)

    def one_more(model):
        return lambda: model.predict_frame(next(stream))

    seconds = interleaved(
        {name: one_more(model) for name, model in models.items()},
        args.repeats,
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
    size = f'{args.size[0]}x{args.size[1]}'
    print(f'{size}, {torch.get_num_threads()} threads, {torch.__version__}')
    print(f'{"":30} {"ms":>8} {"ratio":>6} {"other pixels, %":>16}')
    for name, row in rows.items():
        print(
            f'{name:30} {row["milliseconds"]:8.1f} {row["ratio"]:6.2f} '
            f'{row["changed_pixels"]:16.4f}'
        )
    if args.out:
        dump(
            dict(
                size=size,
                config=args.config,
                torch=torch.__version__,
                threads=torch.get_num_threads(),
                ways=rows,
            ),
            args.out,
            indent=1,
        )
        print(f'written to {args.out}')


if __name__ == '__main__':
    main()
