import torch
from mmseg.models.data_preprocessor import SegDataPreProcessor
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from mmseg.utils import stack_batch
from torch import Tensor, nn

from .time_axis import unfold

MEMORY_FORMATS = ('contiguous_format', 'channels_last')


class _PreProcessor(SegDataPreProcessor):
    """mmseg's, which pads a batch to its largest sample unless told
    otherwise, instead of failing, and augments batches in training.

    Its values are mmseg's, bit for bit. Each frame is written once, into its
    place in the batch, and normalised there.

    Args:
        batch_augments (dict[str, dict] | None): Augmentation by name, such as
            :class:`ClipCutMix`, None for one that a base config has. They are
            called with the inputs and the samples, in this order. Defaults to
            None.
        memory_format (str): How the batch lies in memory:
            'contiguous_format', or 'channels_last', which is that of frames
            from :class:`ClipAugment` and what convolutions on it like.
            Defaults to 'contiguous_format'.
        args, kwargs: :class:`SegDataPreProcessor`'s.

    Raises:
        ValueError: If ``memory_format`` is another one.
    """

    def __init__(
        self,
        *args,
        batch_augments: dict | None = None,
        memory_format: str = 'contiguous_format',
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        if memory_format not in MEMORY_FORMATS:
            raise ValueError(
                f'memory_format must be one of {MEMORY_FORMATS}, got '
                f"'{memory_format}'"
            )
        self.memory_format = getattr(torch, memory_format)
        if self.size is None and self.size_divisor is None:
            self.size_divisor = 1
        # Not mmseg's own attribute: it would call it with single frames.
        self.clip_augments = nn.ModuleList(
            MODELS.build(cfg) for cfg in (batch_augments or {}).values() if cfg
        )

    def forward(self, data: dict, training: bool = False) -> dict:
        data = self.cast_data(data)
        frames, samples = list(data['inputs']), data.get('data_samples')
        sizes = {tuple(frame.shape) for frame in frames}
        if training and samples is None:
            raise ValueError('a batch to train on has no data_samples')
        if not training and len(sizes) > 1:
            raise ValueError(
                f'the frames of a batch have several sizes, {sorted(sizes)}: '
                'test with batch_size=1, or resize them to one'
            )
        # How much is padded, and the labels with it, is mmseg's to say: of
        # frames that have a size and no pixels.
        empty = [torch.empty(f.shape, device='meta') for f in frames]
        pads = dict(pad_val=self.pad_val, seg_pad_val=self.seg_pad_val)
        if training:
            empty, samples = stack_batch(
                empty, samples, self.size, self.size_divisor, **pads
            )
        elif self.test_cfg:
            size = self.test_cfg.get('size', None)
            divisor = self.test_cfg.get('size_divisor', None)
            empty, padded = stack_batch(empty, None, size, divisor, **pads)
            for sample, pad in zip(samples or (), padded, strict=False):
                sample.set_metainfo(pad)
        else:
            empty = torch.stack(empty)
        return dict(
            inputs=self._normalised(frames, empty.shape), data_samples=samples
        )

    def _normalised(self, frames: list[Tensor], shape: torch.Size) -> Tensor:
        """The batch (N, C, H, W) of frames (C, h, w)."""
        batch = torch.empty(
            shape,
            device=frames[0].device,
            dtype=torch.float32,
            memory_format=self.memory_format,
        )
        swaps = self.swaps_colours and shape[1] == 3
        for frame, place in zip(frames, batch, strict=True):
            height, width = frame.shape[1:]
            if (height, width) != tuple(shape[2:]):
                place.fill_(self.pad_val)
            place = place[:, :height, :width]
            if swaps:
                for channel in range(3):
                    place[channel].copy_(frame[2 - channel])
            else:
                place.copy_(frame)
            if self._enable_normalize:
                place.sub_(self.mean).div_(self.std)
        return batch

    def _augment(self, data: dict, training: bool) -> dict:
        if training:
            for augment in self.clip_augments:
                data['inputs'], data['data_samples'] = augment(
                    data['inputs'], data['data_samples']
                )
        return data

    @property
    def swaps_colours(self) -> bool:
        """Whether blue and red change places."""
        # The name in mmengine's preprocessor, and in mmseg 1.2's own.
        old = getattr(self, 'channel_conversion', False)
        return getattr(self, '_channel_conversion', old)


@MODELS.register_module()
class ClipDataPreProcessor(_PreProcessor):
    """Maps a batch of N clips (T, C, H, W) to normalised (N, T, C, H, W).

    mmseg's own preprocessor does the work, frame by frame: clips are folded
    to frames first, since it takes the axis of a three-frame clip for
    colours. It pads a sample's label each time it meets the sample, so ref
    frames get empty samples. A still (C, H, W) is a clip of one frame.

    A sample's ``flow`` is padded with its frames: no motion there.

    Args:
        args, kwargs: :class:`SegDataPreProcessor`'s, and ``batch_augments``,
            augmentation of whole batches by name.

    Raises:
        ValueError: If the clips of a batch differ in length.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        clips = [x if x.ndim == 4 else x[None] for x in data['inputs']]
        lengths = {len(clip) for clip in clips}
        if len(lengths) > 1:
            raise ValueError(
                f'the clips of a batch have {sorted(lengths)} frames: set one '
                'num_frames for the dataset, or batch_size=1'
            )
        num_frames = lengths.pop()
        samples = data.get('data_samples')
        if samples is not None:
            samples = [
                sample
                for key in samples
                for sample in (
                    *(SegDataSample() for _ in range(num_frames - 1)),
                    key,
                )
            ]
        frames = [frame for clip in clips for frame in clip]
        data = super().forward(
            dict(inputs=frames, data_samples=samples), training
        )
        data['inputs'] = unfold(data['inputs'], len(clips))
        if samples is not None:
            samples = data['data_samples'][num_frames - 1 :: num_frames]
            padded = tuple(data['inputs'].shape[3:])
            for clip, sample in zip(clips, samples, strict=True):
                size = tuple(clip.shape[2:])
                if 'flow' in sample and size != padded:
                    sample.flow = pad_flow(sample.flow, size, padded)
            data['data_samples'] = samples
        return self._augment(data, training)


def pads(preprocessor: nn.Module) -> bool:
    """Whether a preprocessor pads frames of some sizes in tests."""
    return bool(getattr(preprocessor, 'test_cfg', None))


def padded_size(
    preprocessor: nn.Module, size: tuple[int, int]
) -> tuple[int, int]:
    """Height and width to which a preprocessor pads frames of this size in
    tests, on the right and below.

    Args:
        preprocessor (nn.Module): mmseg's or ours.
        size (tuple[int, int]): Height and width.
    """
    if not pads(preprocessor):
        return tuple(size)
    least = preprocessor.test_cfg.get('size') or (1, 1)
    divisor = preprocessor.test_cfg.get('size_divisor') or 1
    # Of positive numbers alone: ONNX's division rounds towards zero.
    return tuple(
        (max(length, smallest) + divisor - 1) // divisor * divisor
        for length, smallest in zip(size, least, strict=True)
    )


def pad_frames(preprocessor: nn.Module, frames: Tensor) -> Tensor:
    """Normalised frames (N, C, h, w) as :func:`padded_size` says, in the
    preprocessor's colour.

    Args:
        preprocessor (nn.Module): mmseg's or ours.
        frames (Tensor): (N, C, h, w).
    """
    if not pads(preprocessor):
        return frames
    height, width = frames.shape[2:]
    padded = padded_size(preprocessor, (height, width))
    more = 0, padded[1] - width, 0, padded[0] - height
    return nn.functional.pad(frames, more, value=preprocessor.pad_val)


def pad_flow(
    flow: Tensor, size: tuple[int, int], padded: tuple[int, int]
) -> Tensor:
    """Flow fields (T, 3, h, w), or several on the channels, of frames that
    were padded on the right and below: no motion there, and the full weight.

    Args:
        flow (Tensor): Of the frames before, possibly of reduced ones.
        size (tuple[int, int]): Height and width of the frames before.
        padded (tuple[int, int]): And after.
    """
    height, width = flow.shape[2:]
    # In whole numbers, which an exported graph can do.
    bottom = (height * padded[0] + size[0] // 2) // size[0] - height
    right = (width * padded[1] + size[1] // 2) // size[1] - width
    still = nn.functional.pad(flow, (0, right, 0, bottom))
    still[:, 2::3, height:] = 1
    still[:, 2::3, :, width:] = 1
    return still


@MODELS.register_module()
class KeyFrameDataPreProcessor(_PreProcessor):
    """Maps a batch of N clips (T, C, H, W) to key frames (N, C, H, W).

    With it a framewise segmentor of mmseg reads the very batches that a
    recurrent one reads, and sees the last frame of each clip.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        frames = [x[-1] if x.ndim == 4 else x for x in data['inputs']]
        data = super().forward({**data, 'inputs': frames}, training)
        return self._augment(data, training)
