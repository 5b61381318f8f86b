"""Frames of a video with the predictions of models, one after the other."""

import itertools
import time
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from ...evaluation.flicker import StreamFlicker
from ...io.frame_source import FrameSource
from ...io.prefetch import prefetch
from ..live import LiveSegmentor
from ..two_sided import check_two_sided
from ..video_seg_inferencer import Prediction, VideoSegInferencer
from .outputs import FrameResult


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
                models is, or one that has no filter for it.
        """
        if self.live and self.lag is not None:
            raise ValueError('a live answer cannot look ahead: leave out lag')
        if len(models) > 1 and (self.live or self.lag is not None):
            raise ValueError(
                'several models go through a video frame by frame: leave out '
                + ('live' if self.live else 'lag and offline')
                + ', or the baseline'
            )
        if self.lag is not None:
            for model in models.values():
                check_two_sided(model, self.lag)

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


def frame_results(
    frames: FrameSource,
    models: dict[str, VideoSegInferencer],
    way: Way,
    clock: 'Clock',
    measured: Collection[str],
) -> Iterator[FrameResult]:
    """Every frame with the models' label maps, in order, each made while the
    one before it is used.

    Args:
        frames (FrameSource): Of a video.
        models (dict): Caption -> model.
        way (Way): How they go through it.
        clock (Clock): Times them.
        measured (Collection[str]): Captions of those of whose label maps it
            is told how they change.
    """
    flicker = StreamFlicker()
    with closing(prefetch(_answered(frames, models, way, clock))) as results:
        for result in results:
            if frames.begins(result.index):
                flicker = StreamFlicker()
            if measured:
                with clock('flicker'):
                    result.changes = flicker.next(
                        result.frame, {k: result.labels[k] for k in measured}
                    )
            yield result


def _answered(
    frames: FrameSource,
    models: dict[str, VideoSegInferencer],
    way: Way,
    clock: 'Clock',
) -> Iterator[FrameResult]:
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
            number = frames.numbers[index] if frames.numbers else index
            waiting.append((index, number, name, shown_at))
            yield frame

    # A camera's next frame is the newest one, not one that has waited.
    items = decoded() if way.live else prefetch(decoded())
    with closing(items):
        timed = ((frame, None) for frame in known(items))
        source = FrameSource(timed, sequences=frames.sequences)
        # Closed first: it may be reading from items in another thread.
        with closing(_answers(source, models, way)) as answers:
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
                    *(some.full, some.held, spent.seconds),
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
