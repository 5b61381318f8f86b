"""A trained model as a function of frames."""

import functools
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from os import PathLike

import numpy as np
import torch
from mmengine import Config
from torch import nn

from ..datasets import sequence_config
from ..engine.speed import speed_settings, speed_up
from ..flow.estimators import PrecomputedFlow, build_flow
from ..flow.full_frames import FullFrames, Pace
from ..flow.previous import FlowToPrevious
from ..flow.stream_frames import stream_frames
from ..flow.usable_frames import Sight, UsableFrames
from ..io.frame_source import FrameSource
from ..io.frames import open_frames
from ..io.prefetch import prefetch
from ..models.propagation import (
    check_propagates,
    paces_of,
    step_or_propagate,
)
from ..models.states import States
from ..models.streams import FrameInfo, Stream, Streams, states_of
from ..visualization import overlay
from .frames import as_array, begins_sequence
from .segmentors import LoadedSegmentor, load_segmentor
from .stepper import Stepper
from .two_sided import two_sided

MOST_CLASSES = 255
NONE = np.empty((0, 0, 3), np.uint8)  # in place of a frame that has gone


@dataclass
class Prediction:
    """What a model says of one frame (H, W, 3).

    ``label`` is the map (H, W) uint8 of train ids; ``probabilities``, where
    they were asked for, (classes, H, W) float32. ``full`` says whether the
    net ran on this frame, or the state of those before answered; ``held``
    whether it did not since the frame is flat or dark, so that this is what
    the last usable one shows.
    """

    frame: np.ndarray
    label: np.ndarray
    palette: list
    probabilities: np.ndarray | None = None
    full: bool = True
    held: bool = False

    def overlay(self, opacity: float = 0.5) -> np.ndarray:
        """The frame (H, W, 3) uint8 BGR under its label map in colours."""
        return overlay(self.frame, self.label, self.palette, opacity)

    def held_for(self, frame: np.ndarray) -> 'Prediction':
        """The same, in arrays of its own, of a frame that is not usable."""
        probabilities = self.probabilities
        if probabilities is not None:
            probabilities = probabilities.copy()
        return Prediction(
            *(frame, self.label.copy(), self.palette, probabilities),
            full=False,
            held=True,
        )


class VideoSegInferencer:
    """Predicts video, with states carried from frame to frame.

    A whole video, lazily::

        for prediction in inferencer.predict('video.mp4'):
            show(prediction.overlay())

    A loop of one's own::

        inferencer.reset()                       # before each video
        for frame in camera:                     # (H, W, 3) uint8 BGR
            label = inferencer.predict_frame(frame).label

    Several cameras in one batch, each with its own states::

        predictions = inferencer.predict_frames({'left': a, 'right': b})

    Frames go in at their own size. Where that or their type changes, or their
    numbers have a gap, a new sequence begins (:class:`Streams`); framewise
    models have no states and see every frame alone. A flow-compensated model
    gets the flow that its config's test data has (``AddFlow``); that of
    :meth:`predict` is estimated by the thread that reads the frames, while
    the net works. What the config says of speed (``default_hooks.speed``)
    holds here too.

    Args:
        config (str): Path of the config, or its name in the zoo, such as
            'rnn_unet_camvid'.
        checkpoint (str | None): Path or address of its checkpoint. Defaults
            to None, the one that is published for it.
        device (str | None): Defaults to None, a GPU where there is one.
        amp (bool): Mixed precision: float16 on a GPU, bfloat16 on a CPU.
            Defaults to False.
        probabilities (bool): Whether predictions have them. Defaults to
            False.
        max_streams (int): How many streams are kept; of more, those that were
            used longest ago are dropped. Defaults to 256.
        every (int | str | None): The net runs on every so many frames of a
            stream, or 'adaptive': where flow cannot account for what changed;
            on the others the warped state of its filter or gated EMA answers.
            Defaults to None, as the config's ``test_cfg`` says, or all.
        min_contrast (float): On frames that suddenly have less, flat or dark
            ones, the net does not run: its last answer is held and states
            wait, see :class:`UsableFrames`. 10 is a good value. Defaults to
            0, it runs on all.
        max_held (int): The most frames in a row on which it is so. Defaults
            to 30.
        max_every, tolerance: :class:`FullFrames`'s.
        allow_partial (bool): Whether the checkpoint may lack parameters of
            the model. Defaults to False.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If the checkpoint is cut short, none is given and none is
            published, the model has more classes than a label map holds, or
            nothing that could answer where the net does not run.
        RuntimeError: If the checkpoint does not cover the model.
    """

    def __init__(
        self,
        config: str,
        checkpoint: str | None = None,
        device: str | None = None,
        amp: bool = False,
        probabilities: bool = False,
        max_streams: int = 256,
        every: int | str | None = None,
        min_contrast: float = 0,
        max_held: int = UsableFrames.max_held,
        allow_partial: bool = False,
        **full_frames,
    ):
        loaded = load_segmentor(config, checkpoint, allow_partial)
        self._set_up(
            *(loaded.model, loaded.classes, loaded.palette),
            flow_of(loaded.cfg, loaded.model),
            *(device, amp, probabilities, max_streams, every),
            UsableFrames(min_contrast, max_held),
            **full_frames,
        )
        speed_up(self.model, **speed_settings(loaded.cfg))

    @classmethod
    def from_loaded(
        cls, loaded: LoadedSegmentor, *settings, **more
    ) -> 'VideoSegInferencer':
        """An inferencer around a segmentor that is loaded already, as it is.

        Args:
            loaded (LoadedSegmentor): See :func:`load_segmentor`.
            settings, more: From ``device`` on, as of :meth:`from_model`.
        """
        self = cls.from_model(
            *(loaded.model, loaded.classes, loaded.palette),
            flow_of(loaded.cfg, loaded.model),
            *settings,
            **more,
        )
        speed_up(self.model, **speed_settings(loaded.cfg))
        return self

    @classmethod
    def from_model(
        cls,
        model: nn.Module,
        classes: Sequence[str],
        palette: Sequence,
        flow: FlowToPrevious | None = None,
        device: str | None = None,
        amp: bool = False,
        probabilities: bool = False,
        max_streams: int = 256,
        every: int | str | None = None,
        min_contrast: float = 0,
        max_held: int = UsableFrames.max_held,
        **full_frames,
    ) -> 'VideoSegInferencer':
        """An inferencer around a segmentor that is built already.

        Args:
            model (nn.Module): The segmentor, with its weights.
            classes (Sequence[str]): Names of the classes.
            palette (Sequence): Their RGB colours.
            flow (FlowToPrevious | None): What makes the flow of a
                flow-compensated model. Defaults to None, the model needs
                none.
            device, amp, probabilities, max_streams, every: As above.
            min_contrast, max_held, full_frames: Likewise.
        """
        self = cls.__new__(cls)
        self._set_up(
            *(model, classes, palette, flow),
            *(device, amp, probabilities, max_streams, every),
            UsableFrames(min_contrast, max_held),
            **full_frames,
        )
        return self

    def _set_up(
        self,
        model: nn.Module,
        classes: Sequence[str],
        palette: Sequence,
        flow: FlowToPrevious | None,
        device: str | None,
        amp: bool,
        probabilities: bool,
        max_streams: int,
        every: int | str | None,
        usable: UsableFrames,
        **full_frames,
    ) -> None:
        if len(classes) > MOST_CLASSES:
            raise ValueError(
                f'the model has {len(classes)} classes, label maps hold '
                f'{MOST_CLASSES} at most (and 255 for none)'
            )
        device = device or ('cuda' if torch.cuda.is_available() else 'cpu')
        _check_device(device)
        self.model = model.to(device).eval()
        self.classes, self.palette = classes, palette
        self.stepper = Stepper(self.model, amp)
        self.probabilities = probabilities
        self.flow = flow
        self.streams = Streams(max_streams)
        self.usable = usable
        self.full_frames = getattr(self.model, 'full_frames', FullFrames())
        if every is not None:
            full_frames['every'] = every
        self.full_frames = replace(self.full_frames, **full_frames)
        check_propagates(self.model, self.full_frames)

    def reset(self, stream_id: Hashable | None = None) -> None:
        """The next frame begins a new stream: all of them, or this one."""
        self.streams.reset(stream_id)

    def predict(
        self,
        source: str | PathLike | int | FrameSource | Iterable[np.ndarray],
        lag: int | str | None = None,
    ) -> Iterator[Prediction]:
        """Predictions of a whole video, one at a time, from a fresh start.

        Memory does not grow with its length. The stream is its own: other
        videos and :meth:`predict_frame` can go on in between.

        Args:
            source: A video file, folder, glob, camera number or address
                (``rtsp://...``), see :func:`open_frames`; or frames
                (H, W, 3) uint8 BGR, as arrays or tensors.
            lag (int | str | None): Whether the filter looks at the future
                too: so many frames of it, by which predictions are late, or
                'offline', as many as count (:func:`two_sided`). Defaults to
                None, at the past alone.

        Raises:
            ValueError: If there is no such lag, or the model has no filter.
        """
        if isinstance(source, str | PathLike | int):
            vectors = self.flow is not None and self.flow.reads_motion
            source = open_frames(source, vectors=vectors)
        if lag is not None:
            return two_sided(self, source, lag)
        return self._predict_stream(source)

    def _predict_stream(
        self, source: Iterable[np.ndarray]
    ) -> Iterator[Prediction]:
        stream_id = object()
        frames = (as_array(frame, stream_id) for frame in source)
        begins = functools.partial(begins_sequence, source)
        items = stream_frames(frames, self.flow, self.usable, begins)
        if self.flow is not None:
            items = prefetch(items)
        try:
            with closing(items):
                for item in items:
                    if item.begins:
                        self.reset(stream_id)
                    flows = {stream_id: item.field}
                    predictions = self._predict(
                        {stream_id: item.frame},
                        flows if self.flow is not None else None,
                        sights={stream_id: item.sight},
                    )
                    yield predictions[stream_id]
        finally:
            self.reset(stream_id)

    def predict_frame(
        self,
        frame: np.ndarray | torch.Tensor,
        stream_id: Hashable = 'default',
        frame_id: int | None = None,
    ) -> Prediction:
        """The prediction of a stream's next frame (H, W, 3) uint8 BGR.

        Args:
            frame (ndarray | Tensor): The frame.
            stream_id (Hashable): Its stream. Defaults to 'default'.
            frame_id (int | None): Its number, where frames may be missing.
                Defaults to None, the next one.
        """
        ids = None if frame_id is None else {stream_id: frame_id}
        return self.predict_frames({stream_id: frame}, None, ids)[stream_id]

    def predict_frames(
        self,
        frames: dict[Hashable, np.ndarray | torch.Tensor],
        flows: dict[Hashable, np.ndarray] | None = None,
        frame_ids: dict[Hashable, int] | None = None,
    ) -> dict[Hashable, Prediction]:
        """Predictions of the next frames of several streams, in one batch.

        Each is what it would be if its stream ran alone. Frames of one size
        share a batch. All or nothing: where one frame is refused, no stream
        has moved.

        Args:
            frames (dict): Name of the stream -> its frame (H, W, 3) uint8 BGR.
            flows (dict | None): Name of the stream -> the flow field
                (3, h, w) from its frame to the last usable one before.
                Defaults to None: where the model needs them, they are
                estimated here.
            frame_ids (dict | None): Name of the stream -> the number of its
                frame; a step of more than one begins a new sequence. Defaults
                to None, each is the next one.

        Raises:
            ValueError: If a frame has another shape or dtype.
        """
        return self._predict(frames, flows, frame_ids)

    def _predict(
        self,
        frames: dict[Hashable, np.ndarray | torch.Tensor],
        flows: dict[Hashable, np.ndarray] | None = None,
        frame_ids: dict[Hashable, int] | None = None,
        sights: dict[Hashable, Sight] | None = None,
    ) -> dict[Hashable, Prediction]:
        """As :meth:`predict_frames`; what the streams see may be known."""
        arrays = {k: as_array(frame, k) for k, frame in frames.items()}
        infos = {
            name: FrameInfo(
                frame.shape[:2],
                frame.dtype,
                frame_id=(frame_ids or {}).get(name),
                max_gap=1,
            )
            for name, frame in arrays.items()
        }
        before = self.streams.continued(infos)
        sights = sights or {
            name: self.usable.next(stream and stream.sight, arrays[name])
            for name, stream in before.items()
        }
        held = {
            name: stream
            for name, stream in before.items()
            if stream and stream.can_hold and not sights[name].usable
        }
        shown = {k: arrays[k] for k in arrays if k not in held}
        past = {k: before[k] for k in shown}
        flows, images = self._flows(shown, past, flows)
        paces = paces_of(
            self.full_frames, past, flows and [flows[k] for k in past]
        )
        by_size: dict[tuple, list] = {}
        for name, frame in shown.items():
            by_size.setdefault(frame.shape[:2], []).append(name)
        after, predictions = {}, {}
        for names in by_size.values():
            logits, states = self._answer(names, shown, past, flows, paces)
            after |= dict(zip(names, states, strict=True))
            for name, scores in zip(names, logits, strict=True):
                predictions[name] = self.prediction(
                    shown[name], scores, paces[name].full
                )
        answers = {}
        if not self.usable.all:
            # Copies: the predictions are their users'.
            answers = {k: p.held_for(NONE) for k, p in predictions.items()}
        for name, stream in held.items():
            predictions[name] = stream.answer.held_for(arrays[name])
            after[name], answers[name] = stream.states, stream.answer
            paces[name] = self.full_frames.held(stream.pace)
            if images is not None:
                images[name] = stream.image
        self.streams.commit(
            *(infos, before, [after[name] for name in infos], images, paces),
            *(sights, answers),
        )
        return {name: predictions[name] for name in frames}

    def _answer(
        self,
        names: list[Hashable],
        frames: dict[Hashable, np.ndarray],
        before: dict[Hashable, Stream | None],
        flows: dict[Hashable, np.ndarray] | None,
        paces: dict[Hashable, Pace],
    ) -> tuple[list[torch.Tensor], list[States]]:
        """Logits (classes, H, W) and states of streams with frames of one
        size, by the net or without it."""

        def past(group):
            those = [names[i] for i in group]
            return (
                states_of({name: before[name] for name in those}),
                self.stepper.flow_of(flows and [flows[k] for k in those]),
            )

        shown = [frames[name] for name in names]
        return step_or_propagate(
            [paces[name] for name in names],
            lambda group: self.stepper.step(
                [shown[i] for i in group], *past(group)
            ),
            lambda group: self.stepper.propagate(
                *past(group), shown[0].shape[:2]
            ),
        )

    def _flows(
        self,
        frames: dict[Hashable, np.ndarray],
        before: dict[Hashable, Stream | None],
        given: dict[Hashable, np.ndarray] | None,
    ) -> tuple[dict | None, dict | None]:
        """The flow field of each frame, and what the next ones are estimated
        from; None where the model needs neither."""
        if self.flow is None:
            if given is not None:
                raise ValueError(
                    'flows are given, but the model is not flow-compensated'
                )
            return None, None
        images = {k: self.flow.reduce(frame) for k, frame in frames.items()}
        if given is None:
            given = {
                name: self.flow(image, before[name] and before[name].image)
                for name, image in images.items()
            }
        missing = [name for name in frames if name not in given]
        if missing:
            raise ValueError(
                f'stream {missing[0]!r} has no flow among those that are given'
            )
        return given, images

    def prediction(
        self,
        frame: np.ndarray,
        scores: torch.Tensor,
        full: bool = True,
        held: bool = False,
    ) -> Prediction:
        """Of a frame with logits (classes, H, W)."""
        probabilities = None
        if self.probabilities:
            probabilities = scores.float().softmax(0).cpu().numpy()
        label = scores.argmax(0).to(torch.uint8).cpu().numpy()
        return Prediction(
            frame, label, self.palette, probabilities, full, held
        )


def _check_device(device: str) -> None:
    """Refuse one that is not here, in words that are not PyTorch's own.

    Raises:
        ValueError: If it is so.
    """
    try:
        asked = torch.device(device)
    except (RuntimeError, TypeError):
        raise ValueError(
            f"device={device!r} is none that PyTorch knows: give 'cpu', "
            "'cuda' or 'cuda:1'"
        ) from None
    if asked.type != 'cuda':
        return
    if not torch.cuda.is_available():
        raise ValueError(
            f"device='{device}': PyTorch sees no GPU here: take 'cpu'"
        )
    number = torch.cuda.device_count()
    if (asked.index or 0) >= number:
        raise ValueError(
            f"device='{device}': PyTorch sees no GPU of this number here, the "
            f'last is cuda:{number - 1}'
        )


def flow_of(cfg: Config, model: nn.Module) -> FlowToPrevious | None:
    """What makes the flow that a model needs, None if it needs none.

    As the config's test data has it (``AddFlow``), else with the defaults of
    :class:`FlowToPrevious`.

    Raises:
        ValueError: If that is flow from files.
    """
    if not getattr(model, 'flow_compensated', False):
        return None
    dataset = sequence_config(
        (cfg.get('test_dataloader') or {}).get('dataset') or {}
    )
    steps = [
        *(dataset.get('augments') or {}).values(),
        *dataset.get('pipeline', ()),
    ]
    found = [dict(s) for s in steps if s and s.get('type') == 'AddFlow']
    options = found[0] if found else {}
    options.pop('type', None)
    flow = build_flow(**options)
    if isinstance(flow.estimator, PrecomputedFlow):
        raise ValueError(
            'the test data has PrecomputedFlow, which a new video has not: '
            'set test_dataloader.dataset.augments.flow.estimator to '
            "dict(type='DISFlow')"
        )
    return flow
