from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from mmengine.model import Sequential
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from .channel_checks import check_channels
from .clip_encoding import (
    check_train_cfg,
    encode_frames,
    keep_statistics,
    split_clip,
)
from .clip_losses import ClipLosses
from .clip_segmentor import ClipSegmentor, States
from .motion import move
from .recurrent import ConvRNN, RecurrentCell, State

KEY_FRAME = slice(-1, None)
ALL_FRAMES = slice(None)
FINAL = 'before conv_seg'  # the place of the final RNN


@MODELS.register_module()
class RecurrentUNet(ClipSegmentor):
    """Maps clips (N, T, C, H, W) to logits of their key frames (N, classes,
    H, W): any backbone, necks and heads of mmseg, with recurrence between.

    Only necks with ``recurrent = True`` (:class:`ConvRNNNeck`) and the RNNs
    in the decode head see time; the encoder takes all frames at once, and the
    decoder only the key frame, unless RNNs in it need them all::

        loss():    _encode() -> decode_head.loss(), auxiliary_head.loss()
        predict(): inference() of mmseg -> encode_decode() -> _predict()
        step():    _predict()
        _predict(): _encode() -> decode_head.predict(), or
                    _encode() -> decode_head() of all frames -> filter

    Streams and states: see :class:`ClipSegmentor`.

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
        motion (dict | None): Config of a :class:`Motion`: the RNNs in the
            head see their states along the optical flow from the present
            frame to the one before, which is one more state. Those of the
            necks do not. Defaults to None.
        clip_losses (dict[str, dict] | None): Losses, by name, that read the
            logits of a ref frame too, see :class:`ClipLosses`. The decoder
            decodes that frame as well, in training alone. Defaults to None.
        filter (dict | None): Averages the logits over time, in tests and
            streams alone: :class:`EMAFilter` or
            :class:`FlowEMAFilter`. It has no parameters, so a checkpoint fits
            with it and without; a framewise net's fits where there is no RNN.
            Defaults to None.
        train_cfg (dict | None): What of a clip trains, see
            :mod:`mmseg_video.models.clip_encoding`:

            - ``ref_grad=False`` stops the gradient of the ref frames at the
              encoder's output: T frames then cost little more memory than
              one. Defaults to True.
            - ``burn_in=B``: the first B frames of a clip only give the state
              to start from, a random number of them. Defaults to 0.
            - ``bptt=k``: the gradient flows through the last k frames.
              Defaults to None, all of them.
            - ``checkpoint_frames=c``: the encoder's activations are computed
              again in the backward pass, c frames at a time. Defaults to
              None, they are kept.

            Frames that only give a state leave the running statistics of
            batch norm alone; ref frames under ``ref_grad=False`` do not.
        args, kwargs: :class:`EncoderDecoder`'s.

    Raises:
        ValueError: If slide inference is to stream, an RNN in the head has no
            place or changes the number of channels, what a recurrent neck
            gives does not fit what reads it, or a number in ``train_cfg`` is
            out of range.
    """

    # What a test does not need: a checkpoint may lack it.
    training_only = ('clip_losses.',)

    def __init__(
        self,
        *args,
        final_rnn: dict | None = None,
        head_rnns: dict[str, dict] | None = None,
        motion: dict | None = None,
        clip_losses: dict[str, dict] | None = None,
        filter: dict | None = None,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.filter = None if filter is None else MODELS.build(filter)
        self.clip_losses = ClipLosses(clip_losses or {})
        check_train_cfg(self.train_cfg)
        self._check_channels()
        self.final_rnn = None
        if final_rnn is not None:
            channels = self.decode_head.conv_seg.in_channels
            self.final_rnn = _head_rnn(final_rnn, channels, 'final_rnn')
        # Where each RNN sits -> the RNN, under a name that a module may have.
        self._places = list(head_rnns or {})
        self.head_rnns = nn.ModuleDict(
            {
                place.replace('.', '_'): _head_rnn(
                    cfg, self._head_channels(place), f"head_rnns['{place}']"
                )
                for place, cfg in (head_rnns or {}).items()
            }
        )
        self.motion = None
        if motion is not None:
            self.motion = MODELS.build({'type': 'Motion', **motion})
            if not self._head_places:
                raise ValueError(
                    'motion: there is no RNN in the decode head (head_rnns, '
                    'final_rnn) whose state could move'
                )

    def _head_channels(self, place: str) -> int:
        """Channels that a module of the decode head gives."""
        modules = dict(self.decode_head.named_modules())
        if not place or place not in modules:
            names = [n for n in modules if n and n.count('.') < 2]
            raise ValueError(
                f'head_rnns: {type(self.decode_head).__name__} has no module '
                f"'{place}': it has {', '.join(names)}, and theirs"
            )
        parts = reversed(list(modules[place].modules()))
        channels = [
            p.out_channels for p in parts if hasattr(p, 'out_channels')
        ]
        if not channels:
            raise ValueError(
                f"head_rnns: '{place}' has no convolution that would tell its "
                'channels: name a module that has'
            )
        return channels[0]

    @property
    def _necks(self) -> Sequence:
        if not self.with_neck:
            return ()
        # MMEngine builds a list of configs as one Sequential.
        return self.neck if isinstance(self.neck, Sequential) else [self.neck]

    def _check_channels(self) -> None:
        """Each recurrent neck against what reads its levels."""
        necks = list(self._necks)
        for i, neck in enumerate(necks):
            if not getattr(neck, 'recurrent', False):
                continue
            readers = self._heads
            if neck is not necks[-1]:
                readers = {f'neck.{i + 1}': necks[i + 1]}
            for name, reader in readers.items():
                check_channels(neck.out_channels, reader, name)

    @property
    def _heads(self) -> dict[str, nn.Module]:
        """The heads by their place in the config."""
        heads = {'decode_head': self.decode_head}
        if self.with_auxiliary_head:
            aux = self.auxiliary_head
            if isinstance(aux, nn.ModuleList):
                heads |= {f'auxiliary_head.{i}': h for i, h in enumerate(aux)}
            else:
                heads['auxiliary_head'] = aux
        return heads

    def rename_framewise(self, weights: dict) -> dict:
        """The baseline's ``state_dict`` under this model's names.

        Where its one neck has become one of several, its tensors move from
        ``neck.*`` to ``neck.<its place>.*``; all others stay.
        """
        places = [
            i
            for i, neck in enumerate(self._necks)
            if not getattr(neck, 'recurrent', False)
        ]
        if len(self._necks) < 2 or len(places) != 1:
            return weights

        def rename(key):
            name = key.removeprefix('neck.')
            if name == key or name.split('.')[0].isdigit():
                return key
            return f'neck.{places[0]}.{name}'

        return {rename(key): value for key, value in weights.items()}

    def widen_framewise(self, weights: dict[str, Tensor]) -> dict:
        """The baseline's weights, renamed, for a decoder that also reads h.

        ``connection='dense'`` widens the decoder's first convolutions. Where
        the head can (:meth:`UNetHead.widen`), their new inputs get zeros, so
        that a dense model too equals its baseline at the start. Weights that
        fit already stay.
        """
        necks = list(self._necks)
        if not hasattr(self.decode_head, 'widen') or not necks:
            return weights
        narrow = list(getattr(necks[-1], 'in_channels', []))
        prefix = 'decode_head.'
        head = {
            key.removeprefix(prefix): value
            for key, value in weights.items()
            if key.startswith(prefix)
        }
        ours = self.decode_head.state_dict()
        fits = all(
            ours[k].shape == v.shape for k, v in head.items() if k in ours
        )
        if fits or len(narrow) != len(self.decode_head.in_channels):
            return weights
        head = self.decode_head.widen(head, narrow)
        return weights | {prefix + key: value for key, value in head.items()}

    def extract_feat(self, inputs: Tensor) -> list[Tensor]:
        """Levels (N, C_l', h_l, w_l) of the key frames of clips or stills."""
        clips = self._as_clips(inputs)
        feats, _ = self._encode(clips, None)
        return self._key_frames(feats, clips.shape[0])

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict:
        """Losses of the key frames of ``inputs`` (N, T, C, H, W)."""
        clips, states = self._burn_in(self._as_clips(inputs))
        self.clip_losses.check(clips.shape[1], data_samples)
        wanted = ALL_FRAMES if self.clip_losses.num_decoded > 1 else KEY_FRAME
        feats, _ = self._encode(clips, states, wanted)
        with self._with_head_rnns(clips, states, wanted):
            losses = self._decode_head_forward_train(feats, data_samples)
        if self.with_auxiliary_head:
            feats = self._key_frames(feats, clips.shape[0])
            losses.update(
                self._auxiliary_head_forward_train(feats, data_samples)
            )
        return losses

    def _decode_head_forward_train(
        self, inputs: list[Tensor], data_samples: list[SegDataSample]
    ) -> dict:
        if not self.clip_losses:
            return super()._decode_head_forward_train(inputs, data_samples)
        if not self._head_places:
            # No RNN in the head needs the frames in between.
            inputs = self.clip_losses.select(inputs, data_samples)
        logits = self.decode_head.forward(inputs)
        return self.clip_losses(self.decode_head, logits, data_samples)

    def _forward(self, inputs: Tensor, data_samples=None) -> Tensor:
        clips = self._as_clips(inputs)
        return self._decode(clips, None, self.decode_head.forward)[0]

    def _predict(
        self, clips: Tensor, states: States | None, metas: list[dict]
    ) -> tuple[Tensor, States]:
        head = self.decode_head
        if self.filter is None:
            return self._decode(
                clips, states, lambda x: head.predict(x, metas, self.test_cfg)
            )
        # Averaged before they are resized, which commutes.
        logits, states = self._decode(clips, states, head.forward)
        return head.predict_by_feat(logits, metas), states

    def _decode(
        self,
        clips: Tensor,
        states: States | None,
        head: Callable[[list[Tensor]], Tensor],
    ) -> tuple[Tensor, States]:
        """Logits (N, classes, h, w) of the key frames, as ``head`` gives
        them, and the states after the clips."""
        wanted = KEY_FRAME if self.filter is None else ALL_FRAMES
        states = states or (None,) * len(self.state_sizes)
        feats, after = self._encode(clips, states, wanted)
        with self._with_head_rnns(clips, states, wanted) as after_head:
            logits = head(feats)
        after = (*after, *after_head)
        if self.filter is None:
            return logits, after
        logits, average = self._smooth(logits, clips, states[-1])
        return logits, (*after, average)

    def _smooth(
        self, logits: Tensor, clips: Tensor, state: State | None
    ) -> tuple[Tensor, State]:
        """The average (N, classes, h, w) after the clips, and its state."""
        logits = logits.unflatten(0, clips.shape[:2])
        for now, frame in zip(logits.unbind(1), clips.unbind(1), strict=True):
            image = self.data_preprocessor.pixels(frame)
            average, state = self.filter(now, image, state)
        return average, state

    def check_export(self) -> None:
        if self.filter is not None:
            self.filter.check_export()
        if self.motion is not None:
            raise ValueError(
                'motion cannot be exported: its optical flow is computed by '
                'OpenCV, outside of the net'
            )

    @property
    def state_sizes(self) -> list[int]:
        modules = (
            *(m for neck in self._necks for m in neck.modules()),
            *(rnn.cell for rnn in self._head_places.values()),
        )
        sizes = [m.num_maps for m in modules if isinstance(m, RecurrentCell)]
        if self.motion is not None:
            sizes.append(1)  # the frame before
        return sizes + ([self.filter.num_maps] if self.filter else [])

    @property
    def _num_states(self) -> int:
        """Of the RNNs. Behind them are the frame before, for ``motion``, and
        the filter's."""
        necks = [n for n in self._necks if getattr(n, 'recurrent', False)]
        return sum(n.num_states for n in necks) + len(self._head_places)

    @property
    def _head_places(self) -> dict[str, ConvRNN]:
        """The RNNs of the decode head, by place."""
        final = {} if self.final_rnn is None else {FINAL: self.final_rnn}
        return final | dict(
            zip(self._places, self.head_rnns.values(), strict=True)
        )

    def _encode(
        self,
        clips: Tensor,
        states: States | None,
        wanted: slice = KEY_FRAME,
    ) -> tuple[list[Tensor], States]:
        """Levels (N*K, C_l', h_l, w_l) of the K frames that are decoded, and
        the states of the necks. The ``wanted`` frames are among the K."""
        num_clips = clips.shape[0]
        frames = ALL_FRAMES if self._head_places else wanted
        states = list(states or (None,) * self._num_states)
        feats = self._encode_frames(clips)
        # To drop ref frames as early as possible, the last recurrent neck
        # returns only what is decoded.
        necks = list(self._necks)
        recurrent = [getattr(neck, 'recurrent', False) for neck in necks]
        if not any(recurrent):
            feats = [x.unflatten(0, (num_clips, -1))[:, frames] for x in feats]
            feats = [x.flatten(0, 1) for x in feats]
        new_states = []
        for i, neck in enumerate(necks):
            if not recurrent[i]:
                feats = neck(feats)
                continue
            feats = [x.unflatten(0, (num_clips, -1)) for x in feats]
            begin = len(new_states)
            feats, after = neck(
                feats,
                states[begin : begin + neck.num_states],
                ALL_FRAMES if any(recurrent[i + 1 :]) else frames,
            )
            new_states.extend(after)
            feats = [x.flatten(0, 1) for x in feats]
        return list(feats), tuple(new_states)

    def _encode_frames(self, clips: Tensor) -> Sequence[Tensor]:
        """The backbone's levels (N*T, C_l, h_l, w_l)."""
        if self.training:
            return encode_frames(self.backbone, clips, self.train_cfg)
        return self.backbone(clips.flatten(0, 1))

    def _burn_in(self, clips: Tensor) -> tuple[Tensor, States | None]:
        """The frames that train, and the states that the others leave."""
        states = None
        if not self.training:
            return clips, states
        before, clips = split_clip(clips, self.train_cfg)
        for chunk in before:
            states = self._states_after(chunk, states)
        return clips, states

    @torch.no_grad()
    def _states_after(self, clips: Tensor, states: States | None) -> States:
        with keep_statistics(self):
            feats, after = self._encode(clips, states)
            if not self._head_places:
                return after
            with self._with_head_rnns(clips, states) as after_head:
                self.decode_head.forward(feats)
        return (*after, *after_head)

    def _key_frames(
        self, feats: Sequence[Tensor], num_clips: int
    ) -> list[Tensor]:
        return [x.unflatten(0, (num_clips, -1))[:, -1] for x in feats]

    @contextmanager
    def _with_head_rnns(
        self,
        clips: Tensor,
        states: States | None,
        wanted: slice = KEY_FRAME,
    ) -> Iterator[list[State]]:
        """While open, RNNs sit in the decode head, which then decodes all
        frames of the clips; from its classifier on, the wanted ones only.

        Hooks on its modules instead of a head of its own: any head keeps its
        class and its parameter names, and so its framewise checkpoint.
        Yields a list that holds the states of the head, when this is over.
        """
        num_clips, after, after_head = clips.shape[0], {}, []
        places = self._head_places
        states = list(states or (None,) * len(self.state_sizes))
        end = self._num_states
        head = states[end - len(places) : end]
        before = dict(zip(places, head, strict=True))
        see, frame_state = self._motion(clips, states)

        def recur(place, feats, frames):
            if place in after:
                raise ValueError(
                    f"head_rnns: the decode head calls '{place}' more than "
                    'once a frame: name a module that it calls once'
                )
            feats = feats.unflatten(0, (num_clips, -1))
            out, after[place] = places[place](
                feats, before[place], frames, see
            )
            return out.flatten(0, 1)

        def after_module(place):
            frames = wanted if place == 'conv_seg' else ALL_FRAMES
            return lambda module, args, out: recur(place, out, frames)

        def before_classifier(module, args):
            frames = ALL_FRAMES if 'conv_seg' in places else wanted
            if FINAL in places:
                return recur(FINAL, args[0], frames)
            feats = args[0].unflatten(0, (num_clips, -1))
            return feats[:, frames].flatten(0, 1)

        with ExitStack() as stack:
            for place in self._places:
                module = self.decode_head.get_submodule(place)
                hook = module.register_forward_hook(after_module(place))
                stack.callback(hook.remove)
            if places:
                classifier = self.decode_head.conv_seg
                hook = classifier.register_forward_pre_hook(before_classifier)
                stack.callback(hook.remove)
            yield after_head
        if len(after) < len(places):
            unused = ', '.join(set(places) - set(after))
            raise ValueError(
                f"head_rnns: the decode head does not call '{unused}' by "
                'itself: name a module that it does'
            )
        after_head += [after[place] for place in places] + frame_state

    def _motion(
        self, clips: Tensor, states: list[State | None]
    ) -> tuple[Callable[[int, State], State] | None, list[State]]:
        """What frame t of the clips sees of a state, and the last frame."""
        if self.motion is None:
            return None, []
        frames = self.motion.reduce(clips.flatten(0, 1))
        frames = self.data_preprocessor.pixels(frames)
        frames = frames.unflatten(0, clips.shape[:2])
        past = states[self._num_states]
        if past is not None:
            RecurrentCell.check_state(frames[:, 0], past)
        flows = self.motion.of_clips(frames, None if past is None else past[0])

        def see(t, state):
            return state if flows[t] is None else move(state, flows[t])

        return see, [(frames[:, -1],)]


def _head_rnn(cfg: dict, channels: int, name: str) -> ConvRNN:
    """An RNN that gives the decode head as many channels as it takes."""
    rnn = MODELS.build({'type': 'ConvRNN', **cfg, 'in_channels': channels})
    if rnn.out_channels != channels:
        raise ValueError(
            f"{name}: connection='dense' changes the number of channels that "
            "the decode head reads; use 'standard', 'residual' or 'split'"
        )
    return rnn
