import os.path as osp
import re

from mmengine.logging import print_log
from mmseg.registry import DATASETS

from .base_sequence import BaseSequenceDataset

# The recording, and the frame's number in it: 0001TP_006690, 0006R0_f00930,
# 0016E5_07959, Seq05VD_f00000.
NAME = re.compile(r'(?P<recording>.+)_[a-z]?(?P<number>\d+)$')


@DATASETS.register_module()
class CamVidSequenceDataset(BaseSequenceDataset):
    """CamVid's recordings, every frame labelled, with gaps in time.

    ::

        data_root
        |- train/0001TP_006690.png     trainannot/0001TP_006690.png
        |- val/...                     valannot/...
        |- test/...                    testannot/...

    Images are PNG or JPEG, named in any of CamVid's four ways, ending in the
    frame number. Labels are index images: 0 to 10 the classes, 11 unlabelled,
    which becomes mmseg's ignore index 255. A frame without a label is a ref
    frame only, and in streams one whose label map is full of 255.
    The 30 Hz source was sampled at 1 Hz (15 Hz in one recording), so frames
    that follow each other here are some source frames apart; where they are
    more than ``max_gap`` apart, a new sequence begins, named by recording
    and first frame number. ``frame_interval`` counts the frames that are
    there. A clip that would reach over the beginning of its sequence is
    padded by repeating its first frame; how many are is logged.

    Args:
        data_prefix (dict): ``img_path`` and ``seg_map_path``. Defaults to
            the train split's.
        max_gap (int): Longest step between neighbours of one sequence, in
            frames of the 30 Hz source. Defaults to 30, one second.
        kwargs: :class:`BaseSequenceDataset`'s.

    Raises:
        ValueError: If a file name ends in no frame number, or two files are
            the same frame.
    """

    METAINFO = dict(
        classes=(
            'Sky',
            'Building',
            'Pole',
            'Road',
            'Pavement',
            'Tree',
            'SignSymbol',
            'Fence',
            'Car',
            'Pedestrian',
            'Bicyclist',
        ),
        palette=[
            [128, 128, 128],
            [128, 0, 0],
            [192, 192, 128],
            [128, 64, 128],
            [60, 40, 222],
            [128, 128, 0],
            [192, 128, 128],
            [64, 64, 128],
            [64, 0, 128],
            [64, 64, 0],
            [0, 128, 192],
        ],
    )
    UNLABELLED = 11
    layout = (
        'frames like 0001TP_006690.png or .jpg in data_prefix.img_path, and '
        'index labels like 0001TP_006690.png in data_prefix.seg_map_path'
    )

    def __init__(
        self,
        data_prefix: dict | None = None,
        max_gap: int = 30,
        seg_map_suffix: str = '.png',
        **kwargs,
    ):
        if max_gap < 1:
            raise ValueError(f'max_gap must be >= 1, got {max_gap}')
        self.max_gap = max_gap
        super().__init__(
            data_prefix=data_prefix
            or dict(img_path='train', seg_map_path='trainannot'),
            seg_map_suffix=seg_map_suffix,
            **kwargs,
        )

    @classmethod
    def get_label_map(cls, new_classes=None) -> dict[int, int]:
        """mmseg's map, with unlabelled going to its ignore index."""
        label_map = super().get_label_map(new_classes) or {}
        return {**label_map, cls.UNLABELLED: 255}

    def load_data_list(self) -> list[dict]:
        folder = self.folder('img_path')
        labels = {
            name[: -len(self.seg_map_suffix)]: name
            for name in self.list_files('seg_map_path', [self.seg_map_suffix])
        }
        recordings = {}
        for name in self.list_files('img_path', ['.png', '.jpg', '.jpeg']):
            match = NAME.match(osp.splitext(name)[0])
            if match is None:
                raise ValueError(
                    f"'{osp.join(folder, name)}' ends in no frame number; "
                    f'expected {self.layout}'
                )
            frames = recordings.setdefault(match['recording'], {})
            other = frames.setdefault(int(match['number']), name)
            if other != name:
                raise ValueError(
                    f"'{name}' and '{other}' in '{folder}' are the same "
                    'frame: remove one of them'
                )
        data_list = []
        for recording, frames in sorted(recordings.items()):
            for begin, sequence in self._split(sorted(frames.items())):
                data_list += self.samples(
                    f'{recording}_{begin:06d}',
                    [
                        (
                            number,
                            osp.join(folder, name),
                            self._label(name, labels),
                        )
                        for number, name in sequence
                    ],
                )
        unlabelled = sum(map(len, recordings.values())) - len(data_list)
        if unlabelled and self.key_frames == 'labelled':
            print_log(
                f"CamVidSequenceDataset: {unlabelled} frames of '{folder}' "
                f"have no label in '{self.folder('seg_map_path')}' and are "
                'ref frames only',
                logger='current',
            )
        return data_list

    def _label(self, name: str, labels: dict[str, str]) -> str | None:
        """The path of a frame's label."""
        label = labels.get(osp.splitext(name)[0])
        return label and osp.join(self.folder('seg_map_path'), label)

    def _split(self, frames: list) -> list:
        """(first frame number, frames) of each run without a long gap."""
        runs = []
        last = None
        for number, name in frames:
            if last is None or number - last > self.max_gap:
                runs.append((number, []))
            runs[-1][1].append((number, name))
            last = number
        return runs
