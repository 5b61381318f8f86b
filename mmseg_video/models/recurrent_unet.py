from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from mmengine.logging import print_log
from mmengine.model import Sequential
from mmseg.models.segmentors import EncoderDecoder
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor
from torch.nn import Module, ModuleList

from .channels import check_channels
from .recurrent import State

States = tuple[State, ...]
KEY_FRAME = slice(-1, None)


@MODELS.register_module()
class RecurrentUNet(EncoderDecoder):
    """Maps clips (N, T, C, H, W) to logits of their key frames (N, classes,
    H, W): any backbone, necks and heads of mmseg, with recurrence between.

    Only necks with ``recurrent = True`` (:class:`ConvRNNNeck`) and the final
    RNN see time; the encoder takes all frames at once, and the decoder only
    the key frame, unless a final RNN needs them all::

        loss():    _encode() -> decode_head.loss(), auxiliary_head.loss()
        predict(): inference() of mmseg -> encode_decode() -> _predict()
        step():    _predict()
        _predict(): _encode() -> decode_head.predict()

    T = 1 is the single frame. A stream is a clip of one frame with carried
    states::

        states = None
        for frame in stream:                      # (N, C, H, W), normalised
            logits, states = model.step(frame, states)

    In eval mode with ``test_cfg=dict(mode='whole', streaming=True)`` the
    segmentor carries them itself, in ``states``, until ``reset_states()``.

    Args:
        neck (dict | list[dict] | None): One neck or several, in order.
        final_rnn (dict | None): Config of a :class:`ConvRNN` on the decoder's
            features, right before its classifier ``conv_seg``. Defaults to
            None. ``in_channels`` is filled in.
        train_cfg (dict | None): ``ref_grad=False`` stops the gradient of the
            ref frames at the encoder's output: T frames then cost little more
            memory than one. Defaults to True.
        args, kwargs: :class:`EncoderDecoder`'s.

    Raises:
        ValueError: If slide inference is to stream: windows share no state;
            or what a recurrent neck gives does not fit what reads it.
    """

    # A class attribute and never a buffer: DDP would overwrite it by rank
    # 0's, and a checkpoint would carry it into another video.
    states: States | None = None

    def __init__(self, *args, final_rnn: dict | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        if self._streaming and self.test_cfg.get('mode') == 'slide':
            raise ValueError(
                "test_cfg: streaming=True needs mode='whole', got 'slide': "
                'the windows of a frame would share one state. Set '
                "mode='whole', or streaming=False to predict from clips"
            )
        self._check_channels()
        self.final_rnn = None
        if final_rnn is not None:
            channels = self.decode_head.conv_seg.in_channels
            self.final_rnn = MODELS.build(
                {'type': 'ConvRNN', **final_rnn, 'in_channels': channels}
            )
            if self.final_rnn.out_channels != channels:
                raise ValueError(
                    "final_rnn: connection='dense' changes the number of "
                    "channels before the classifier; use 'standard' or "
                    "'residual'"
                )

    @property
    def _streaming(self) -> bool:
        return bool((self.test_cfg or {}).get('streaming', False))

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
    def _heads(self) -> dict[str, Module]:
        """The heads by their place in the config."""
        heads = {'decode_head': self.decode_head}
        if self.with_auxiliary_head:
            aux = self.auxiliary_head
            if isinstance(aux, ModuleList):
                heads |= {f'auxiliary_head.{i}': h for i, h in enumerate(aux)}
            else:
                heads['auxiliary_head'] = aux
        return heads

    def rename_framewise(self, weights: dict) -> dict:
        """The twin's ``state_dict`` under this model's names.

        Where the twin's one neck has become one of several, its tensors move
        from ``neck.*`` to ``neck.<its place>.*``; all others stay.
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

    def reset_states(self) -> None:
        """Forget the stream: the next frame begins a new sequence."""
        self.states = None

    def step(
        self, frame: Tensor, states: States | None = None
    ) -> tuple[Tensor, States]:
        """Logits (N, classes, H, W) of one frame of N streams, and states.

        Args:
            frame (Tensor): Normalised frames (N, C, H, W).
            states (tuple | None): What the last step returned. Defaults to
                None, the start of a sequence.

        Raises:
            ValueError: If the states belong to frames of another size.
        """
        metas = [dict(img_shape=frame.shape[2:])]
        return self._predict(frame.unsqueeze(1), states, metas)

    def extract_feat(self, inputs: Tensor) -> list[Tensor]:
        """Levels (N, C_l', h_l, w_l) of the key frames of clips or stills."""
        clips = self._as_clips(inputs)
        feats, _ = self._encode(clips, None)
        return self._key_frames(feats, clips.shape[0])

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict:
        """Losses of the key frames of ``inputs`` (N, T, C, H, W)."""
        clips = self._as_clips(inputs)
        feats, _ = self._encode(clips, None)
        with self._with_final_rnn(clips.shape[0], None):
            losses = self._decode_head_forward_train(feats, data_samples)
        if self.with_auxiliary_head:
            feats = self._key_frames(feats, clips.shape[0])
            losses.update(
                self._auxiliary_head_forward_train(feats, data_samples)
            )
        return losses

    def predict(
        self, inputs: Tensor, data_samples: list[SegDataSample] | None = None
    ) -> list[SegDataSample]:
        """Predictions for the key frames of ``inputs`` (N, T, C, H, W)."""
        # Time rides on the channel axis through mmseg's whole and slide
        # inference, so that every frame of a clip is cropped alike.
        clips = self._as_clips(inputs)
        return super().predict(clips.flatten(1, 2), data_samples)

    def encode_decode(
        self, inputs: Tensor, batch_img_metas: list[dict]
    ) -> Tensor:
        """Logits (N, classes, H, W) from clips folded to (N, T*C, H, W)."""
        clips = inputs.unflatten(1, (-1, self._frame_channels))
        streaming = self._streaming and not self.training
        logits, states = self._predict(
            clips, self.states if streaming else None, batch_img_metas
        )
        if streaming:
            self._carry(states)
        return logits

    def _forward(self, inputs: Tensor, data_samples=None) -> Tensor:
        clips = self._as_clips(inputs)
        feats, _ = self._encode(clips, None)
        with self._with_final_rnn(clips.shape[0], None):
            return self.decode_head.forward(feats)

    def _predict(
        self, clips: Tensor, states: States | None, metas: list[dict]
    ) -> tuple[Tensor, States]:
        states = states or (None,) * self._num_states
        feats, neck_states = self._encode(clips, states)
        final = states[-1] if self.final_rnn is not None else None
        with self._with_final_rnn(clips.shape[0], final) as final_state:
            logits = self.decode_head.predict(feats, metas, self.test_cfg)
        return logits, (*neck_states, *final_state)

    @property
    def _num_states(self) -> int:
        necks = [n for n in self._necks if getattr(n, 'recurrent', False)]
        return sum(n.num_states for n in necks) + (self.final_rnn is not None)

    def _encode(
        self, clips: Tensor, states: States | None
    ) -> tuple[list[Tensor], States]:
        """Levels (N*K, C_l', h_l, w_l) of the K frames that are decoded, and
        the states of the necks."""
        num_clips = clips.shape[0]
        frames = KEY_FRAME if self.final_rnn is None else slice(None)
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
                slice(None) if any(recurrent[i + 1 :]) else frames,
            )
            new_states.extend(after)
            feats = [x.flatten(0, 1) for x in feats]
        return list(feats), tuple(new_states)

    def _encode_frames(self, clips: Tensor) -> Sequence[Tensor]:
        """The backbone's levels (N*T, C_l, h_l, w_l)."""
        ref_grad = (self.train_cfg or {}).get('ref_grad', True)
        if ref_grad or not self.training or clips.shape[1] == 1:
            return self.backbone(clips.flatten(0, 1))
        with torch.no_grad():
            ref = self.backbone(clips[:, :-1].flatten(0, 1))
        key = self.backbone(clips[:, -1])
        return [
            torch.cat([r.unflatten(0, (len(k), -1)), k[:, None]], 1).flatten(
                0, 1
            )
            for r, k in zip(ref, key, strict=True)
        ]

    def _key_frames(
        self, feats: Sequence[Tensor], num_clips: int
    ) -> list[Tensor]:
        return [x.unflatten(0, (num_clips, -1))[:, -1] for x in feats]

    @contextmanager
    def _with_final_rnn(
        self, num_clips: int, state: State | None
    ) -> Iterator[list[State]]:
        """While open, the head's classifier reads the final RNN's output.

        A hook on ``conv_seg`` instead of a head of its own: any head keeps
        its class and its parameter names, and so its framewise checkpoint.
        Yields a list that holds the RNN's state after the head has run.
        """
        after = []
        if self.final_rnn is None:
            yield after
            return

        def recur(_, args):
            clips = args[0].unflatten(0, (num_clips, -1))
            out, new_state = self.final_rnn(clips, state, KEY_FRAME)
            after.append(new_state)
            return out.flatten(0, 1)

        handle = self.decode_head.conv_seg.register_forward_pre_hook(recur)
        try:
            yield after
        finally:
            handle.remove()

    def _carry(self, states: States) -> None:
        """Keep the states for the next frame, unless they are broken."""
        if not all(torch.isfinite(state[0].sum()) for state in states):
            # One bad frame must not poison the rest of the stream.
            print_log(
                'a frame gave states that are not finite: the states from '
                'before it are kept',
                logger='current',
                level=30,
            )
            return
        self.states = tuple(
            tuple(part.detach() for part in state) for state in states
        )

    @property
    def _frame_channels(self) -> int:
        """Colours of one frame, C."""
        return next(
            p.shape[1] for p in self.backbone.parameters() if p.ndim == 4
        )

    def _as_clips(self, inputs: Tensor) -> Tensor:
        """Clips (N, T, C, H, W); stills (N, C, H, W) are clips of T = 1."""
        if inputs.ndim not in (4, 5):
            raise ValueError(
                'expected clips (N, T, C, H, W) or stills (N, C, H, W), got '
                f'{tuple(inputs.shape)}'
            )
        return inputs if inputs.ndim == 5 else inputs.unsqueeze(1)
