from abc import abstractmethod
from dataclasses import fields

import torch
from mmseg.models.segmentors import BaseSegmentor
from mmseg.structures import SegDataSample
from torch import Tensor

from ..flow.full_frames import FullFrames
from ..flow.warp import corner_flow
from .propagation import check_propagates, paces_of, step_or_propagate
from .slide_step import slide_step
from .states import States, check_places
from .streams import FrameInfo, Streams, states_of
from .time_axis import off_channels, onto_channels


class ClipSegmentor(BaseSegmentor):
    """Maps clips (N, T, C, H, W) to logits of their key frames (N, classes,
    H, W); a base class.

    A subclass says how, in :meth:`_predict`; clips, stills and streams then
    come for nothing. ``inference()`` is what calls ``encode_decode()`` for
    the whole frame or its windows: :class:`EncoderDecoder`'s, in most::

        predict(): inference() of mmseg -> encode_decode() -> _predict()
        step():    _predict()

    T = 1 is the single frame. A stream is a clip of one frame with carried
    states::

        states = None
        for frame in stream:                      # (N, C, H, W), normalised
            logits, states = model.step(frame, states)

    In eval mode with ``test_cfg=dict(mode='whole', streaming=True)`` the
    segmentor carries them itself, in ``streams``: one stream for each sample
    of a batch, which goes on until ``reset_states()`` or until the sample's
    meta say that another sequence begins. With ``every`` (``max_every``,
    ``tolerance``) in ``test_cfg`` too, the net runs on some frames only, see
    :class:`FullFrames`; on the others :meth:`propagate` answers. With
    ``memory=False`` every frame begins anew: a control of what the past is
    worth to the same weights. Where the
    data say that a frame shows nothing (``HoldLastUsable``), the last logits
    are held and states wait.

    Optical flow is data: it comes with the frames (``AddFlow``), as ``flow``
    of a sample, a field (T, 3, h, w) for its clip, and into :meth:`step`.

    Args:
        args, kwargs: Of the next class, such as :class:`EncoderDecoder`.

    Raises:
        ValueError: If slide inference is to stream: windows share no state.
    """

    test_cfg: dict | None = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Never buffers: DDP would overwrite them by rank 0's, and a
        # checkpoint would carry them into another video.
        self.streams = Streams()
        if self._streaming and self.test_cfg.get('mode') == 'slide':
            raise ValueError(
                "test_cfg: streaming=True needs mode='whole', got 'slide': "
                'the windows of a frame would share one state. Set '
                "mode='whole', or streaming=False to predict from clips"
            )

    @abstractmethod
    def _predict(
        self,
        clips: Tensor,
        states: States | None,
        flow: Tensor | None,
        metas: list[dict],
    ) -> tuple[Tensor, States]:
        """Logits (N, classes, H, W) of the key frames, and the states after
        the clips (N, T, C, H, W).

        All-zero states are equivalent to None: maps of zeros begin a sequence
        too (also a single zero (1, 1, 1, 1) for each map). ``flow`` has a
        field for each frame, (N, T, 3, h, w), or is None.
        """

    @property
    @abstractmethod
    def state_maps(self) -> dict[str, int]:
        """Place of each module with a state -> number of maps in it."""

    # Whether a stream needs the flow of its frames.
    flow_compensated = False

    @property
    def _streaming(self) -> bool:
        return bool((self.test_cfg or {}).get('streaming', False))

    def reset_states(self) -> None:
        """Forget the streams: the next frame begins a new sequence."""
        self.streams.reset()

    def step(
        self,
        frame: Tensor,
        states: States | None = None,
        flow: Tensor | None = None,
    ) -> tuple[Tensor, States]:
        """Logits (N, classes, H, W) of one frame of N streams, and states.

        Args:
            frame (Tensor): Normalised frames (N, C, H, W).
            states (dict[str, State] | None): What the last step returned.
                Defaults to None, the start of a sequence.
            flow (Tensor | None): Flow fields (N, 3, h, w) to the frames
                before, see :class:`FlowToPrevious`. Defaults to None; a
                flow-compensated model needs them once it has states.

        Raises:
            ValueError: If the states belong to frames of another size or to
                another model, or the flow does not fit.
        """
        check_places(states or {}, self.state_maps)
        flow = None if flow is None else flow.unsqueeze(1)

        def predict(frames, states):
            metas = [dict(img_shape=frames.shape[2:])]
            return self._predict(frames.unsqueeze(1), states, flow, metas)

        test_cfg = self.test_cfg or {}
        if test_cfg.get('mode') == 'slide':
            return slide_step(predict, frame, states, test_cfg)
        return predict(frame, states)

    def predict(
        self, inputs: Tensor, data_samples: list[SegDataSample] | None = None
    ) -> list[SegDataSample]:
        """Predictions for the key frames of ``inputs`` (N, T, C, H, W)."""
        clips = self._as_clips(inputs)
        num_frames, size = clips.shape[1], clips.shape[3:]
        whole = dict(ori_shape=size, img_shape=size, pad_shape=size)
        metas = [dict(whole, padding_size=[0] * 4)] * len(clips)
        if data_samples is not None:
            metas = [
                {**sample.metainfo, 'flow': sample.get('flow')}
                for sample in data_samples
            ]
        # No backbone says how many colours it takes.
        metas = [dict(meta, num_frames=num_frames) for meta in metas]
        # Time rides on the channel axis through mmseg's whole and slide
        # inference, so that every frame of a clip is cropped alike.
        logits = self.inference(onto_channels(clips), metas)
        return self.postprocess_result(logits, data_samples)

    def encode_decode(
        self, inputs: Tensor, batch_img_metas: list[dict]
    ) -> Tensor:
        """Logits (N, classes, H, W) from clips folded to (N, T*C, H, W).

        T is ``num_frames`` of the metas; without it they are stills, T = 1.
        """
        num_frames = batch_img_metas[0].get('num_frames', 1)
        clips = off_channels(inputs, num_frames)
        flow = join_flow([meta.get('flow') for meta in batch_img_metas])
        if self.training or not self._streaming:
            return self._predict(clips, None, flow, batch_img_metas)[0]
        infos = {i: _info(m, clips) for i, m in enumerate(batch_img_metas)}
        if 0 < len(self.streams) != len(infos):
            raise ValueError(
                f'{len(self.streams)} stream(s) are under way, this batch has '
                f'{len(infos)} frames: reset_states() when the number of '
                'streams changes'
            )
        before = self.streams.continued(infos)
        if not self.test_cfg.get('memory', True):
            before = dict.fromkeys(before)
        check_propagates(self, self.full_frames)
        frame_flow = None if flow is None else flow[:, -1]
        paces = paces_of(self.full_frames, before, frame_flow)
        held = {
            i: (before[i].answer, before[i].states)
            for i, meta in enumerate(batch_img_metas)
            if meta.get('held') and before[i] and before[i].can_hold
        }
        for i in held:
            paces[i] = self.full_frames.held(before[i].pace)

        def states(group):
            return states_of({i: before[i] for i in group})

        logits, after = step_or_propagate(
            list(paces.values()),
            lambda group: self._predict(
                clips[group],
                states(group),
                None if flow is None else flow[group],
                [batch_img_metas[i] for i in group],
            ),
            lambda group: self._propagate(
                states(group),
                None if flow is None else frame_flow[group],
                [batch_img_metas[i] for i in group],
            ),
            held,
        )
        answers = {
            i: logits[i]
            for i, meta in enumerate(batch_img_metas)
            if 'held' in meta
        }
        self.streams.commit(infos, before, after, None, paces, answers=answers)
        return torch.stack(logits)

    @property
    def full_frames(self) -> FullFrames:
        """On which frames of a stream the net runs."""
        keys = [field.name for field in fields(FullFrames)]
        test_cfg = self.test_cfg or {}
        return FullFrames(**{k: test_cfg[k] for k in keys if k in test_cfg})

    # Whether propagate() can answer.
    can_propagate = False
    # The place of the sum s and count n whose average s / n is the answer,
    # and the weight of a frame in n; None where no state is known to be one.
    average: tuple[str, float] | None = None
    # What averages its logits over time, in words; None for nothing.
    own_filter: str | None = None

    def propagate(
        self, states: States, flow: Tensor | None, size: tuple[int, int]
    ) -> tuple[Tensor, States]:
        """Logits (N, classes, H, W) of a frame on which the net does not run,
        and the states after it.

        Args:
            states (dict[str, State]): What the last step returned.
            flow (Tensor | None): Flow fields (N, 3, h, w) to the frame
                before, of a flow-compensated model.
            size (tuple[int, int]): Height and width of the frame.

        Raises:
            ValueError: If the states belong to another model, or flow is
                missing or does not fit.
        """
        check_places(states, self.state_maps)
        return self._propagate(states, flow, [dict(img_shape=size)])

    def scores(
        self,
        frame: Tensor,
        states: States | None = None,
        flow: Tensor | None = None,
    ) -> tuple[Tensor, States]:
        """Scores (N, classes, h, w) of one frame of N streams as they enter
        the filter, and all states but the filter's; for who filters them
        otherwise (:class:`TwoSidedFilter`).

        Args:
            frame, states, flow: As of :meth:`step`.
        """
        return self._scores(frame, states or {}, flow)

    def _scores(
        self, frame: Tensor, states: States, flow: Tensor | None
    ) -> tuple[Tensor, States]:
        raise NotImplementedError(
            f'{type(self).__name__} has no filter of its scores'
        )

    def carried(
        self, states: States, flow: Tensor | None, size: tuple[int, int]
    ) -> States:
        """States, but the filter's, after a frame on which the net does not
        run: those that follow the flow are warped, the others wait.

        Args:
            states (dict[str, State]): Before it.
            flow (Tensor | None): Flow fields (N, 3, h, w).
            size (tuple[int, int]): Height and width of the frame.
        """
        return states

    def filter_flow(
        self,
        flow: Tensor | None,
        size: tuple[int, int],
        maps: tuple[int, int],
    ) -> Tensor | None:
        """The flow (N, 3, h, w) along which the states of the filter, and of
        RNNs in the decode head, are warped.

        Args:
            flow (Tensor | None): Flow fields (N, 3, h, w) of frames.
            size (tuple[int, int]): Height and width of the frames.
            maps (tuple[int, int]): And of the state.
        """
        if flow is None or not self.flow_compensated:
            return None
        return corner_flow(flow, size, maps) if self.align_corners else flow

    def resized(self, scores: Tensor, size: tuple[int, int]) -> Tensor:
        """Logits (N, classes, H, W) of filtered scores (N, classes, h, w); of
        the subclasses that have scores."""
        raise NotImplementedError(
            f'{type(self).__name__} has no filter of its scores'
        )

    def _propagate(
        self, states: States, flow: Tensor | None, metas: list[dict]
    ) -> tuple[Tensor, States]:
        """As :meth:`_predict`, of one frame and without the frame; of the
        subclasses whose ``can_propagate`` may be true."""
        raise NotImplementedError(
            f'{type(self).__name__} answers no frame without its net'
        )

    def _as_clips(self, inputs: Tensor) -> Tensor:
        """Clips (N, T, C, H, W); stills (N, C, H, W) are clips of T = 1."""
        if inputs.ndim not in (4, 5):
            raise ValueError(
                'expected clips (N, T, C, H, W) or stills (N, C, H, W), got '
                f'{tuple(inputs.shape)}'
            )
        return inputs if inputs.ndim == 5 else inputs.unsqueeze(1)


def _info(meta: dict, clips: Tensor) -> FrameInfo:
    return FrameInfo(
        tuple(clips.shape[3:]),
        clips.dtype,
        *(meta.get(key) for key in ('sequence', 'frame_id', 'max_gap')),
    )


def clip_flow(data_samples: list[SegDataSample]) -> Tensor | None:
    """Flow fields (N, T, 3, h, w) of samples, None where they have none."""
    return join_flow([sample.get('flow') for sample in data_samples])


def join_flow(flows: list[Tensor | None]) -> Tensor | None:
    """Flow fields (T, 3, h, w) of N clips as (N, T, 3, h, w).

    Raises:
        ValueError: If some have one and others do not.
    """
    missing = [flow is None for flow in flows]
    if all(missing):
        return None
    if any(missing):
        raise ValueError(
            f'{sum(missing)} of {len(flows)} clips of a batch have no flow: '
            'AddFlow belongs into the pipeline of all of them'
        )
    return torch.stack(flows)
