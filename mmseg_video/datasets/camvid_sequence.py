import os.path as osp
import re

from mmengine.logging import print_log
from mmseg.registry import DATASETS

from .base_sequence import BaseSequenceDataset
from .transforms.frame_interval import longest_interval

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
        data_prefix (dict): ``img_path`` and ``seg_map_path``; ``pseudo_path``:
            see :class:`BaseSequenceDataset`. Defaults to the train split's
            first two.
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
        labels = set(self.list_files('seg_map_path', [self.seg_map_suffix]))
        pseudo = self.list_pseudo_labels()
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
                name = f'{recording}_{begin:06d}'
                data_list.extend(self._samples(name, sequence, labels, pseudo))
        unlabelled = sum(map(len, recordings.values())) - len(data_list)
        if unlabelled:
            print_log(
                f"CamVidSequenceDataset: {unlabelled} frames of '{folder}' "
                f"have no label in '{self.folder('seg_map_path')}' and are "
                'ref frames only',
                logger='current',
            )
        return data_list

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

    def _samples(
        self, sequence: str, frames: list, labels: set[str], pseudo: set[str]
    ) -> list[dict]:
        paths = [osp.join(self.folder('img_path'), name) for _, name in frames]
        # What the clip needs, and what RandomFrameInterval may ask for.
        # Bounded, since the list would grow with the square of a video.
        longest = longest_interval(self.pipeline)
        stride = max(3 * self.frame_interval, longest)
        reach = max(30, (self.num_frames - 1) * stride)
        samples = []
        for i, (number, name) in enumerate(frames):
            label = osp.splitext(name)[0] + self.seg_map_suffix
            seg_map_path = None
            if label in labels:
                seg_map_path = osp.join(self.folder('seg_map_path'), label)
            elif label in pseudo:
                seg_map_path = osp.join(self.folder('pseudo_path'), label)
            elif self.mode == 'clip' and not self.unlabelled:
                continue
            taught = self.mode == 'clip' and label not in labels
            past = paths[max(0, i - reach) : i]
            samples.append(
                self.sample(
                    paths[i], seg_map_path, sequence, number, past, taught
                )
            )
        return samples
