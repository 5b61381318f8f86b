from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule, build_upsample_layer
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class UNetHead(BaseDecodeHead):
    """Maps a pyramid (N, C_l, h_l, w_l) to logits (N, classes, h_0, w_0).

    The mirrored decoder of Ronneberger et al., "U-Net", MICCAI 2015: from the
    deepest level up, the map is resized to the next finer level, joined with
    it by concatenation, and convolved to that level's channels; at the finest
    level to ``channels``. Resizing goes to the level's own size, so any
    pyramid and any frame size fit::

        forward(): (resize -> concat -> convs) per level -> cls_seg()

    Args:
        in_channels (Sequence[int]): C_l, finest level first.
        decoder_channels (Sequence[int] | None): Channels of the decoder's map
            at every level but the deepest, finest first; the first is
            ``channels``. Defaults to None, the encoder's own: C_l.
        num_convs (int): 3x3 convolutions at each join. Defaults to 2.
        upsample_cfg (dict | None): An upsampling layer of mmcv, such as
            ``dict(type='deconv', kernel_size=2, stride=2)``, which brings the
            coarser map to a level's size and channels before they are joined.
            Defaults to None, which only resizes.
        kwargs: :class:`BaseDecodeHead`'s. ``in_index`` defaults to all
            levels.

    Raises:
        ValueError: If there are fewer than two levels, or
            ``decoder_channels`` does not fit them.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        decoder_channels: Sequence[int] | None = None,
        num_convs: int = 2,
        upsample_cfg: dict | None = None,
        **kwargs,
    ):
        if len(in_channels) < 2:
            raise ValueError(
                'UNetHead joins at least two levels, got in_channels='
                f'{list(in_channels)}'
            )
        kwargs.setdefault('in_index', list(range(len(in_channels))))
        super().__init__(
            in_channels, input_transform='multiple_select', **kwargs
        )
        conv = dict(
            padding=1,
            conv_cfg=self.conv_cfg,
            norm_cfg=self.norm_cfg,
            act_cfg=self.act_cfg,
        )
        # Shallow to deep; ups[l] and joins[l] make level l's map.
        outs = [*(decoder_channels or [self.channels, *in_channels[1:-1]])]
        if len(outs) != len(in_channels) - 1 or outs[0] != self.channels:
            raise ValueError(
                f'decoder_channels={outs} must name the channels of '
                f'{len(in_channels) - 1} levels, finest first, beginning with '
                f'channels={self.channels}'
            )
        outs.append(in_channels[-1])
        self.ups, self.joins = nn.ModuleList(), nn.ModuleList()
        for level, skip in enumerate(in_channels[:-1]):
            joined = skip + outs[level + 1]
            up = nn.Identity()
            if upsample_cfg is not None:
                joined = skip + outs[level]
                channels = dict(
                    in_channels=outs[level + 1], out_channels=outs[level]
                )
                up = build_upsample_layer({**upsample_cfg, **channels})
            self.ups.append(up)
            convs = [
                ConvModule(
                    outs[level] if i else joined, outs[level], 3, **conv
                )
                for i in range(num_convs)
            ]
            self.joins.append(nn.Sequential(*convs))

    def widen(
        self, weights: dict[str, Tensor], in_channels: Sequence[int]
    ) -> dict[str, Tensor]:
        """The weights of a head that reads fewer channels, with zeros for
        those that this one reads besides: both then give the same.

        Args:
            weights (dict[str, Tensor]): The other head's ``state_dict``.
            in_channels (Sequence[int]): Of each level, the other head's: the
                first ones of this head's levels.
        """
        weights = dict(weights)
        more = [
            ours - theirs
            for ours, theirs in zip(self.in_channels, in_channels, strict=True)
        ]
        for level, up in enumerate(self.ups):
            key = f'joins.{level}.0.conv.weight'
            if key not in weights:
                continue
            skip = weights[key][:, : in_channels[level]]
            rest = weights[key][:, in_channels[level] :]
            # Of the coarser maps, only the deepest level grows by itself.
            deepest = up is self.ups[-1] and isinstance(up, nn.Identity)
            weights[key] = torch.cat(
                [
                    _pad_inputs(skip, more[level]),
                    _pad_inputs(rest, more[-1] if deepest else 0),
                ],
                dim=1,
            )
        return weights

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        levels = self._transform_inputs(inputs)
        x = levels[-1]
        for skip, up, join in zip(
            levels[-2::-1],
            reversed(self.ups),
            reversed(self.joins),
            strict=True,
        ):
            x = resize(
                up(x),
                size=skip.shape[2:],
                mode='bilinear',
                align_corners=self.align_corners,
            )
            x = join(torch.cat([skip, x], dim=1))
        return self.cls_seg(x)


def _pad_inputs(weight: Tensor, number: int) -> Tensor:
    """A kernel (out, in, h, w) that ignores ``number`` more inputs."""
    zeros = weight.new_zeros(len(weight), number, *weight.shape[2:])
    return torch.cat([weight, zeros], dim=1)
