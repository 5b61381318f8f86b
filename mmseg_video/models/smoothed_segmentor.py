from mmseg.models.segmentors import EncoderDecoder
from mmseg.registry import MODELS
from torch import Tensor

from .clip_segmentor import ClipSegmentor, States


@MODELS.register_module()
class SmoothedEncoderDecoder(ClipSegmentor):
    """Maps clips (N, T, C, H, W) to logits of their key frames (N, classes,
    H, W): a framewise net, whose logits are averaged over time.

    What a recurrent net has to beat. It has the framewise net's parameters,
    no others, and takes its checkpoint as it is; its training is the
    framewise one, on the key frames::

        _predict(): (backbone -> neck -> decode_head -> smoother) per frame

    Args:
        smoother (dict): :class:`ExponentialSmoother` or
            :class:`FlowSmoother`.
        args, kwargs: :class:`EncoderDecoder`'s. The preprocessor must be a
            :class:`ClipDataPreProcessor`.
    """

    def __init__(self, *args, smoother: dict, **kwargs):
        super().__init__(*args, **kwargs)
        self.smoother = MODELS.build(smoother)

    @property
    def state_sizes(self) -> list[int]:
        return [self.smoother.num_maps]

    def check_export(self) -> None:
        self.smoother.check_export()

    def extract_feat(self, inputs: Tensor) -> list[Tensor]:
        """Levels (N, C_l, h_l, w_l) of the key frames of clips or stills."""
        return super().extract_feat(self._as_clips(inputs)[:, -1])

    def _forward(self, inputs: Tensor, data_samples=None) -> Tensor:
        return self._smooth(self._as_clips(inputs), None)[0]

    def _predict(
        self, clips: Tensor, states: States | None, metas: list[dict]
    ) -> tuple[Tensor, States]:
        logits, states = self._smooth(clips, states)
        return self.decode_head.predict_by_feat(logits, metas), states

    def _smooth(
        self, clips: Tensor, states: States | None
    ) -> tuple[Tensor, States]:
        """Averaged logits (N, classes, h, w) of the key frames; at the
        head's own size, since resizing commutes with averaging."""
        state = None if states is None else states[0]
        for frame in clips.unbind(1):
            feats = EncoderDecoder.extract_feat(self, frame)
            logits = self.decode_head.forward(feats)
            image = self.data_preprocessor.pixels(frame)
            logits, state = self.smoother(logits, image, state)
        return logits, (state,)
