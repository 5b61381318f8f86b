from abc import abstractmethod

from mmengine.logging import print_log
from mmseg.models.segmentors import EncoderDecoder
from mmseg.structures import SegDataSample
from torch import Tensor

from .recurrent import State

States = tuple[State, ...]


def keep_finite(after: States, before: States | None) -> States | None:
    """The states after a frame, or those before it where they are broken.

    One bad frame must not poison the rest of the stream.
    """
    # Not a sum of them: that of many float16 values is infinite itself.
    if all(part.isfinite().all() for state in after for part in state):
        return after
    print_log(
        'a frame gave states that are not finite: the states from before it '
        'are kept',
        logger='current',
        level=30,
    )
    return before


class ClipSegmentor(EncoderDecoder):
    """Maps clips (N, T, C, H, W) to logits of their key frames (N, classes,
    H, W); a base class.

    A subclass says how, in :meth:`_predict`; clips, stills and streams, and
    mmseg's whole and slide inference, then come for nothing::

        predict(): inference() of mmseg -> encode_decode() -> _predict()
        step():    _predict()

    T = 1 is the single frame. A stream is a clip of one frame with carried
    states::

        states = None
        for frame in stream:                      # (N, C, H, W), normalised
            logits, states = model.step(frame, states)

    In eval mode with ``test_cfg=dict(mode='whole', streaming=True)`` the
    segmentor carries them itself, in ``states``, until ``reset_states()``.

    Args:
        args, kwargs: :class:`EncoderDecoder`'s.

    Raises:
        ValueError: If slide inference is to stream: windows share no state.
    """

    # A class attribute and never a buffer: DDP would overwrite it by rank
    # 0's, and a checkpoint would carry it into another video.
    states: States | None = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self._streaming and self.test_cfg.get('mode') == 'slide':
            raise ValueError(
                "test_cfg: streaming=True needs mode='whole', got 'slide': "
                'the windows of a frame would share one state. Set '
                "mode='whole', or streaming=False to predict from clips"
            )

    @abstractmethod
    def _predict(
        self, clips: Tensor, states: States | None, metas: list[dict]
    ) -> tuple[Tensor, States]:
        """Logits (N, classes, H, W) of the key frames, and the states after
        the clips (N, T, C, H, W).

        Zeros are worth as much as None: maps of zeros begin a sequence too
        (in an exported graph, also a single zero (1, 1, 1, 1) for each map).
        """

    @property
    @abstractmethod
    def state_sizes(self) -> list[int]:
        """Number of maps in each of the states."""

    def check_export(self) -> None:
        """Refuse what no ONNX graph can do.

        Raises:
            ValueError: If a part of the model is none.
        """

    @property
    def _streaming(self) -> bool:
        return bool((self.test_cfg or {}).get('streaming', False))

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
            states = tuple(tuple(p.detach() for p in s) for s in states)
            self.states = keep_finite(states, self.states)
        return logits

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
