import os.path as osp

from mmengine.fileio import get_text
from mmseg.registry import DATASETS

from ..io.json_files import read_object
from .base_sequence import BaseSequenceDataset
from .files import exists
from .palette import bit_colours

NUM_CLASSES = 124
NAMES = 'label_num_dic_final.json'


@DATASETS.register_module()
class VSPWSequenceDataset(BaseSequenceDataset):
    """VSPW's videos (Miao et al., CVPR 2021), every frame labelled.

    ::

        data_root
        |- data/VIDEO/origin/00000123.jpg
        |- data/VIDEO/mask/00000123.png
        |- train.txt, val.txt, test.txt      names of the videos
        |- label_num_dic_final.json          names of the classes (optional)

    In the labels 0 is void, which becomes mmseg's ignore index 255, and 1 to
    124 are the classes. Without the file of names, classes are numbered.
    Frames without a label (the test split's) are ref frames only, and in
    streams ones whose label map is full of 255. ``frame_interval`` counts
    the frames that are there (15 a second).

    Args:
        ann_file (str): Names of the split's videos. Defaults to 'train.txt'.
        data_prefix (dict): ``img_path`` and ``seg_map_path``, both of which
            hold VIDEO folders. Defaults to 'data' for both.
        kwargs: :class:`BaseSequenceDataset`'s.

    Raises:
        FileNotFoundError: If the list, or a video in it, is not there.
        ValueError: If a frame's name is no number, or the file of names has
            another number of classes.
    """

    METAINFO = dict(
        classes=tuple(f'class {i + 1}' for i in range(NUM_CLASSES)),
        palette=bit_colours(NUM_CLASSES + 1)[1:],
    )
    layout = (
        'VIDEO/origin/NUMBER.jpg in data_prefix.img_path, VIDEO/mask/'
        'NUMBER.png in data_prefix.seg_map_path, and the names of the videos '
        'in ann_file'
    )

    label_help = (
        "VSPW's labels are 0 (void) and 1 to 124: give the data set "
        'label_map={ID: 255} for another id that is to be ignored, or class '
        'names and labels of your own (FrameFolderSequenceDataset)'
    )

    def __init__(
        self,
        ann_file: str = 'train.txt',
        data_prefix: dict | None = None,
        metainfo: dict | None = None,
        data_root: str | None = None,
        **kwargs,
    ):
        names = osp.join(data_root or '', NAMES)
        if metainfo is None and osp.exists(names):
            metainfo = dict(classes=self._read_names(names))
        super().__init__(
            ann_file=ann_file,
            data_prefix=data_prefix
            or dict(img_path='data', seg_map_path='data'),
            metainfo=metainfo,
            data_root=data_root,
            reduce_zero_label=True,
            **kwargs,
        )

    @staticmethod
    def _read_names(path: str) -> tuple[str, ...]:
        content = read_object(path, 'copy it again from the data set')
        try:
            numbers = {int(v): k for k, v in content.items()}
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"'{path}' is to hold names and numbers: {error}"
            ) from None
        names = tuple(
            numbers[i] for i in range(1, NUM_CLASSES + 1) if i in numbers
        )
        if len(names) != NUM_CLASSES:
            raise ValueError(
                f"'{path}' names {len(names)} of the {NUM_CLASSES} classes"
            )
        return names

    @classmethod
    def get_label_map(cls, new_classes=None) -> None:
        """None: other names of the same classes map nothing."""
        return None

    def load_data_list(self) -> list[dict]:
        if not exists(self.ann_file, self.backend_args):
            raise FileNotFoundError(
                f"VSPWSequenceDataset: no list of videos '{self.ann_file}'; "
                f'expected {self.layout}. Check data_root and ann_file'
            )
        text = get_text(self.ann_file, backend_args=self.backend_args)
        frames = self._by_video('img_path', 'origin', ['.jpg', '.png'])
        labels = self._by_video('seg_map_path', 'mask', ['.png'])
        data_list = []
        for video in text.split():
            if video not in frames:
                raise FileNotFoundError(
                    f"VSPWSequenceDataset: no video '{video}' in "
                    f"'{self.folder('img_path')}', which '{self.ann_file}' "
                    f'names; expected {self.layout}'
                )
            known = labels.get(video, {})
            data_list += self.samples(
                video,
                [
                    (number, path, known.get(number))
                    for number, path in sorted(frames[video].items())
                ],
            )
        return data_list

    def _by_video(
        self, prefix: str, kind: str, suffixes: list[str]
    ) -> dict[str, dict[int, str]]:
        """Video -> frame number -> path of its frame or label."""
        videos = {}
        for name in self.list_files(prefix, suffixes):
            parts = name.replace('\\', '/').split('/')
            if len(parts) != 3 or parts[1] != kind:
                continue
            stem = osp.splitext(parts[2])[0]
            path = osp.join(self.folder(prefix), name)
            if not stem.isdigit():
                raise ValueError(
                    f"'{path}' is not named by a frame number; expected "
                    f'{self.layout}'
                )
            videos.setdefault(parts[0], {})[int(stem)] = path
        return videos

    def label_name(self, img_path: str) -> str:
        name = super().label_name(img_path)
        # VIDEO/origin and VIDEO/mask stand side by side.
        return name.replace(
            f'{osp.sep}origin{osp.sep}', f'{osp.sep}mask{osp.sep}'
        )
