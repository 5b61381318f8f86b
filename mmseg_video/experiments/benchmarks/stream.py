"""What a long stream costs, with a trained model."""

import resource
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from statistics import median

import numpy as np
import torch
from tqdm import tqdm

from ...apis import VideoSegInferencer, open_frames, prefetch
from ...datasets.street_scenes import NUM_FRAMES, StreetScene
from ...deployment.graph_io import next_name
from ...io.atomic import write_text
from ...io.writers import VideoWriter
from ..costs import interleaved
from ..output import to_json

ENDS = 100  # frames at each end of the stream


def benchmark_stream(
    config: str,
    checkpoint: str | None,
    size: tuple[int, int],
    num_frames: int,
    onnx: str | None = None,
    out: str | None = None,
) -> None:
    """Print the time of each part of a stream alone, and of all at once.

    The arguments are those of ``tools/benchmark_stream.py``.
    """
    inferencer = VideoSegInferencer(config, checkpoint)
    with tempfile.TemporaryDirectory() as folder:
        video = str(Path(folder) / 'video.mp4')
        frames = _make_video(video, size, num_frames)
        alone = _one_by_one(
            inferencer, video, Path(folder) / 'alone.mp4', ENDS
        )
        seconds, wall, memory = _run_through(
            inferencer, video, Path(folder) / 'out.mp4', num_frames
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
    if onnx:
        both = _against_onnx(inferencer, onnx, frames)
        figures['PyTorch, ms a frame'] = 1000 * both['pytorch']
        figures['ONNX Runtime, ms a frame'] = 1000 * both['onnx']
        figures['ONNX Runtime / PyTorch'] = both['onnx'] / both['pytorch']
    text = f'{size[0]}x{size[1]}'
    print(f'{text}, {torch.get_num_threads()} threads')
    for name, value in figures.items():
        print(f'{name:40} {value:10.2f}')
    if out:
        report = dict(size=text, torch=torch.__version__, **figures)
        write_text(out, to_json(report))
        print(f'written to {out}')


def _make_video(path: str, size: tuple[int, int], num_frames: int):
    """A video of street scenes, forwards and backwards."""
    scene = StreetScene(0, 'val', 0, *size)
    frames = [scene.frame(t)[0] for t in range(NUM_FRAMES)]
    with VideoWriter(path, 17) as writer:
        for frame in islice(cycle(frames + frames[::-1]), num_frames):
            writer.write(frame)
    return frames


def _one_by_one(inferencer, video, out, num_frames):
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


def _run_through(inferencer, video, out, num_frames):
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


def _against_onnx(inferencer, path, frames):
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
    wanted = ['labels', *map(next_name, names)]
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
