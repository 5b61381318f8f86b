"""One video, frame by frame, into the outputs that are asked for."""

import itertools
import logging
import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from ...engine.launch import EXPECTED
from ...evaluation.flicker import StreamFlicker
from ...io.frame_source import IMAGES_PER_SECOND, FrameSource
from ...io.frames import open_frames
from ...io.prefetch import prefetch
from ..live import LiveSegmentor
from ..video_seg_inferencer import Prediction, VideoSegInferencer
from .outputs import Drawing, FrameResult, StopRun, Targets

logger = logging.getLogger('mmseg_video')


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
        return open_frames(source, self.broken).reduced(
            *(self.max_frames, self.size, self.start, self.end, self.stride)
        )


@dataclass(frozen=True)
class Way:
    """How a model goes through a video.

    Args:
        lag (int | str | None): The look-ahead, see
            :meth:`VideoSegInferencer.predict`. Defaults to None.
        live (bool): Whether each frame is answered at once while the net
            works at its own pace (:class:`LiveSegmentor`). Defaults to False.
    """

    lag: int | str | None = None
    live: bool = False

    def check(self, models: dict[str, VideoSegInferencer]) -> None:
        """Refuse what does not go together.

        Raises:
            ValueError: If a live answer is to look ahead, or one of several
                models is.
        """
        if self.live and self.lag is not None:
            raise ValueError('a live answer cannot look ahead: leave out lag')
        if len(models) > 1 and (self.live or self.lag is not None):
            raise ValueError(
                'several models go through a video frame by frame: leave out '
                + ('live' if self.live else 'lag and offline')
                + ', or the baseline'
            )

    def predict(
        self, model: VideoSegInferencer, frames: FrameSource
    ) -> Iterator[Prediction]:
        """The model's predictions of the frames."""
        if self.live:
            return self._live(model, frames)
        return model.predict(frames, self.lag)

    @staticmethod
    def _live(model, frames):
        with LiveSegmentor(model) as live:
            yield from live.predict(frames)


class UnfinishedError(RuntimeError):
    """A frame failed; what was done before it is kept."""


@dataclass(frozen=True)
class Run:
    """What became of a video: the number of ``frames`` done, the ``rates`` of
    the stages, in words, and whether a user has ``interrupted`` it."""

    frames: int
    rates: str
    interrupted: bool


def run_video(
    source: str | os.PathLike | int,
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
        source (str | Path | int): See :func:`open_frames`.
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
    """
    excerpt, way = excerpt or Excerpt(), way or Way()
    if not isinstance(models, dict):
        models = {'prediction': models}
    way.check(models)
    targets.check(source)
    frames = excerpt.open(source)
    first = next(iter(models.values()))
    clock, count = Clock(), 0
    failure, interrupted = None, False
    outputs = targets.outputs(
        *(first.classes, first.palette, drawing or Drawing()),
        excerpt.fps or frames.fps or IMAGES_PER_SECOND,
        keeps_times=excerpt.fps is None,
    )
    measured = targets.measured(models)

    def fresh() -> dict[str, StreamFlicker]:
        return {caption: StreamFlicker() for caption in measured}

    flickers = fresh()
    # Left in the other order: each stage ends before the one that feeds it.
    with ExitStack() as stack:
        writes = [stack.enter_context(output) for output in outputs]
        results = _results(frames, models, way, clock)
        results = stack.enter_context(closing(prefetch(results)))
        bar = tqdm(results, total=frames.length, unit='frame', disable=quiet)
        stack.enter_context(bar)
        # Else what is logged would stand behind the bar.
        stack.enter_context(logging_redirect_tqdm([logger]))
        try:
            for result in bar:
                with clock('draw and write'):
                    if frames.begins(result.index):
                        flickers = fresh()
                    for caption, flicker in flickers.items():
                        result.changes[caption] = flicker.next(
                            result.frame, result.labels[caption]
                        )
                    for write in writes:
                        write(result)
                count += 1
        except (KeyboardInterrupt, StopRun):
            interrupted = True
        except EXPECTED as error:
            if not count:
                raise
            failure = error
        if not count and failure is None:
            raise ValueError(
                f"'{source}' has no frames to run"
                + (' between start and end' if excerpt.start else '')
            )
    if failure is not None:
        raise UnfinishedError(
            f'{failure}. The {count} frames before are '
            + (f'in {targets}' if targets.paths else 'done')
        ) from failure
    return Run(count, clock.report(count), interrupted)


def _results(
    frames: FrameSource,
    models: dict[str, VideoSegInferencer],
    way: Way,
    clock: 'Clock',
) -> Iterator[FrameResult]:
    """Every frame with the models' label maps, in order."""
    waiting: deque = deque()

    def decoded():
        for number in itertools.count():
            with clock('decode'):
                item = next(frames.timed, None)
            if item is None:
                return
            yield number, *item

    def known(items):
        for index, frame, shown_at in items:
            # Its own name: the source may have read on.
            name = frames.names[index] if frames.names else None
            waiting.append((index, frames.numbers[index], name, shown_at))
            yield frame

    # A camera's next frame is the newest one, not one that has waited.
    items = decoded() if way.live else prefetch(decoded())
    with closing(items):
        timed = ((frame, None) for frame in known(items))
        source = FrameSource(timed, sequences=frames.sequences)
        answers = _answers(source, models, way)
        while True:
            with clock('model') as spent:
                answer = next(answers, None)
            if answer is None:
                return
            index, number, name, shown_at = waiting.popleft()
            some = next(iter(answer.values()))
            labels = {key: p.label for key, p in answer.items()}
            yield FrameResult(
                *(index, number, name, shown_at, some.frame, labels),
                *(some.full, spent.seconds),
            )


def _answers(
    frames: FrameSource,
    models: dict[str, VideoSegInferencer],
    way: Way,
) -> Iterator[dict[str, Prediction]]:
    if len(models) == 1:
        ((name, model),) = models.items()
        for prediction in way.predict(model, frames):
            yield {name: prediction}
        return
    stream_id = object()
    try:
        for number, frame in enumerate(frames):
            if frames.begins(number):
                for model in models.values():
                    model.reset(stream_id)
            yield {
                name: model.predict_frame(frame, stream_id)
                for name, model in models.items()
            }
    finally:
        for model in models.values():
            model.reset(stream_id)


class Clock:
    """Adds up the seconds of stages that work at the same time."""

    @dataclass
    class Timed:
        seconds: float = 0.0

    def __init__(self):
        self.seconds, self.start = {}, time.perf_counter()

    @contextmanager
    def __call__(self, part: str) -> Iterator['Clock.Timed']:
        """Time what is done in the context; tells its seconds."""
        start, timed = time.perf_counter(), self.Timed()
        try:
            yield timed
        finally:
            timed.seconds = time.perf_counter() - start
            before = self.seconds.get(part, 0.0)
            self.seconds[part] = before + timed.seconds

    def report(self, frames: int) -> str:
        """The rates of the stages, and of all together."""
        wall = time.perf_counter() - self.start
        parts = ', '.join(
            f'{part} {frames / max(s, 1e-9):.1f}'
            for part, s in self.seconds.items()
        )
        return (
            f'{frames} frames; frames/s: {parts}; all together '
            f'{frames / wall:.1f}'
        )
