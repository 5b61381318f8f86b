from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from mmengine.model import Sequential
from mmseg.models.segmentors import EncoderDecoder
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from mmseg.utils import add_prefix
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from .channel_checks import check_necks, heads_of
from .clip_encoding import (
    check_train_cfg,
    encode_frames,
    keep_statistics,
    no_grad_without_cast_cache,
    only_states_train,
    recomputed,
    split_clip,
    split_trained,
)
from .clip_losses import ClipLosses
from .clip_segmentor import ClipSegmentor, clip_flow
from .decode_heads import CascadeHead, at_frame_size, at_own_size, last_head
from .filters import filter_clip
from .flow_checks import flow_of_frame, used_flow
from .head_rnns import FINAL_RNN, LOGITS, HeadRNNs, pick_rows
from .necks import neck_rnns, run_necks
from .propagation import propagate, propagate_states
from .states import States
from .time_axis import (
    ALL_FRAMES,
    KEY_FRAME,
    Maps,
    fold,
    framewise,
    pick,
    unfold,
)

FILTER = 'filter'  # the place of the filter's state
Levels = Maps  # of clips, (N, T, C_l, h_l, w_l), as the backbone holds them


@MODELS.register_module()
class RecurrentUNet(ClipSegmentor, EncoderDecoder):
    """Maps clips (N, T, C, H, W) to logits of their key frames (N, classes,
    H, W): any backbone, necks and heads of mmseg, with recurrence between.

    Only necks with ``recurrent = True`` (:class:`ConvRNNNeck`) and the RNNs
    in the decode head see time; the encoder takes all frames at once, and the
    decoder only the key frame, unless RNNs in it need them all. One way leads
    through the net, whatever it is for::

        _run(): backbone -> necks -> heads, with RNNs in the decode head
        loss():    _burn_in() -> _ref_states() -> _run() -> losses of the heads
        predict(): inference() of mmseg -> encode_decode() -> _predict()
        step():    _predict()
        _predict(): _run() -> filter -> decode_head.predict_by_feat()
        propagate(): the state of the filter, or of a gated EMA in the decode
            head, warped -> decode_head.predict_by_feat()

    Streams, states and flow: see :class:`ClipSegmentor`. The places of states
    are ``neck.I.LEVEL``, the places of RNNs in the head, and ``filter``.

    Args:
        neck (dict | list[dict] | None): One neck or several, in order.
        final_rnn (dict | None): Config of a :class:`ConvRNN` on the decoder's
            features, right before its classifier ``conv_seg``. Defaults to
            None. ``in_channels`` is filled in.
        head_rnns (dict[str, dict] | None): Configs of :class:`ConvRNN` on
            what modules of the decode head give: the module's name ->
            config. ``conv_seg`` means the logits, ``joins.0`` the finest map
            of a :class:`UNetHead`. Defaults to None. ``in_channels`` is
            filled in.
        filter (dict | None): Filters the logits over time, in tests and
            streams alone, see :class:`EMAFilter`. It has no parameters, so a
            checkpoint fits with it and without; a framewise net's fits where
            there is no RNN. Defaults to None.
        flow_compensated (bool): Whether the states of the decode head's RNNs
            and of the filter are warped by optical flow from frame to frame
            (Nilsson and Sminchisescu, "Semantic video segmentation by gated
            recurrent flow propagation", CVPR 2018). Those of the necks are
            not. The flow comes with the frames. Defaults to False.
        on_missing_flow (str): What such a model does where a frame with a
            past comes without flow: 'error', or 'still', states stay at their
            places. Defaults to 'error'.
        clip_losses (dict[str, dict] | None): Losses, by name, that read the
            logits of a ref frame too, see :class:`ClipLosses`. The decoder
            decodes that frame as well, in training alone. Defaults to None.
        num_stages (int | None): Of a cascade's config, where ``decode_head``
            is a list, see :class:`CascadeHead`. Not read. Defaults to None.
        train_cfg (dict | None): What of a clip trains, see
            :mod:`mmseg_video.models.clip_encoding`:

            - ``ref_grad=False`` stops the gradient of the ref frames at the
              encoder's output: T frames then cost little more memory than
              one, unless RNNs sit in the decode head. ``'states'``: it flows
              through the states of the RNNs alone, so that neither encoder
              nor decoder trains on ref frames. Defaults to True.
            - ``burn_in=B``: the first B frames of a clip only give the state
              to start from, a random number of them. Defaults to 0.
            - ``bptt=k``: the gradient flows through the last k frames.
              Defaults to None, all of them.
            - ``checkpoint_frames=c``: activations of all but the last c
              frames are computed again in the backward pass, c frames at a
              time; of those before, the states alone are kept. With
              ``clip_losses`` of two frames or ``ref_grad=False`` only the
              encoder's are. Defaults to None, all are kept.

            Frames that only give a state leave the running statistics of
            batch norm alone; other ref frames do not, whatever ``ref_grad``.
        args, kwargs: :class:`EncoderDecoder`'s.

    Raises:
        ValueError: If slide inference is to stream, an RNN in the head has no
            place or changes the number of channels, what a recurrent neck
            gives does not fit what reads it, no state could be warped, or an
            option is out of range.
    """

    # Prefixes of training-only parameters; a checkpoint may omit them.
    training_only = ('clip_losses.',)

    def __init__(
        self,
        *args,
        final_rnn: dict | None = None,
        head_rnns: dict[str, dict] | None = None,
        filter: dict | None = None,
        flow_compensated: bool = False,
        on_missing_flow: str = 'error',
        clip_losses: dict[str, dict] | None = None,
        num_stages: int | None = None,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        check_train_cfg(self.train_cfg)
        check_necks(self.necks, heads_of(self))
        final = {} if final_rnn is None else {FINAL_RNN: final_rnn}
        self.head_rnns = HeadRNNs(last_head(self), final | (head_rnns or {}))
        self.filter = None if filter is None else MODELS.build(filter)
        self.clip_losses = ClipLosses(clip_losses or {})
        by_states = (self.train_cfg or {}).get('ref_grad') == 'states'
        if by_states and self.clip_losses.num_decoded > 1:
            raise ValueError(
                "train_cfg.ref_grad='states' leaves ref frames without "
                'gradient, and clip_losses reads the logits of one: set '
                'ref_grad=False, or True'
            )
        if on_missing_flow not in ('error', 'still'):
            raise ValueError(
                "on_missing_flow must be 'error' or 'still', got "
                f"'{on_missing_flow}'"
            )
        self.flow_compensated = flow_compensated
        self.on_missing_flow = on_missing_flow if flow_compensated else None
        if flow_compensated and not (len(self.head_rnns) or self.filter):
            raise ValueError(
                'flow_compensated: there is neither an RNN in the decode head '
                '(head_rnns, final_rnn) nor a filter whose state could be '
                'warped'
            )
        if flow_compensated and (self.test_cfg or {}).get('mode') == 'slide':
            raise ValueError(
                "flow_compensated needs test_cfg.mode='whole', got 'slide': "
                'the flow is that of the whole frame'
            )

    def _init_decode_head(self, decode_head: dict | list[dict]) -> None:
        if not isinstance(decode_head, Sequence):
            super()._init_decode_head(decode_head)
            return
        self.decode_head = CascadeHead(decode_head)
        self.align_corners = self.decode_head.align_corners
        self.num_classes = self.decode_head.num_classes
        self.out_channels = self.decode_head.out_channels

    @property
    def necks(self) -> Sequence[nn.Module]:
        """All necks, in order."""
        if not self.with_neck:
            return ()
        # MMEngine builds a list of configs as one Sequential.
        return self.neck if isinstance(self.neck, Sequential) else [self.neck]

    @property
    def state_maps(self) -> dict[str, int]:
        rnns = neck_rnns(self.necks) | self.head_rnns.by_place
        maps = {place: rnn.cell.num_maps for place, rnn in rnns.items()}
        if self.filter is not None:
            maps[FILTER] = self.filter.num_maps
        return maps

    def _run(
        self,
        clips: Tensor,
        states: States | None,
        flow: Tensor | None,
        wanted: slice,
        heads: Callable[[Levels], Any],
    ) -> tuple[Any, States]:
        """What heads make of clips (N, T, C, H, W), and the states after.

        Args:
            clips (Tensor): In time order.
            states (dict[str, State] | None): Before them.
            flow (Tensor | None): Flow fields (N, T, 3, h, w).
            wanted (slice): The frames whose predictions are asked for.
            heads (Callable): Is given the levels (N, K, C_l', h_l, w_l) that
                the decoder reads, while RNNs sit in the decode head: of all
                frames where there are such RNNs, else of the wanted ones.
        """
        states = states or {}
        if len(self.head_rnns):
            flow = used_flow(flow, clips, bool(states), self.on_missing_flow)
        levels, after = self._pyramid(clips, states, wanted)

        def flow_at(maps):
            return self._flow_at(flow, clips.shape[3:], maps)

        with self.head_rnns.attached(
            last_head(self), clips.shape[0], states, flow_at, wanted
        ) as after_head:
            result = heads(levels)
        return result, after | after_head

    def _flow_at(
        self,
        flow: Tensor | None,
        size: tuple[int, int],
        maps: tuple[int, int],
    ) -> Tensor | None:
        """Flow fields (N, T, 3, h, w) of frames, for states in or behind the
        decode head, see :meth:`filter_flow`."""
        if flow is None:
            return None
        fields = self.filter_flow(fold(flow), size, maps)
        return unfold(fields, flow.shape[0])

    def _pyramid(
        self, clips: Tensor, states: States, wanted: slice
    ) -> tuple[Levels, States]:
        """Levels (N, K, C_l', h_l, w_l) of the frames that the decode head
        reads, and the states of the necks."""
        if self.training:
            levels = encode_frames(self.backbone, clips, self.train_cfg)
        else:
            levels = framewise(self.backbone, clips)
        read = ALL_FRAMES if len(self.head_rnns) else wanted
        return run_necks(self.necks, levels, states, read)

    def extract_feat(self, inputs: Tensor) -> Levels:
        """Levels (N, C_l', h_l, w_l) of the key frames of clips or stills."""
        levels, _ = self._pyramid(self._as_clips(inputs), {}, KEY_FRAME)
        return pick(levels, -1)

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict:
        """Losses of the key frames of ``inputs`` (N, T, C, H, W)."""
        clips, flow = self._as_clips(inputs), clip_flow(data_samples)
        clips, flow, states = self._burn_in(clips, flow)
        self.clip_losses.check(clips.shape[1], data_samples)
        wanted = ALL_FRAMES if self.clip_losses.num_decoded > 1 else KEY_FRAME
        if wanted == KEY_FRAME:
            clips, flow, states = self._ref_states(clips, flow, states)

        def heads(levels):
            losses = self._decode_loss(levels, data_samples)
            if self.with_auxiliary_head:
                losses |= self._auxiliary_head_forward_train(
                    pick(levels, -1), data_samples
                )
            return losses

        return self._run(clips, states, flow, wanted, heads)[0]

    def _decode_loss(
        self, levels: Levels, data_samples: list[SegDataSample]
    ) -> dict:
        recurs = len(self.head_rnns) > 0
        if not self.clip_losses and not recurs:
            return self._decode_head_forward_train(fold(levels), data_samples)
        if self.clip_losses and not recurs:
            # No RNN in the head needs the frames in between.
            levels = self.clip_losses.select(levels, data_samples)
        outputs = self.decode_head.forward(fold(levels))
        if self.clip_losses:
            return self.clip_losses(self.decode_head, outputs, data_samples)
        num_clips, num_frames = tree_leaves(levels)[0].shape[:2]
        outputs = pick_rows(outputs, num_clips, num_frames, KEY_FRAME)
        return add_prefix(
            self.decode_head.loss_by_feat(outputs, data_samples), 'decode'
        )

    def _burn_in(
        self, clips: Tensor, flow: Tensor | None
    ) -> tuple[Tensor, Tensor | None, States | None]:
        """The frames that train, with their flow, and the states that the
        others leave."""
        if not self.training:
            return clips, flow, None
        chunks, rest = split_clip(clips.shape[1], self.train_cfg)
        with no_grad_without_cast_cache(), keep_statistics(self):
            states = _carry(self._advance, chunks, clips, flow, None)
        return *_frames(clips, flow, rest), states

    def _ref_states(
        self, clips: Tensor, flow: Tensor | None, states: States | None
    ) -> tuple[Tensor, Tensor | None, States | None]:
        """Of frames that train, those whose activations are kept, with their
        flow, and the states that the others leave, with a gradient."""
        if not self.training:
            return clips, flow, states
        chunks, rest = split_trained(clips.shape[1], self.train_cfg)
        if (self.train_cfg or {}).get('ref_grad') == 'states':
            rnns = neck_rnns(self.necks) | self.head_rnns.by_place
            advance, context = self._advance, only_states_train(rnns.values())
        else:
            advance, context = recomputed(self._advance, self), nullcontext()
        with context:
            states = _carry(advance, chunks, clips, flow, states)
        return *_frames(clips, flow, rest), states

    def _advance(
        self, clips: Tensor, flow: Tensor | None, states: States | None
    ) -> States:
        """The states after clips (N, T, C, H, W)."""
        return self._run(clips, states, flow, KEY_FRAME, self._advance_head)[1]

    def _advance_head(self, levels: Levels) -> None:
        """Decode for the states of the head's RNNs alone."""
        if len(self.head_rnns):
            self.decode_head.forward(fold(levels))

    def _forward(self, inputs: Tensor, data_samples=None) -> Tensor:
        clips = self._as_clips(inputs)
        flow = None if data_samples is None else clip_flow(data_samples)
        metas = [dict(img_shape=clips.shape[3:])] * clips.shape[0]
        return self._logits(clips, None, flow, metas)[0]

    def _predict(
        self,
        clips: Tensor,
        states: States | None,
        flow: Tensor | None,
        metas: list[dict],
    ) -> tuple[Tensor, States]:
        # Filtered before they are resized, which commutes.
        logits, states = self._logits(clips, states, flow, metas)
        return self.decode_head.predict_by_feat(logits, metas), states

    @property
    def can_propagate(self) -> bool:
        whole = (self.test_cfg or {}).get('mode') != 'slide'
        return whole and self._answering is not None

    @property
    def average(self) -> tuple[str, float] | None:
        if not self.can_propagate:
            return None
        weight = 1.0 if self.filter is None else self.filter.weight
        return self._answering, weight

    @property
    def own_filter(self) -> str | None:
        if self._answering is None:
            return None
        kind = 'gated EMA' if self.filter is None else 'EMA'
        return f'flow-compensated {kind}' if self.flow_compensated else kind

    @property
    def _answering(self) -> str | None:
        """The place whose state alone gives logits; None if none does."""
        if self.filter is not None:
            return FILTER
        rnn = self.head_rnns.by_place.get(LOGITS)
        return LOGITS if rnn is not None and rnn.averages else None

    def _propagate(
        self, states: States, flow: Tensor | None, metas: list[dict]
    ) -> tuple[Tensor, States]:
        size = metas[0].get('pad_shape', metas[0]['img_shape'])[:2]
        flow = flow_of_frame(flow, states, size, self.on_missing_flow)
        logits, after = self._propagated(states, flow, size)
        # The net may be at work in another thread (LiveSegmentor).
        return at_frame_size(self, logits, metas), after

    def _propagated(
        self, states: States, flow: Tensor | None, size: tuple[int, int]
    ) -> tuple[Tensor | None, States]:
        """The logits (N, classes, h, w) that the states alone give, None if
        they give none, and all states at the next frame of this size."""

        def flow_at(maps):
            return self.filter_flow(flow, size, maps)

        answers, after = propagate_states(
            states, flow_at, *self._places_in_head()
        )
        if FILTER not in states:
            return answers.get(LOGITS), after
        state = states[FILTER]
        flow = flow_at(state[0].shape[2:])
        average, after[FILTER] = propagate(state, flow, self.filter.decay)
        return self.filter.answer(average), after

    def _places_in_head(self) -> tuple[dict[str, float], list[str]]:
        """Those whose states are averages, with their decay, and the
        others."""
        by_place = self.head_rnns.by_place
        averages = {p: 1.0 for p, rnn in by_place.items() if rnn.averages}
        return averages, [p for p in by_place if p not in averages]

    def carried(
        self, states: States, flow: Tensor | None, size: tuple[int, int]
    ) -> States:
        flow = flow if self.flow_compensated else None
        return self._propagated(states, flow, size)[1] if states else states

    def _scores(
        self, frame: Tensor, states: States, flow: Tensor | None
    ) -> tuple[Tensor, States]:
        own = {k: v for k, v in states.items() if k != FILTER}
        if flow is not None:
            flow = flow.unsqueeze(1)
        metas = [dict(img_shape=frame.shape[2:])]
        return self._decoded(frame.unsqueeze(1), own, flow, KEY_FRAME, metas)

    def resized(self, scores: Tensor, size: tuple[int, int]) -> Tensor:
        return at_frame_size(self, scores, [dict(img_shape=size)])

    def _logits(
        self,
        clips: Tensor,
        states: States | None,
        flow: Tensor | None,
        metas: list[dict],
    ) -> tuple[Tensor, States]:
        """Logits (N, classes, h, w) of the key frames, of the decode head's
        own size and filtered, and the states after the clips."""
        wanted = KEY_FRAME if self.filter is None else ALL_FRAMES
        logits, after = self._decoded(clips, states, flow, wanted, metas)
        if self.filter is None:
            return logits, after
        flow = used_flow(flow, clips, bool(states), self.on_missing_flow)
        logits, state = filter_clip(
            self.filter,
            unfold(logits, clips.shape[0]),
            (states or {}).get(FILTER),
            self._flow_at(flow, clips.shape[3:], logits.shape[2:]),
        )
        return logits, after | {FILTER: state}

    def _decoded(
        self,
        clips: Tensor,
        states: States | None,
        flow: Tensor | None,
        wanted: slice,
        metas: list[dict],
    ) -> tuple[Tensor, States]:
        """Logits (N*K, classes, h, w) of K wanted frames, of the decode
        head's own size, and the states but the filter's."""
        with at_own_size(self):
            return self._run(
                *(clips, states, flow, wanted),
                lambda levels: self.decode_head.predict(
                    fold(levels), metas, self.test_cfg
                ),
            )


def _carry(
    advance: Callable[[Tensor, Tensor | None, States | None], States],
    chunks: list[slice],
    clips: Tensor,
    flow: Tensor | None,
    states: States | None,
) -> States | None:
    """The states after chunks of the frames of clips (N, T, C, H, W)."""
    for chunk in chunks:
        states = advance(*_frames(clips, flow, chunk), states)
    return states


def _frames(
    clips: Tensor, flow: Tensor | None, frames: slice
) -> tuple[Tensor, Tensor | None]:
    return clips[:, frames], None if flow is None else flow[:, frames]
