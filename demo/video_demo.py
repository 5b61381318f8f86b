"""Segment a video, frame by frame with carried states, and draw it.

python demo/video_demo.py INPUT --config CONFIG --checkpoint CHECKPOINT \
    [--baseline CONFIG CHECKPOINT] --out OUT.gif|OUT.mp4|OUT.webm|FOLDER

INPUT is a video file, a folder of frames, a quoted glob, a camera number or
an address (rtsp://...). Decoding, models and drawing work at the same time.
Ctrl-C ends a camera; what was seen until then is written.
"""

import argparse
import sys
import time
from contextlib import closing, contextmanager, suppress

import cv2
from tqdm import tqdm

from mmseg_video.apis import VideoSegInferencer, open_frames, prefetch
from mmseg_video.engine.arguments import at_least
from mmseg_video.engine.launch import cli
from mmseg_video.io.writers import open_writer
from mmseg_video.visualization import side_by_side


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('input')
    parser.add_argument('--config', required=True)
    parser.add_argument('--checkpoint', required=True)
    parser.add_argument(
        '--baseline',
        nargs=2,
        metavar=('CONFIG', 'CHECKPOINT'),
        help='a second model, drawn beside the first',
    )
    parser.add_argument(
        '--out', required=True, help='.gif, .mp4, .webm or a folder'
    )
    parser.add_argument('--device')
    parser.add_argument('--amp', action='store_true', help='mixed precision')
    parser.add_argument(
        '--broken',
        choices=['error', 'skip'],
        default='error',
        help='what to do with a frame that cannot be read',
    )
    parser.add_argument('--opacity', type=float, default=0.55)
    parser.add_argument(
        '--max-frames', type=at_least(1), help='stop after so many'
    )
    parser.add_argument(
        '--resize',
        type=at_least(32),
        nargs=2,
        metavar=('HEIGHT', 'WIDTH'),
        help='what the model is given; default: the size of the source',
    )
    parser.add_argument(
        '--panel-width',
        type=at_least(32),
        default=480,
        help='of a drawn panel in a GIF or MP4, in pixels',
    )
    parser.add_argument(
        '--fps', type=float, help="default: the source's, else 10"
    )
    return parser.parse_args()


class Clock:
    """Adds up the seconds of stages that work at the same time."""

    def __init__(self):
        self.seconds, self.start = {}, time.perf_counter()

    @contextmanager
    def __call__(self, part):
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            self.seconds[part] = self.seconds.get(part, 0.0) + spent

    def report(self, frames):
        wall = time.perf_counter() - self.start
        parts = ', '.join(
            f'{part} {frames / max(s, 1e-9):.1f}'
            for part, s in self.seconds.items()
        )
        one_by_one = frames / sum(self.seconds.values())
        return (
            f'{frames} frames; frames/s: {parts}; all {frames / wall:.1f} '
            f'(one after the other: {one_by_one:.1f})'
        )


def decode(source, args, clock):
    """The frames that the models are given."""
    frames = iter(source)
    for _ in range(args.max_frames or sys.maxsize):
        with clock('decode'):
            frame = next(frames, None)
            if frame is not None and args.resize:
                frame = cv2.resize(
                    frame, args.resize[::-1], interpolation=cv2.INTER_AREA
                )
        if frame is None:
            return
        yield frame


def predict(frames, models, clock):
    """Each frame with the label maps of the models."""
    for frame in frames:
        with clock('model'):
            labels = {
                name: model.predict_frame(frame).label
                for name, model in models.items()
            }
        yield frame, labels


@cli
def main():
    args = parse_args()
    source = open_frames(args.input, args.broken)
    writer = open_writer(args.out, args.fps or source.fps or 10)
    recurrent = VideoSegInferencer(
        args.config, args.checkpoint, args.device, args.amp
    )
    models = {'prediction': recurrent}
    if args.baseline:
        baseline = VideoSegInferencer(*args.baseline, args.device, args.amp)
        models = {'framewise': baseline, 'recurrent': recurrent}
    total = source.length
    if args.max_frames:
        total = min(total or args.max_frames, args.max_frames)
    clock = Clock()
    # Left in the other order: each stage ends before the one that feeds it.
    with (
        writer,
        closing(prefetch(decode(source, args, clock))) as frames,
        closing(prefetch(predict(frames, models, clock))) as predictions,
        tqdm(predictions, total=total, unit='frame') as bar,
        suppress(KeyboardInterrupt),
    ):
        for frame, labels in bar:
            with clock('draw and write'):
                picture = side_by_side(
                    *(frame, labels, recurrent.classes, recurrent.palette),
                    *(args.panel_width, args.opacity),
                )
                writer.write(picture)
    print(clock.report(writer.count))
    print(f'{args.out}: {writer.fps:.1f} frames/s')


if __name__ == '__main__':
    main()
