from collections.abc import Sequence

import torch
from mmengine.model import ModuleDict
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from mmseg.utils import add_prefix
from torch import Tensor, nn

from ..flow.warp import resize_flow
from .time_axis import unfold


class ClipLosses(ModuleDict):
    """Losses by name on the logits of key frames and of ref frames.

    The losses of the decode head, on the key frame's labels, and those of
    each entry, which are called as ``loss(logits, data_samples)`` with logits
    (N, K, classes, h, w) and return a dict. K is the largest ``num_decoded``
    among them: 1, the key frame alone, or 2, a ref frame before it. Which one
    a sample's ``flow_gap`` says, as ``AddRefFlow`` wrote it.

    Args:
        losses (dict[str, dict]): Name -> config. None leaves a base config's
            entry out.
    """

    # A framewise baseline has none.
    new_in_training = True

    def __init__(self, losses: dict[str, dict]):
        super().__init__()
        for name, loss in losses.items():
            if loss is not None:
                self[name] = MODELS.build(loss)

    @property
    def num_decoded(self) -> int:
        """K, 0 without losses."""
        return max((loss.num_decoded for loss in self.values()), default=0)

    def check(
        self, num_frames: int, data_samples: list[SegDataSample]
    ) -> None:
        """Refuse a ref frame that is not among the last ``num_frames``.

        Raises:
            ValueError: With both numbers, or if a sample does not say which
                ref frame is meant.
        """
        if self.num_decoded < 2:
            return
        gap = max(flow_gap(sample) for sample in data_samples)
        if gap >= num_frames:
            raise ValueError(
                f'clip_losses: the flow leads to {gap} frames before the key '
                f'frame, but only the last {num_frames} frames of the clip '
                'train: give AddRefFlow smaller gaps, or raise train_cfg.bptt '
                '(lower burn_in)'
            )

    def select(
        self, levels: Sequence[Tensor], data_samples: list[SegDataSample]
    ) -> list[Tensor]:
        """Maps (N, K, ...) of the frames that have a loss, from (N, T, ...).

        Raises:
            ValueError: If a sample does not say which ref frame is meant.
        """
        num_clips, num_frames = levels[0].shape[:2]
        if num_frames <= self.num_decoded:
            return list(levels)
        gaps = [flow_gap(sample) for sample in data_samples]
        keys = torch.full((num_clips,), num_frames - 1)
        frames = torch.stack([keys - torch.tensor(gaps), keys], dim=1)
        rows = torch.arange(num_clips)[:, None]
        return [x[rows, frames] for x in levels]

    def forward(
        self,
        head: nn.Module,
        logits: Tensor,
        data_samples: list[SegDataSample],
    ) -> dict:
        """All losses, from logits (N*K, classes, h, w) or (N*T, ...).

        Raises:
            ValueError: If the head gives no single map of logits.
        """
        if not isinstance(logits, Tensor):
            raise ValueError(
                f'clip_losses: {type(head).__name__} gives '
                f'{type(logits).__name__}, not one map of logits: take a head '
                'that does'
            )
        logits = unfold(logits, len(data_samples))
        (logits,) = self.select([logits], data_samples)
        losses = add_prefix(
            head.loss_by_feat(logits[:, -1], data_samples), 'decode'
        )
        for name, loss in self.items():
            losses.update(add_prefix(loss(logits, data_samples), name))
        return losses


def flow_gap(sample: SegDataSample) -> int:
    """How many frames before the key frame the ref frame is.

    Raises:
        ValueError: If the sample does not say.
    """
    if 'flow_gap' not in sample.metainfo:
        raise ValueError(
            'a loss over time needs the flow to a ref frame, which '
            f"'{sample.metainfo.get('img_path')}' lacks: add "
            "dict(type='AddRefFlow') to the training data's augments"
        )
    return sample.metainfo['flow_gap']


def ref_flow(
    data_samples: list[SegDataSample], size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Flow (N, 2, h, w) in pixels of a map of this size, and agreement
    (N, 1, h, w), from the samples' ``ref_flow``."""
    fields = [sample.ref_flow.data for sample in data_samples]
    # The preprocessor pads images and labels on the right and below; there
    # nothing agrees.
    padded = [sample.metainfo.get('pad_shape') for sample in data_samples]
    fields = [
        field
        if pad is None
        else nn.functional.pad(
            field, (0, pad[1] - field.shape[2], 0, pad[0] - field.shape[1])
        )
        for field, pad in zip(fields, padded, strict=True)
    ]
    # Of all that a pixel of the map covers, the mean.
    field = resize_flow(torch.stack(fields), size, mode='area')
    return field[:, :2], field[:, 2:]
