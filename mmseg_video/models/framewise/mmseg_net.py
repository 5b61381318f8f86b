from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from mmseg.registry import MODELS
from torch import Tensor, nn

from ..decode_heads import at_own_size, per_class
from ..inference import infer
from ..states import States
from .framewise import Framewise


@MODELS.register_module()
class MMSegNet(Framewise):
    """A segmentor of MMSegmentation's as a net to steady.

    Its logits are taken before its head resizes them, and its own
    ``inference()`` runs: whole frames, or windows whose logits are averaged
    (``test_cfg.mode='slide'``), at the frame's size then.

    Args:
        net (nn.Module | dict): The segmentor, or its config.
        classes (Sequence[str]): See :class:`Framewise`.
        kwargs: :class:`Framewise`'s.
    """

    def __init__(
        self, net: nn.Module | dict, classes: Sequence[str], **kwargs
    ):
        net = MODELS.build(net) if isinstance(net, dict) else net
        test_cfg = getattr(net, 'test_cfg', None) or {}
        if test_cfg.get('mode') == 'slide':
            kwargs.setdefault('smallest', tuple(test_cfg['crop_size']))
        super().__init__(classes, **kwargs)
        self.net = net
        self.align_corners = net.align_corners

    def scores(self, frames: Tensor) -> Tensor:
        inputs = normalised(self.net.data_preprocessor, frames)
        with self._at_own_size():
            return self._as_classes(infer(self.net, inputs))

    def _at_own_size(self) -> AbstractContextManager:
        slides = (self.net.test_cfg or {}).get('mode') == 'slide'
        # Logits of windows are added up at the frame's size.
        return nullcontext() if slides else at_own_size(self.net)

    def _as_classes(self, logits: Tensor) -> Tensor:
        return per_class(self.net, logits, len(self.classes))


class RecurrentNet(MMSegNet):
    """A :class:`ClipSegmentor` as a net to steady: with its own states.

    Args:
        net, classes, kwargs: :class:`MMSegNet`'s.
    """

    @property
    def state_maps(self) -> dict[str, int]:
        """The net's own: place of a state -> number of its maps."""
        return self.net.state_maps

    @property
    def flow_compensated(self) -> bool:
        return self.net.flow_compensated

    @property
    def own_filter(self) -> str | None:
        return self.net.own_filter

    def step(
        self, frames: Tensor, states: States, flow: Tensor | None
    ) -> tuple[Tensor, States]:
        inputs = normalised(self.net.data_preprocessor, frames)
        flow = flow if self.flow_compensated else None
        with self._at_own_size():
            logits, after = self.net.step(inputs, states, flow)
        return self._as_classes(logits), after

    @property
    def can_propagate(self) -> bool:
        return self.net.can_propagate

    @property
    def average(self) -> tuple[str, float] | None:
        return self.net.average

    def propagate(
        self, states: States, flow: Tensor | None, size: tuple[int, int]
    ) -> tuple[Tensor, States]:
        flow = flow if self.flow_compensated else None
        logits, after = self.net.propagate(states, flow, size)
        return self._as_classes(logits), after

    def carried(
        self, states: States, flow: Tensor | None, size: tuple[int, int]
    ) -> States:
        return self.net.carried(states, flow, size)


def normalised(preprocessor: nn.Module, frames: Tensor) -> Tensor:
    """Frames (N, 3, H, W) float BGR in [0, 255] as a segmentor reads them.

    As its preprocessor does it, which also stacks and pads, and needs samples
    for that.
    """
    if getattr(preprocessor, '_channel_conversion', False):
        frames = frames.flip(1)
    if getattr(preprocessor, '_enable_normalize', False):
        frames = (frames - preprocessor.mean) / preprocessor.std
    return frames
