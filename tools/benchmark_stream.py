"""What a long stream costs, with a trained model.

    python tools/benchmark_stream.py configs/rnn_unet_street.py CHECKPOINT \
        --size 128 256 --frames 2000 [--onnx MODEL.onnx]

Makes a video of street scenes. Runs some of it through each part alone
(decoding, model, drawing and writing), then all of it through all parts at
the same time: frames/s against the model alone; time and memory of the last
100 frames against the first; ONNX Runtime against PyTorch.
"""

import argparse
import resource
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from statistics import median

import numpy as np
import torch
from mmengine.fileio import dump
from tqdm import tqdm

from mmseg_video.apis import VideoSegInferencer, open_frames, prefetch
from mmseg_video.datasets.street_scenes import NUM_FRAMES, StreetScene
from mmseg_video.engine.arguments import at_least
from mmseg_video.engine.launch import cli
from mmseg_video.experiments.costs import interleaved
from mmseg_video.io.writers import VideoWriter

ENDS = 100  # frames at each end of the stream


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config')
    parser.add_argument('checkpoint')
    parser.add_argument(
        '--size',
        type=at_least(64),
        nargs=2,
        default=(128, 256),
        metavar=('HEIGHT', 'WIDTH'),
    )
    parser.add_argument('--frames', type=at_least(2 * ENDS), default=2000)
    parser.add_argument('--onnx', help='the same model, exported')
    parser.add_argument('--out', help='write the figures to this JSON file')
    return parser.parse_args()


def make_video(path, size, num_frames):
    """A video of street scenes, forwards and backwards."""
    scene = StreetScene(0, 'val', 0, *size)
    frames = [scene.frame(t)[0] for t in range(NUM_FRAMES)]
    with VideoWriter(path, 17) as writer:
        for frame in islice(cycle(frames + frames[::-1]), num_frames):
            writer.write(frame)
    return frames


def one_by_one(inferencer, video, out, num_frames):
    """Median seconds a frame of each part, with nothing beside it."""
    seconds = {'decoding': [], 'model': [], 'drawing and writing': []}
    frames = iter(open_frames(video))

    def timed(part, function, *args):
        start = time.perf_counter()
        result = function(*args)
        seconds[part].append(time.perf_counter() - start)
        return result

    def draw_and_write(prediction):
        writer.write(prediction.overlay())

    with VideoWriter(out, 17) as writer:
        for _ in tqdm(range(num_frames), unit='frame'):
            frame = timed('decoding', next, frames)
            predicted = timed(
                'model', inferencer.predict_frame, frame, 'alone'
            )
            timed('drawing and writing', draw_and_write, predicted)
    return {part: median(values) for part, values in seconds.items()}


def run_through(inferencer, video, out, num_frames):
    """Seconds of the model for each frame, of everything, and memory."""
    seconds, memory = [], []

    def predict(frames):
        for frame in frames:
            start = time.perf_counter()
            prediction = inferencer.predict_frame(frame, 'video')
            seconds.append(time.perf_counter() - start)
            yield prediction

    start = time.perf_counter()
    predictions = prefetch(predict(prefetch(open_frames(video))))
    with VideoWriter(out, 17) as writer:
        for prediction in tqdm(predictions, total=num_frames, unit='frame'):
            writer.write(prediction.overlay())
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            memory.append(peak / 1024)
    return seconds, time.perf_counter() - start, memory


def against_onnx(inferencer, path, frames):
    """Median seconds of a streamed frame of both."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    # Waiting threads that spin would slow the other down.
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    session = onnxruntime.InferenceSession(
        path, options, providers=onnxruntime.get_available_providers()
    )
    names = [i.name for i in session.get_inputs() if i.name != 'frame']
    wanted = ['labels', *(f'next_{name}' for name in names)]
    states = [np.zeros((1, 1, 1, 1), np.float32)] * len(names)
    stream = cycle(frames)

    def exported():
        nonlocal states
        inputs = dict(zip(names, states, strict=True))
        _, *states = session.run(
            wanted, {'frame': next(stream)[None], **inputs}
        )

    def eager():
        inferencer.predict_frame(next(stream), 'against onnx')

    return interleaved(
        dict(pytorch=eager, onnx=exported), 50, torch.device('cpu'), 5
    )


@cli
def main():
    args = parse_args()
    inferencer = VideoSegInferencer(args.config, args.checkpoint)
    with tempfile.TemporaryDirectory() as folder:
        video = str(Path(folder) / 'video.mp4')
        frames = make_video(video, tuple(args.size), args.frames)
        alone = one_by_one(inferencer, video, Path(folder) / 'alone.mp4', ENDS)
        seconds, wall, memory = run_through(
            inferencer, video, Path(folder) / 'out.mp4', args.frames
        )
    first, last = median(seconds[:ENDS]), median(seconds[-ENDS:])
    together = len(seconds) / wall
    figures = {
        **{f'{part} alone, ms': 1000 * t for part, t in alone.items()},
        'frames': len(seconds),
        'model alone, frames/s': 1 / alone['model'],
        'one after the other, frames/s': 1 / sum(alone.values()),
        'at the same time, frames/s': together,
        'at the same time / model alone': together * alone['model'],
        'at the same time / one after the other': together
        * sum(alone.values()),
        f'first {ENDS}, ms a frame': 1000 * first,
        f'last {ENDS}, ms a frame': 1000 * last,
        'last / first': last / first,
        f'peak memory after {ENDS} frames, MiB': memory[ENDS - 1],
        'peak memory at the end, MiB': memory[-1],
    }
    if args.onnx:
        both = against_onnx(inferencer, args.onnx, frames)
        figures['PyTorch, ms a frame'] = 1000 * both['pytorch']
        figures['ONNX Runtime, ms a frame'] = 1000 * both['onnx']
        figures['ONNX Runtime / PyTorch'] = both['onnx'] / both['pytorch']
    size = f'{args.size[0]}x{args.size[1]}'
    print(f'{size}, {torch.get_num_threads()} threads')
    for name, value in figures.items():
        print(f'{name:40} {value:10.2f}')
    if args.out:
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        dump(dict(size=size, torch=torch.__version__, **figures), args.out)
        print(f'written to {args.out}')


if __name__ == '__main__':
    main()
