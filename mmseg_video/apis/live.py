"""A net that is slower than the camera: every frame is answered at once."""

import threading
from collections.abc import Iterable, Iterator

import numpy as np
from torch import Tensor

from ..flow.usable_frames import Sight
from ..models.states import States, keep_finite
from .frames import as_array, begins_sequence
from .video_seg_inferencer import NONE, Prediction, VideoSegInferencer


class LiveSegmentor:
    """Answers each frame of a camera from the warped state, while the net
    works in a thread of its own, at its own pace.

    ::

        with LiveSegmentor(steady('segformer_mit-b2_...')) as live:
            for frame in camera:                 # (H, W, 3) uint8 BGR
                show(live.answer(frame).overlay())

    An answer takes as long as flow and warp do, whatever the net. When the
    net is done with a frame, its result is warped along all flows since then,
    to the present, and takes the place of the state; the net gets the newest
    frame next. Only the first frame of a sequence waits for the net. A flat or
    dark frame is answered as the last usable one, and never reaches the net.

    Args:
        inferencer (VideoSegInferencer): With a model that can propagate.

    Raises:
        ValueError: If the model keeps no average that could answer.
    """

    def __init__(self, inferencer: VideoSegInferencer):
        if not getattr(inferencer.model, 'can_propagate', False):
            raise ValueError(
                f'{type(inferencer.model).__name__} keeps no average of its '
                'scores that could answer while the net works: steady it, or '
                "give it filter=dict(type='EMAFilter', weight=0.1)"
            )
        self.inferencer = inferencer
        self._worker = _Worker(self._step)
        self._begin()

    def __enter__(self) -> 'LiveSegmentor':
        return self

    def __exit__(self, *error) -> None:
        self.close()

    def close(self) -> None:
        """End the thread; waits for the frame that is under way."""
        self._worker.close()

    def _begin(self) -> None:
        self._states: States | None = None
        self._image, self._size = None, None
        self._sight: Sight | None = None
        self._last: Prediction | None = None
        # Flow fields since the frame that the net is at.
        self._since: list[Tensor | None] = []

    def answer(self, frame: np.ndarray) -> Prediction:
        """The prediction of the next frame (H, W, 3) uint8 BGR.

        ``full`` says whether the net has seen this very frame.

        Raises:
            ValueError: If the frame is none, or the net refused one.
            RuntimeError: If it is closed, or what the net raised.
        """
        # A copy: the net reads it while a camera fills its buffer again.
        frame = as_array(frame, 'live').copy()
        if frame.shape != self._size:
            self.reset()
            self._size = frame.shape
        usable = self.inferencer.usable
        self._sight = usable.next(self._sight, frame)
        if not self._sight.usable and self._last is not None:
            return self._last.held_for(frame)
        prediction = self._answer(frame)
        if not usable.all:
            self._last = prediction.held_for(NONE)
        return prediction

    def _answer(self, frame: np.ndarray) -> Prediction:
        flow = self.inferencer.stepper.flow_of([self._field(frame)])
        if self._states is None:
            self._worker.give((frame, None, None))
            logits, self._states = self._worker.take(wait=True)
            return self.inferencer.prediction(frame, logits[0], full=True)
        self._catch_up()
        before = self._states
        logits, self._states = self._propagate(before, flow)
        self._since.append(flow)
        if self._worker.idle:
            self._worker.give((frame, before, flow))
            self._since = []
        return self.inferencer.prediction(frame, logits[0], full=False)

    def predict(self, frames: Iterable[np.ndarray]) -> Iterator[Prediction]:
        """:meth:`answer` to each frame; a new sequence begins where the
        frames say so."""
        for number, frame in enumerate(frames):
            if begins_sequence(frames, number):
                self.reset()
            yield self.answer(frame)

    def reset(self) -> None:
        """The next frame begins a sequence; waits for the frame that is under
        way."""
        self._worker.discard()
        self._begin()

    def _catch_up(self) -> None:
        """Take what the net has finished, warped to the frame before."""
        result = self._worker.take()
        if result is None:
            return
        _, states = result
        for flow in self._since:
            _, states = self._propagate(states, flow)
        self._states = states

    def _field(self, frame: np.ndarray) -> np.ndarray | None:
        """The flow field (3, h, w) to the last usable frame."""
        make = self.inferencer.flow
        if make is None:
            return None
        image = make.reduce(frame)
        field, self._image = make(image, self._image), image
        return field

    def _propagate(
        self, states: States, flow: Tensor | None
    ) -> tuple[Tensor, States]:
        return self.inferencer.stepper.propagate(states, flow, self._size[:2])

    def _step(self, job) -> tuple[Tensor, States]:
        """What the net makes of a frame; runs in the thread.

        States that are not finite are not taken: those before answer on, and
        where there are none, the next frame begins anew.
        """
        frame, states, flow = job
        logits, after = self.inferencer.stepper.step([frame], states, flow)
        after = keep_finite(after, None)
        if after is None and states is not None:
            _, after = self._propagate(states, flow)
        return logits, after


class _Worker:
    """A thread that does one job at a time.

    Args:
        work (Callable): Maps a job to its result.
    """

    def __init__(self, work):
        self._work = work
        self._changed = threading.Condition()
        self._job = self._result = self._error = None
        self._busy = self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether it waits for a job, and what it made of the last one was
        taken: a job that ends between the two must not be lost."""
        with self._changed:
            done = self._result is None and self._error is None
            return done and not self._busy

    def give(self, job) -> None:
        """The next job.

        Raises:
            RuntimeError: If it is closed.
        """
        with self._changed:
            if self._closed:
                raise RuntimeError('this LiveSegmentor is closed')
            self._job, self._busy, self._result = job, True, None
            self._changed.notify_all()

    def take(self, wait: bool = False):
        """The result, once; None if there is none yet. What the job raised
        is raised here."""
        with self._changed:
            while wait and self._busy:
                self._changed.wait()
            error, self._error = self._error, None
            if error is not None:
                raise error
            result, self._result = self._result, None
            return result

    def discard(self) -> None:
        """Wait for the job that is under way, and forget its result."""
        with self._changed:
            while self._busy:
                self._changed.wait()
            self._result = self._error = None

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while self._job is None and not self._closed:
                    self._changed.wait()
                if self._job is None:
                    return
                job, self._job = self._job, None
            result = error = None
            try:
                result = self._work(job)
            except Exception as caught:
                error = caught
            with self._changed:
                self._result, self._error, self._busy = result, error, False
                self._changed.notify_all()
