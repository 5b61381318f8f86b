"""One video, frame by frame, into the outputs that are asked for."""

import os
from contextlib import ExitStack, closing
from dataclasses import dataclass

from ...engine.launch import EXPECTED
from ...io.frame_source import IMAGES_PER_SECOND, FrameSource
from ...io.frames import open_frames
from ...io.progress import frame_bar
from ..video_seg_inferencer import VideoSegInferencer
from .outputs import Drawing, StopRun, Targets
from .results import Clock, Way, frame_results


@dataclass(frozen=True)
class Excerpt:
    """Which frames of a source are run.

    Args:
        start, end (float | None): In seconds, see
            :meth:`FrameSource.reduced`.
        stride (int): Every so many. Defaults to 1.
        max_frames (int | None): At most so many. Defaults to None, all.
        size (tuple[int, int] | None): Height and width that the models are
            given. Defaults to None, the source's.
        fps (float | None): Frames a second. Defaults to None: each frame at
            the source's time, or 10 a second where it has none.
        broken (str): See :func:`open_frames`. Defaults to 'error'.
        vectors (bool): Likewise, for ``flow='codec'``. Defaults to False.

    Raises:
        ValueError: If the end is not behind the start, or ``fps`` is out of
            range.
    """

    start: float | None = None
    end: float | None = None
    stride: int = 1
    max_frames: int | None = None
    size: tuple[int, int] | None = None
    fps: float | None = None
    broken: str = 'error'
    vectors: bool = False

    def __post_init__(self):
        if self.end is not None and self.end <= (self.start or 0):
            raise ValueError(
                f'the end, {self.end} s, is not behind the start, '
                f'{self.start or 0} s'
            )
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise ValueError(f'fps lies between 0 and 1000, got {self.fps}')

    def open(self, source: str | os.PathLike | int) -> FrameSource:
        """These frames of a source."""
        return open_frames(source, self.broken, self.vectors).reduced(
            *(self.max_frames, self.size, self.start, self.end, self.stride)
        )


class UnfinishedError(RuntimeError):
    """A frame failed; what was done before it is kept."""


@dataclass(frozen=True)
class Run:
    """What became of a video: the number of ``frames`` done, of which so many
    were ``held``, the ``rates`` of the stages, in words, and whether a user
    has ``interrupted`` it."""

    frames: int
    held: int
    rates: str
    interrupted: bool

    @property
    def report(self) -> str:
        """All of it, in words."""
        if not self.held:
            return self.rates
        return (
            f'{self.rates}; {self.held} frames were flat or dark, and held '
            'the last map'
        )


def run_video(
    source: str | os.PathLike | int | FrameSource,
    models: VideoSegInferencer | dict[str, VideoSegInferencer],
    targets: Targets,
    excerpt: Excerpt | None = None,
    drawing: Drawing | None = None,
    way: Way | None = None,
    quiet: bool = False,
) -> Run:
    """Run models on a video.

    Decoding, models and drawing work at the same time. Ctrl-C ends the video,
    and so does a frame that fails: what was done until then is kept.

    Args:
        source (str | Path | int | FrameSource): See :func:`open_frames`; or
            what an excerpt has opened, as a camera opens but once.
        models (VideoSegInferencer | dict): One, or several with captions,
            the first of which all figures are about.
        targets (Targets): What is written.
        excerpt (Excerpt | None): Of the video. Defaults to None, all of it.
        drawing (Drawing | None): How frames are drawn. Defaults to None, as
            an overlay.
        way (Way | None): How the models go through it. Defaults to None, as
            the frames come.
        quiet (bool): Whether there is no progress bar. Defaults to False.

    Raises:
        FileNotFoundError: If nothing is there.
        OSError: If no frame can be read.
        ValueError: If an output is the input or cannot be written, or the
            models cannot go that way.
        UnfinishedError: If a frame fails; what was done before is kept.
        KeyboardInterrupt: If Ctrl-C comes before a frame is done.
    """
    excerpt, way = excerpt or Excerpt(), way or Way()
    if not isinstance(models, dict):
        models = {'prediction': models}
    way.check(models)
    frames = source
    if not isinstance(source, FrameSource):
        targets.check(source)
        frames = excerpt.open(source)
    first = next(iter(models.values()))
    clock, count, held = Clock(), 0, 0
    failure, interrupted = None, False
    outputs = targets.outputs(
        *(first.classes, first.palette, drawing or Drawing()),
        excerpt.fps or frames.fps or IMAGES_PER_SECOND,
        keeps_times=excerpt.fps is None,
    )
    # Left in the other order: each stage ends before the one that feeds it.
    with ExitStack() as stack:
        writes = [stack.enter_context(output) for output in outputs]
        results = frame_results(
            *(frames, models, way, clock, targets.measured(models))
        )
        results = stack.enter_context(closing(results))
        bar = stack.enter_context(frame_bar(results, frames.length, quiet))
        try:
            for result in bar:
                with clock('draw and write'):
                    for write in writes:
                        write(result)
                count += 1
                held += result.held
        except KeyboardInterrupt:
            interrupted = True
        except StopRun:
            interrupted = True
            count += 1  # the window is the last to get a frame
        except EXPECTED as error:
            if not count:
                raise
            failure = error
        if not count and interrupted:
            raise KeyboardInterrupt('before the first frame was done')
        if not count and failure is None:
            raise ValueError(
                'the source has no frames to run'
                + (' between start and end' if excerpt.start else '')
            )
    if failure is not None:
        raise UnfinishedError(
            f'{failure}. The {count} frames before are '
            + (f'in {targets}' if targets.paths else 'done')
        ) from failure
    return Run(count, held, clock.report(count), interrupted)
