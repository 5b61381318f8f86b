"""A video beside its predictions, as a video to look at."""

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import numpy as np
from tqdm import tqdm

from ..io.frame_source import FrameSource
from ..io.frames import open_frames
from ..io.prefetch import prefetch
from ..io.writers import check_output, open_writer
from ..visualization import side_by_side
from .video_seg_inferencer import VideoSegInferencer


def draw_video(
    source: str | os.PathLike | int,
    out: str,
    config: str,
    checkpoint: str | None,
    baseline: tuple[str, str] | None = None,
    device: str | None = None,
    amp: bool = False,
    broken: str = 'error',
    max_frames: int | None = None,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
    panel_width: int = 480,
    opacity: float = 0.55,
) -> str:
    """Draw every frame beside the predictions; returns the frame rates of the
    stages, in words.

    Decoding, models and drawing work at the same time. Ctrl-C ends the video,
    and so does a frame that cannot be read or has another size: what was
    drawn until then is written.

    Args:
        source (str | Path | int): See :func:`open_frames`.
        out (str): .gif, .mp4, .webm or a folder, see :func:`open_writer`.
        config (str): Path of the model's config, or its name in the zoo.
        checkpoint (str | None): Path of its checkpoint; None for the
            published one.
        baseline (tuple[str, str] | None): Config and checkpoint of a second
            model. Defaults to None.
        device (str | None): Defaults to None, a GPU where there is one.
        amp (bool): Mixed precision. Defaults to False.
        broken (str): See :func:`open_frames`. Defaults to 'error'.
        max_frames (int | None): Stop after so many. Defaults to None.
        size (tuple[int, int] | None): Height and width that the models are
            given. Defaults to None, the source's.
        fps (float | None): Frames a second. Defaults to None: each frame at
            the source's time, or 10 a second where it has none.
        panel_width (int): Of a drawn panel, in pixels. Defaults to 480.
        opacity (float): Of the label maps. Defaults to 0.55.

    Raises:
        FileNotFoundError: If nothing is there.
        OSError: If a frame cannot be read.
        ValueError: If the output is the input, a number is out of range, or
            the frames change their size.
    """
    check_output(out, source)
    if not 0 <= opacity <= 1:
        raise ValueError(f'--opacity lies between 0 and 1, got {opacity}')
    if fps is not None and not 0 < fps <= 1000:
        raise ValueError(f'--fps lies between 0 and 1000, got {fps}')
    frames = open_frames(source, broken).reduced(max_frames, size)
    writer = open_writer(out, fps or frames.fps or 10)
    recurrent = VideoSegInferencer(config, checkpoint, device, amp)
    models = {'prediction': recurrent}
    if baseline:
        framewise = VideoSegInferencer(*baseline, device, amp)
        models = {'framewise': framewise, 'recurrent': recurrent}
    clock = _Clock()
    failure = None
    # Left in the other order: each stage ends before the one that feeds it.
    with (
        writer,
        closing(prefetch(_decode(frames, clock))) as decoded,
        closing(prefetch(_predict(decoded, models, clock))) as predictions,
        tqdm(predictions, total=frames.length, unit='frame') as bar,
    ):
        try:
            for frame, shown_at, labels in bar:
                with clock('draw and write'):
                    picture = side_by_side(
                        *(frame, labels, recurrent.classes),
                        *(recurrent.palette, panel_width, opacity),
                    )
                    writer.write(picture, None if fps else shown_at)
        except KeyboardInterrupt:
            pass
        except (OSError, ValueError) as error:
            if not writer.count:
                raise
            failure = error
    if failure is not None:
        raise type(failure)(
            f"{failure}. The {writer.count} frames before are in '{out}'"
        ) from failure
    return f'{clock.report(writer.count)}\n{out}: {writer.fps:.1f} frames/s'


class _Clock:
    """Adds up the seconds of stages that work at the same time."""

    def __init__(self):
        self.seconds, self.start = {}, time.perf_counter()

    @contextmanager
    def __call__(self, part: str):
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            self.seconds[part] = self.seconds.get(part, 0.0) + spent

    def report(self, frames: int) -> str:
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


def _decode(source: FrameSource, clock: _Clock) -> Iterator[tuple]:
    """The frames that the models are given, and their times."""
    while True:
        with clock('decode'):
            frame = next(source.timed, None)
        if frame is None:
            return
        yield frame


def _predict(
    frames: Iterator[tuple[np.ndarray, float | None]],
    models: dict[str, VideoSegInferencer],
    clock: _Clock,
) -> Iterator[tuple]:
    """Each frame, its time, and the label maps of the models."""
    for frame, shown_at in frames:
        with clock('model'):
            labels = {
                name: model.predict_frame(frame).label
                for name, model in models.items()
            }
        yield frame, shown_at, labels
