import os.path as osp
import re
from collections.abc import Sequence
from pathlib import Path

from mmengine.logging import print_log
from mmseg.registry import DATASETS

from ..io.class_names import read_class_names
from ..io.listing import IMAGES
from .base_sequence import BaseSequenceDataset
from .files import exists
from .palette import bit_colours

CLASSES = 'classes.json'
LAST_NUMBER = re.compile(r'(\d+)\D*$')


@DATASETS.register_module()
class FrameFolderSequenceDataset(BaseSequenceDataset):
    """One's own labelled video: a folder of frames for each, label maps
    beside them.

    ::

        data_root
        |- classes.json                     [{"id": 0, "name": "road",
        |                                     "color": [128, 64, 128]}, ...]
        |- train/VIDEO/000123.jpg           a frame
        |- train/VIDEO/000123.png           its label map, if it has one
        |- val/VIDEO/...

    A video is a folder that has frames in it, at any depth. Its frames are
    in natural order; where the last number in each name differs from the
    others', it is the frame's number, else they are counted. Label maps may
    lie in a tree of their own (``data_prefix.seg_map_path``), under the names
    of the frames with ``seg_map_suffix`` in place of the suffix. Frames
    without a label are ref frames only, and in streams ones whose label map
    is full of 255.

    Label maps hold ids of the classes (grey or palette PNG), or the classes'
    colours, as the palette has them; ``label_map`` says what other ids are.

    Args:
        classes (Sequence[str] | None): Names of the classes. Defaults to
            None, those of ``classes.json``.
        palette (Sequence | None): Their RGB colours. Defaults to None, those
            of ``classes.json``, or made ones where classes are named.
        ignored_colours (Sequence): RGB colours in label maps that are none of
            a class, to be ignored. Defaults to ().
        data_prefix (dict | None): ``img_path`` and ``seg_map_path``. Defaults
            to None, 'train' for both.
        seg_map_suffix (str): Defaults to '.png'. Where frames end in it too
            and lie in the same folder, it has to say more: '_mask.png'.
        ann_file (str): A file with the names of the split's videos, one on
            each line. Defaults to '', all that are there.
        max_gap (int | None): The longest step between the numbers of
            neighbours, behind which a new sequence begins. Defaults to None,
            any.
        kwargs: :class:`BaseSequenceDataset`'s.

    Raises:
        FileNotFoundError: If a folder, or a video in ``ann_file``, is not
            there.
        ValueError: If no classes are named, or frames cannot be told from
            label maps.
    """

    METAINFO = dict(classes=None, palette=None)
    layout = (
        'VIDEO/NUMBER.jpg in data_prefix.img_path, and label maps '
        'VIDEO/NUMBER + seg_map_suffix in data_prefix.seg_map_path'
    )
    label_help = (
        'Give label_map={id: class} for the ids that are others (255: '
        'ignored), or name all classes'
    )

    def __init__(
        self,
        classes: Sequence[str] | None = None,
        palette: Sequence | None = None,
        ignored_colours: Sequence = (),
        data_prefix: dict | None = None,
        seg_map_suffix: str = '.png',
        data_root: str | None = None,
        ann_file: str = '',
        max_gap: int | None = None,
        **kwargs,
    ):
        path = osp.join(data_root or '', CLASSES)
        if classes is None:
            if not osp.exists(path):
                raise ValueError(
                    f'{type(self).__name__}: no classes are named, and there '
                    f"is no '{path}': give classes=['road', 'car', ...]"
                )
            classes, palette = read_class_names(path)
        palette = palette or bit_colours(len(classes))
        if len(palette) != len(classes):
            raise ValueError(
                f'{len(classes)} classes are named and {len(palette)} colours'
            )
        self.max_gap = max_gap
        self.ignored_colours = ignored_colours
        super().__init__(
            metainfo=dict(
                classes=tuple(classes), palette=[list(c) for c in palette]
            ),
            data_prefix=data_prefix
            or dict(img_path='train', seg_map_path='train'),
            seg_map_suffix=seg_map_suffix,
            data_root=data_root,
            ann_file=ann_file,
            **kwargs,
        )

    @classmethod
    def get_label_map(cls, new_classes=None) -> None:
        """None: the classes are whatever a user names."""
        return None

    def load_data_list(self) -> list[dict]:
        labels = dict.fromkeys(
            self.list_files('seg_map_path', [self.seg_map_suffix])
        )
        frames = self._frames()
        data_list, found = [], 0
        for video in self._videos(frames):
            for begin, run in self._runs(frames[video]):
                entries = []
                for number, frame in run:
                    path = osp.join(self.folder('img_path'), frame)
                    label = self.label_name(path)
                    if label in labels:
                        found += 1
                        label = osp.join(self.folder('seg_map_path'), label)
                    else:
                        label = None
                    entries.append((number, path, label))
                name = video if begin is None else f'{video}/{begin:06d}'
                data_list += self.samples(name, entries)
        self._tell_labels(found, labels, frames)
        return data_list

    def _frames(self) -> dict[str, list[str]]:
        """Video -> names of its frames below the folder, in order."""
        folder, labels = self.folder('img_path'), self.folder('seg_map_path')
        same = osp.abspath(folder) == osp.abspath(labels)
        suffix = self.seg_map_suffix.lower()
        frames, taken = {}, 0
        for name in self.list_files('img_path', IMAGES):
            if same and name.lower().endswith(suffix):
                taken += 1
                continue
            video = osp.dirname(name) or osp.basename(osp.abspath(folder))
            frames.setdefault(video, []).append(name)
        if taken and not frames:
            raise ValueError(
                f"every image in '{folder}' ends in '{self.seg_map_suffix}', "
                'as label maps do: name the suffix that tells them apart '
                "(seg_map_suffix='_mask.png'), or keep label maps in a folder "
                'of their own (data_prefix.seg_map_path)'
            )
        for video, names in frames.items():
            stems = [osp.splitext(name)[0] for name in names]
            if len(set(stems)) < len(stems):
                twice = next(s for s in stems if stems.count(s) > 1)
                raise ValueError(
                    f"two images in '{osp.join(folder, video)}' are called "
                    f"'{osp.basename(twice)}': remove one of them"
                )
        return frames

    def _videos(self, frames: dict[str, list[str]]) -> list[str]:
        """Those of the split."""
        if not self.ann_file:
            return list(frames)
        if not exists(self.ann_file, self.backend_args):
            raise FileNotFoundError(
                f"{type(self).__name__}: no list of videos '{self.ann_file}'"
            )
        text = Path(self.ann_file).read_text(encoding='utf-8-sig')
        named = [line.strip() for line in text.splitlines() if line.strip()]
        for video in named:
            if video not in frames:
                raise FileNotFoundError(
                    f"{type(self).__name__}: no frames of the video '{video}' "
                    f"in '{self.folder('img_path')}', which "
                    f"'{self.ann_file}' names"
                )
        return named

    def _runs(
        self, names: list[str]
    ) -> list[tuple[int | None, list[tuple[int, str]]]]:
        """(first number, frames) of each run without a long gap; of a video
        that is one run, the first number is None."""
        found = [LAST_NUMBER.search(osp.splitext(name)[0]) for name in names]
        numbers = [int(match[1]) if match else -1 for match in found]
        if len(set(numbers)) < len(names) or min(numbers) < 0:
            numbers = range(len(names))
        runs, last = [], None
        for number, name in sorted(zip(numbers, names, strict=True)):
            gap = None not in (last, self.max_gap) and (
                number - last > self.max_gap
            )
            if last is None or gap:
                runs.append((number, []))
            runs[-1][1].append((number, name))
            last = number
        return [(None, runs[0][1])] if len(runs) == 1 else runs

    def _tell_labels(self, found: int, labels: dict, frames: dict) -> None:
        """Say which labels have no frame; refuse if none has one."""
        if labels and frames and not found and not self.ann_file:
            some = next(iter(frames.values()))[0]
            raise ValueError(
                f'none of the {len(labels)} label maps in '
                f"'{self.folder('seg_map_path')}', such as "
                f"'{next(iter(labels))}', belongs to a frame in "
                f"'{self.folder('img_path')}', such as '{some}': they must "
                'have one name up to the suffix (seg_map_suffix='
                f"'{self.seg_map_suffix}')"
            )
        lost = len(labels) - found
        if lost and not self.ann_file:
            print_log(
                f'{type(self).__name__}: {lost} of {len(labels)} label maps '
                f"in '{self.folder('seg_map_path')}' have no frame and are "
                'left out',
                logger='current',
            )

    def sample(self, *args, **kwargs) -> dict:
        """An entry of the data list, with what colours are in label maps."""
        return dict(
            super().sample(*args, **kwargs),
            label_colours=self._metainfo['palette'],
            ignored_colours=self.ignored_colours,
        )
