"""A whole video through an exported model."""

import os
import time
from collections import deque
from collections.abc import Sequence
from contextlib import closing, nullcontext

import cv2
import numpy as np

from ..flow.full_frames import FullFrames
from ..flow.usable_frames import UsableFrames
from ..io.frames import open_frames
from ..io.progress import frame_bar
from ..io.writers import LabelWriter, check_output, open_writer
from .runner import StreamRunner


def segment_video(
    source: str | os.PathLike,
    model: str | os.PathLike,
    out: str | os.PathLike,
    size: Sequence[int] | None = None,
    opacity: float = 0.55,
    min_contrast: float = UsableFrames.min_contrast,
    labels: str | os.PathLike | None = None,
    max_frames: int | None = None,
    quiet: bool = False,
    **full_frames,
) -> str:
    """Write a video under its label maps; returns a line on its speed.

    Args:
        source (path): What :func:`open_frames` opens.
        model (path): An exported model.
        out (path): What :func:`open_writer` writes.
        size (Sequence[int] | None): Height and width of the frames. Defaults
            to None, their own.
        opacity (float): Of the labels' colours. Defaults to 0.55.
        min_contrast (float): On flat and dark frames the net does not run,
            see :class:`UsableFrames`. Defaults to 10.
        labels (path | None): A folder of label maps (:class:`LabelWriter`).
            Defaults to None, none are written.
        max_frames (int | None): Stop after so many. Defaults to None, all are
            run.
        quiet (bool): Whether there is no progress bar. Defaults to False.
        full_frames: On which frames it runs, see :class:`FullFrames`.
            Defaults to all.

    Raises:
        OSError: If the source cannot be opened or the video not be written.
        ValueError: If the model cannot be opened, or ``out`` has no known
            suffix or is the source.
    """
    check_output(out, source)
    open_writer(out, 1)
    if labels is not None:
        check_output(labels, source)
        LabelWriter(labels, (), ())
    usable = UsableFrames(min_contrast)
    runner = StreamRunner(model, None, FullFrames(**full_frames), usable)
    colours = np.zeros((256, 3), np.uint8)
    colours[: len(runner.palette)] = runner.palette[:, ::-1]
    maps = nullcontext()
    if labels is not None:
        maps = LabelWriter(labels, runner.classes, runner.palette)
    video = open_frames(source).reduced(max_frames, size and tuple(size))
    times, start, count = deque(), time.perf_counter(), 0

    def frames():
        for frame, shown_at in video.timed:
            times.append(shown_at)
            yield frame

    with (
        open_writer(out, video.fps or 10) as writer,
        maps as label_writer,
        closing(runner.predict(frames())) as pairs,
        frame_bar(pairs, video.length, quiet) as bar,
    ):
        for frame, label in bar:
            picture = cv2.addWeighted(
                frame, 1 - opacity, colours[label], opacity, 0
            )
            writer.write(picture, times.popleft())
            if label_writer is not None:
                label_writer.write(label, *video.names[count : count + 1])
            count += 1
    rate = count / (time.perf_counter() - start)
    return f'{out}: {count} frames, {rate:.1f} frames/s end to end'
