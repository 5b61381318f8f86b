import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class DoubleConvEncoder(BaseModule):
    """Maps frames (N, C, H, W) to a pyramid: the encoder of the U-Net.

    The contracting path of Ronneberger et al., "U-Net", MICCAI 2015: at each
    level two 3x3 convolutions, then max pooling by 2. With b the base
    channels, level l is (N, b * 2^l, H / 2^l, W / 2^l); last comes what the
    deepest level gives after pooling, for whatever sits at the bottom.

    Args:
        in_channels (int): C. Defaults to 3.
        base_channels (int): b. Defaults to 64.
        num_levels (int): Levels with convolutions. Defaults to 4.
        norm_cfg (dict | None): mmcv's. Defaults to None, no norm.
        init_cfg (dict | None): MMEngine's. Defaults to None.

    Raises:
        ValueError: If there is no level.
    """

    def __init__(
        self,
        in_channels: int = 3,
        base_channels: int = 64,
        num_levels: int = 4,
        norm_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        if num_levels < 1:
            raise ValueError(
                f'num_levels must be at least 1, got {num_levels}'
            )
        conv = dict(padding=1, bias=True, norm_cfg=norm_cfg)
        self.levels, self.out_channels = nn.ModuleList(), []
        for level in range(num_levels):
            channels = base_channels * 2**level
            self.levels.append(
                nn.Sequential(
                    ConvModule(in_channels, channels, 3, **conv),
                    ConvModule(channels, channels, 3, **conv),
                )
            )
            in_channels = channels
            self.out_channels.append(channels)
        self.out_channels.append(channels)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        outs = []
        for convs in self.levels:
            outs.append(convs(x))
            x = F.max_pool2d(outs[-1], 2)
        return (*outs, x)
