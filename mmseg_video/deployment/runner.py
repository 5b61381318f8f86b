"""Runs an exported model: needs neither torch nor MMEngine nor mmseg."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing

import numpy as np
import onnxruntime

from ..flow.full_frames import FullFrames
from ..flow.stacked import flow_from_settings
from ..flow.stream_frames import stream_frames
from ..flow.usable_frames import ALL_USABLE, UsableFrames
from ..io.onnx_files import (
    check_self_contained,
    propagation_graph,
    split_names,
)
from ..io.prefetch import prefetch
from .graph_io import FLOW, FRAME, SIZE, next_name


class StreamRunner:
    """Maps the frames of a stream, in order, to label maps.

    ::

        runner = StreamRunner('model.onnx')
        for frame, label in runner.predict(open_frames('video.mp4')):
            ...

    Args:
        path (path): What ``mmseg-video export`` wrote.
        providers (Sequence[str] | None): ONNX Runtime's. Defaults to None,
            all that are there.
        full_frames (FullFrames | None): On which frames :meth:`predict` runs
            the net. Defaults to None, on all.
        usable (UsableFrames): On which it does not since they are flat or
            dark: the last labels are held there, and states wait. Defaults to
            none.

    Raises:
        ValueError: If it cannot be opened, was not exported by this package,
            or has nothing that could answer where the net does not run.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        providers: Sequence[str] | None = None,
        full_frames: FullFrames | None = None,
        usable: UsableFrames = ALL_USABLE,
    ):
        check_self_contained(path)
        providers = providers or onnxruntime.get_available_providers()
        try:
            self.session = onnxruntime.InferenceSession(
                path, providers=providers
            )
        except Exception as error:  # onnxruntime has a class for each cause
            raise ValueError(
                f"the model '{path}' cannot be opened: {error}"
            ) from None
        inputs = {i.name: i.shape for i in self.session.get_inputs()}
        meta = self.session.get_modelmeta().custom_metadata_map
        if 'classes' not in meta or FRAME not in inputs:
            raise ValueError(f"'{path}' was not made by mmseg-video export")
        self.state_names = [n for n in inputs if n not in (FRAME, FLOW)]
        graph = propagation_graph(meta, path)
        self.propagation = None
        try:
            self.classes, self.palette = _classes(meta)
            # How its flow is made, and of how many channels it is; None where
            # it takes none.
            self.flow_settings = self.flow_channels = None
            if FLOW in inputs:
                self.flow_settings = json.loads(meta['flow'])
                self.flow_channels = inputs[FLOW][1]
            # Height and width of the only frames that it takes; None: any.
            self.size = tuple(json.loads(meta[SIZE])) if SIZE in meta else None
            if graph is not None:
                self.propagation = onnxruntime.InferenceSession(
                    graph, providers=providers
                )
        except Exception as error:
            why = ' '.join(f'{type(error).__name__}: {error}'.split())
            raise ValueError(
                f"the model '{path}' is damaged ({why}): export it again"
            ) from error
        self.full_frames = full_frames or FullFrames()
        if not self.full_frames.always and self.propagation is None:
            raise ValueError(
                f"every={self.full_frames.every}: '{path}' has nothing that "
                'could answer where the net does not run: export a model '
                'with a filter or a gated EMA'
            )
        self.usable = usable
        self.reset()

    def reset(self) -> None:
        """The next frame begins a new stream: one zero for each state."""
        zero = np.zeros((1, 1, 1, 1), np.float32)
        self.states = dict.fromkeys(self.state_names, zero)

    def step(
        self,
        frames: np.ndarray,
        flow: np.ndarray | None = None,
        outputs: Sequence[str] = ('labels',),
    ) -> list[np.ndarray]:
        """Outputs for the next frame of each stream; moves the states on.

        Args:
            frames (ndarray): (N, H, W, 3) uint8 BGR.
            flow (ndarray | None): Flow fields (N, flow_channels, h, w), of
                a flow-compensated model.
            outputs (Sequence[str]): ``labels`` (N, H, W) uint8 or ``logits``
                (N, classes, H, W). Defaults to the labels.

        Raises:
            ValueError: If flow is missing, the frames are of another size
                than it was exported for, or the states belong to another
                export or another size.
        """
        return self._run(self.session, frames, flow, outputs)

    def propagate(
        self,
        frames: np.ndarray,
        flow: np.ndarray | None = None,
        outputs: Sequence[str] = ('labels',),
    ) -> list[np.ndarray]:
        """As :meth:`step`, by the states alone: of the frames only the size
        counts.

        Raises:
            ValueError: As :meth:`step`, and if there was no step before, or
                the model cannot propagate.
        """
        if self.propagation is None:
            raise ValueError('this export has no graph that propagates')
        if all(part.shape == (1, 1, 1, 1) for part in self.states.values()):
            raise ValueError('nothing can be propagated before the first step')
        return self._run(self.propagation, frames, flow, outputs)

    def _run(
        self,
        session: onnxruntime.InferenceSession,
        frames: np.ndarray,
        flow: np.ndarray | None,
        outputs: Sequence[str],
    ) -> list[np.ndarray]:
        inputs = {FRAME: frames, **self.states}
        if self.size not in (None, frames.shape[1:3]):
            height, width = self.size
            raise ValueError(
                f'this model was exported for frames of {height}x{width} '
                f'alone, got {frames.shape[1]}x{frames.shape[2]}: resize them '
                f'(--resize {height} {width})'
            )
        if self.flow_settings is not None:
            if flow is None:
                raise ValueError(
                    'this model is flow-compensated: step() needs a flow, '
                    'which predict() estimates by itself'
                )
            inputs[FLOW] = flow
        if self.states.keys() != set(self.state_names):
            raise ValueError(
                f'the states are {", ".join(self.states)}, this export has '
                f'{", ".join(self.state_names)}: reset()'
            )
        wanted = [*outputs, *map(next_name, self.state_names)]
        try:
            results = session.run(wanted, inputs)
        except Exception as error:
            raise ValueError(
                f'frames {frames.shape} cannot be predicted with the states '
                f'at hand (reset() where a video begins): {error}'
            ) from None
        states = results[len(outputs) :]
        self.states = dict(zip(self.state_names, states, strict=True))
        return results[: len(outputs)]

    def predict(
        self, frames: Iterable[np.ndarray]
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Each frame (H, W, 3) uint8 BGR of a new stream with its label map
        (H, W) uint8.

        Flow is estimated by a thread of its own. A frame of another size
        begins a new stream. ``full_frames`` and ``usable`` say where the net
        runs.

        Raises:
            ValueError: If the flow needs more than OpenCV: see :meth:`step`.
        """
        pace, labels = None, None
        items = stream_frames(frames, None, self.usable)
        if self.flow_settings is not None:
            try:
                flow = flow_from_settings(self.flow_settings)
            except (KeyError, TypeError) as error:
                raise ValueError(
                    f'the settings of the flow of this model are damaged '
                    f'({error}): export it again'
                ) from error
            items = prefetch(stream_frames(frames, flow, self.usable))
        with closing(items):
            for item in items:
                if item.begins:
                    self.reset()
                    pace = None
                if not item.sight.usable:
                    pace = self.full_frames.held(pace)
                    yield item.frame, labels.copy()
                    continue
                pace = self.full_frames.next(pace, item.field)
                answer = self.step if pace.full else self.propagate
                field = None if item.field is None else item.field[None]
                ((shown,),) = answer(item.frame[None], field)
                labels = shown.copy()  # what is given is its user's
                yield item.frame, shown


def _classes(meta: Mapping[str, str]) -> tuple[list[str], np.ndarray]:
    """Names of the classes, and their RGB colours (classes, 3) uint8."""
    classes = split_names(meta['classes'])
    numbers = [int(part) for part in meta['palette'].split(',')]
    if not all(0 <= number <= 255 for number in numbers):
        raise ValueError('a colour that is none')
    if len(numbers) != 3 * len(classes) or len(classes) > 256:
        raise ValueError(f'{len(classes)} classes, {len(numbers)} / 3 colours')
    return classes, np.array(numbers, np.uint8).reshape(-1, 3)
