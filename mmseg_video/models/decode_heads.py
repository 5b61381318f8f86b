"""Decode heads of mmseg, of whatever kind, as one that gives logits."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

from mmseg.models.decode_heads.cascade_decode_head import (
    BaseCascadeDecodeHead,
)
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from mmseg.utils import add_prefix
from torch import Tensor, nn

from .time_axis import Maps
from .two_logits import two_logits


class CascadeHead(nn.ModuleList):
    """Heads in a row, each of which reads the logits of the one before, as
    one head; :class:`CascadeEncoderDecoder` has a list of them.

    In training it gives what all stages give, for their losses; else the last
    one's logits. Parameters keep the names that they have in mmseg.

    Args:
        cfgs (list[dict]): Configs of the heads.

    Raises:
        ValueError: If a stage computes its loss in a way of its own.
    """

    def __init__(self, cfgs: list[dict]):
        super().__init__(MODELS.build(cfg) for cfg in cfgs)
        for stage in list(self)[1:]:
            if type(stage).loss is not BaseCascadeDecodeHead.loss:
                raise ValueError(
                    f'{type(stage).__name__} reads points, and not whole '
                    'frames, in training: it cannot become recurrent'
                )
        last = self[-1]
        self.align_corners = last.align_corners
        self.num_classes = last.num_classes
        self.out_channels = last.out_channels
        self.threshold = last.threshold

    def forward(self, inputs: Maps) -> Tensor | tuple[Tensor, ...]:
        outputs = [self[0].forward(inputs)]
        # Not a slice of it, which would be another cascade.
        for stage in list(self)[1:]:
            outputs.append(stage.forward(inputs, outputs[-1]))
        return tuple(outputs) if self.training else outputs[-1]

    def loss(self, inputs: Maps, samples: list[SegDataSample], cfg) -> dict:
        """Losses of all stages."""
        return self.loss_by_feat(self.forward(inputs), samples)

    def loss_by_feat(
        self, outputs: tuple[Tensor, ...], samples: list[SegDataSample]
    ) -> dict:
        """Losses of all stages, from what each gave."""
        losses = {}
        for i, (stage, out) in enumerate(zip(self, outputs, strict=True)):
            losses |= add_prefix(stage.loss_by_feat(out, samples), str(i))
        return losses

    def predict(self, inputs: Maps, metas: list[dict], cfg) -> Tensor:
        """Logits (N, classes, H, W) of the last stage."""
        out = self[0].forward(inputs)
        for stage in list(self)[1:-1]:
            out = stage.forward(inputs, out)
        return self[-1].predict(inputs, out, metas, cfg)

    def predict_by_feat(self, logits: Tensor, metas: list[dict]) -> Tensor:
        """Logits resized to the frame."""
        return self[-1].predict_by_feat(logits, metas)


def last_head(segmentor: nn.Module) -> nn.Module:
    """The decode head, of several the last."""
    head = segmentor.decode_head
    return head[-1] if isinstance(head, nn.ModuleList) else head


def per_class(
    segmentor: nn.Module, logits: Tensor, num_classes: int | None = None
) -> Tensor:
    """Logits (N, classes, H, W) whose largest is the label that mmseg gives.

    A head may have one logit for two classes, and a threshold of its sigmoid.
    Of it become two, 0 and how far it is above the threshold.

    Args:
        segmentor (nn.Module): Whose logits they are.
        logits (Tensor): (N, classes, H, W), or (N, 1, H, W) of such a head.
        num_classes (int | None): Defaults to None, the segmentor's.
    """
    if num_classes is None:
        num_classes = getattr(segmentor, 'num_classes', None)
    if logits.shape[1] != 1 or num_classes != 2:
        return logits
    threshold = last_head(segmentor).threshold
    return two_logits(logits - math.log(threshold / (1 - threshold)))


@contextmanager
def at_own_size(segmentor: nn.Module) -> Iterator[None]:
    """While open, the decode head leaves its logits at their size.

    Its ``predict()`` alone knows which of its outputs are the logits: some
    heads (DANet, EncNet) give several.
    """
    own = vars(last_head(segmentor))
    before = own.get('predict_by_feat')  # one may be open already
    own['predict_by_feat'] = lambda logits, *args, **kwargs: logits
    try:
        yield
    finally:
        del own['predict_by_feat']
        if before is not None:
            own['predict_by_feat'] = before


def at_frame_size(
    segmentor: nn.Module, logits: Tensor, metas: list[dict]
) -> Tensor:
    """Logits (N, classes, h, w) resized to the frame, also while another
    thread is inside of :func:`at_own_size`."""
    head = last_head(segmentor)
    return type(head).predict_by_feat(head, logits, metas)
