from mmseg.models.data_preprocessor import SegDataPreProcessor
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from .time_axis import unfold


class _PreProcessor(SegDataPreProcessor):
    """mmseg's, which pads a batch to its largest sample unless told
    otherwise, instead of failing, and augments batches in training.

    Args:
        batch_augments (dict[str, dict] | None): Augmentation by name, such as
            :class:`ClipCutMix`, None for one that a base config has. They are
            called with the inputs and the samples, in this order. Defaults to
            None.
        args, kwargs: :class:`SegDataPreProcessor`'s.
    """

    def __init__(self, *args, batch_augments: dict | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        if self.size is None and self.size_divisor is None:
            self.size_divisor = 1
        # Not mmseg's own attribute: it would call it with single frames.
        self.clip_augments = nn.ModuleList(
            MODELS.build(cfg) for cfg in (batch_augments or {}).values() if cfg
        )

    def forward(self, data: dict, training: bool = False) -> dict:
        if self.test_cfg and data.get('data_samples') is None:
            # It writes into them how it pads frames in tests.
            samples = [SegDataSample() for _ in data['inputs']]
            data = super().forward(data | dict(data_samples=samples))
            return data | dict(data_samples=None)
        return super().forward(data, training)

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


def pad_flow(
    flow: Tensor, size: tuple[int, int], padded: tuple[int, int]
) -> Tensor:
    """A flow field (T, 3, h, w) of frames that were padded on the right and
    below: no motion there, and the full weight.

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
    still[:, 2, height:] = 1
    still[:, 2, :, width:] = 1
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
