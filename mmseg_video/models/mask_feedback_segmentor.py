import torch
from mmseg.models.segmentors import EncoderDecoder
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from .clip_encoding import KEYS
from .clip_segmentor import ClipSegmentor
from .recurrent import build_cell, fit_state
from .states import States


@MODELS.register_module()
class MaskFeedbackSegmentor(ClipSegmentor, EncoderDecoder):
    """Maps clips (N, T, C, H, W) to logits of their key frames (N, classes,
    H, W), step by step: each step sees the mask of the one before.

    The recurrent U-Net of Wang et al., "Recurrent U-Net for
    resource-constrained segmentation", ICCV 2019. A step reads the frame and
    the last mask s, and moves a hidden map h, which sits at the bottom of the
    U-Net::

        concat(frame, s) -> backbone -> levels, e
        cell(e, h) -> h                     (SRUCell or DRUCell)
        decode_head(levels, h) -> logits;   softmax(logits) -> s

    ``num_steps`` steps are made on every frame: as in the paper a still is
    refined in three, and a video is followed with one for each frame. The
    last frame has the label; step t of its N steps is trained with a weight of
    loss_decay to the power of N - t. At the start of a sequence s = 0.

    Args:
        backbone (dict): A :class:`DoubleConvEncoder`, or another with
            ``out_channels``; its last map is e. ``in_channels`` are the C
            colours, the mask's are added.
        decode_head (dict): Reads the backbone's other maps and, last, h.
        cell (dict): Config of a :class:`RecurrentCell`, without its numbers
            of channels.
        num_steps (int): Steps on each frame. Defaults to 1.
        loss_decay (float): See above. Defaults to 0.4.
        kwargs: ``train_cfg``, ``test_cfg``, ``data_preprocessor`` and
            ``init_cfg`` of :class:`EncoderDecoder`.

    Raises:
        ValueError: If there is no step, backbone, cell and head do not fit,
            or ``train_cfg`` has what :class:`RecurrentUNet` alone reads.
    """

    def __init__(
        self,
        backbone: dict,
        decode_head: dict,
        cell: dict,
        num_steps: int = 1,
        loss_decay: float = 0.4,
        **kwargs,
    ):
        if num_steps < 1:
            raise ValueError(f'num_steps must be at least 1, got {num_steps}')
        unread = sorted(set(KEYS) & set(kwargs.get('train_cfg') or ()))
        if unread:
            raise ValueError(
                f'train_cfg.{unread[0]}: MaskFeedbackSegmentor trains on '
                'whole clips and does not read it; RecurrentUNet does'
            )
        classes = decode_head['num_classes']
        if decode_head.get('out_channels', classes) != classes:
            raise ValueError(
                'decode_head: the mask that is fed back has a channel for '
                f'each of the {classes} classes: leave out_channels away'
            )
        colours = backbone.get('in_channels', 3)
        backbone = {**backbone, 'in_channels': colours + classes}
        super().__init__(backbone, decode_head, **kwargs)
        self.num_steps, self.loss_decay = num_steps, loss_decay
        *levels, bottom = self.backbone.out_channels
        *skips, hidden = self.decode_head.in_channels
        if skips != levels:
            raise ValueError(
                f'decode_head.in_channels={[*skips, hidden]} do not fit the '
                f'backbone: set them to {levels} and, last, the width of the '
                'hidden map'
            )
        self.cell = build_cell(cell, bottom, hidden)

    @property
    def state_maps(self) -> dict[str, int]:
        return dict(cell=self.cell.num_maps, mask=1)

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """The backbone's levels of the key frames, which no mask precedes."""
        frames = self._as_clips(inputs)[:, -1]
        return self.backbone(torch.cat([frames, self._no_mask(frames)], 1))

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict:
        """Losses of the steps on the key frames of (N, T, C, H, W)."""
        steps, _ = self._steps(self._as_clips(inputs), None)
        losses = {}
        for t, logits in enumerate(steps, 1):
            weight = self.loss_decay ** (len(steps) - t)
            values = self.decode_head.loss_by_feat(logits, data_samples)
            for name, value in values.items():
                scale = weight if 'loss' in name else 1
                losses[f'decode.step{t}.{name}'] = scale * value
        return losses

    def _forward(self, inputs: Tensor, data_samples=None) -> Tensor:
        return self._steps(self._as_clips(inputs), None)[0][-1]

    def _predict(
        self,
        clips: Tensor,
        states: States | None,
        flow: Tensor | None,
        metas: list[dict],
    ) -> tuple[Tensor, States]:
        steps, states = self._steps(clips, states)
        return self.decode_head.predict_by_feat(steps[-1], metas), states

    def _steps(
        self, clips: Tensor, states: States | None
    ) -> tuple[list[Tensor], States]:
        """Logits (N, classes, h, w) of each step on the key frames, and the
        states after it."""
        state, mask = None, self._no_mask(clips[:, 0])
        if states:
            state = states['cell']
            (mask,) = fit_state(states['mask'], (mask,))
        for frame in clips.unbind(1):
            steps = []
            for _ in range(self.num_steps):
                logits, state, mask = self._step(frame, state, mask)
                steps.append(logits)
        return steps, dict(cell=state, mask=(mask,))

    def _step(self, frame: Tensor, state, mask: Tensor) -> tuple:
        *levels, e = self.backbone(torch.cat([frame, mask], dim=1))
        state = self.cell(e, state)
        logits = self.decode_head.forward([*levels, self.cell.hidden(state)])
        scores = resize(
            logits,
            size=frame.shape[2:],
            mode='bilinear',
            align_corners=self.align_corners,
        )
        return logits, state, scores.softmax(1)

    def _no_mask(self, frame: Tensor) -> Tensor:
        size = (frame.shape[0], self.out_channels, *frame.shape[2:])
        return frame.new_zeros(size)
