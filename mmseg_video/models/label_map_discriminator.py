from collections.abc import Sequence

from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class LabelMapDiscriminator(BaseModule):
    """Maps class probabilities (N, C, h, w) to scores (N, 1, h', w'): high
    where a patch looks like a true label map.

    4x4 convolutions of stride 2 with leaky ReLU, then one to a single channel
    (Hung et al., "Adversarial Learning for Semi-Supervised Semantic
    Segmentation", BMVC 2018, without its upsampling). No normalisation: its
    buffers would mix what is true with what is guessed.

    Args:
        in_channels (int): C.
        channels (Sequence[int]): Of the convolutions. Defaults to
            (64, 128, 256).
        init_cfg (dict | None): MMEngine's. Defaults to None.
    """

    def __init__(
        self,
        in_channels: int,
        channels: Sequence[int] = (64, 128, 256),
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        act = dict(type='LeakyReLU', negative_slope=0.2)
        self.convs = nn.Sequential(
            *(
                ConvModule(before, after, 4, 2, padding=1, act_cfg=act)
                for before, after in zip(
                    [in_channels, *channels[:-1]], channels, strict=True
                )
            )
        )
        self.score = nn.Conv2d(channels[-1], 1, 3, padding=1)

    def forward(self, maps: Tensor) -> Tensor:
        return self.score(self.convs(maps))
