import logging
import os.path as osp
import re

from mmengine import fileio
from mmengine.logging import print_log
from mmseg.datasets import CityscapesDataset
from mmseg.registry import DATASETS

from ..io.json_files import parse_object
from .base_sequence import BaseSequenceDataset
from .files import exists

# A snippet has 30 frames; the labelled one is the 20th, number 19 counted
# from 0. Frame numbers run through a city's whole recording.
FRAMES_BEFORE, FRAMES_AFTER = 19, 10
NAME = re.compile(r'(?P<snippet>.+_\d+)_(?P<number>\d+)$')
ARCHIVE = '324 GB, leftImg8bit_sequence_trainvaltest.zip'


@DATASETS.register_module()
class CityscapesSequenceDataset(BaseSequenceDataset):
    """Cityscapes' 30-frame snippets, of which one frame is labelled.

    ::

        data_root
        |- leftImg8bit/val/CITY/CITY_000000_000019_leftImg8bit.png
        |- leftImg8bit_sequence/val/CITY/CITY_000000_000000_leftImg8bit.png ...
        |- gtFine/val/CITY/CITY_000000_000019_gtFine_labelTrainIds.png

    The labels say which frames are key frames. Ref frames come by arithmetic
    on the frame number (key frame minus 1, minus 2, ... down to 19), so that
    partial copies of the 324 GB archive work. A snippet, the frames f-19 to
    f+10 around the labelled frame f, is one sequence. Where
    ``missing='repeat'``, how many clips lack a ref frame is logged once;
    ``missing='drop'`` leaves out labels whose frames are not there, and logs
    how many. Frames are PNG or JPEG, whichever a folder has.

    A stream has the frames of each snippet that are there. A snippet may
    begin later or end earlier than it should; a hole between its frames is an
    error, unless ``missing='repeat'``, which leaves a hole out, or 'drop',
    which leaves out the snippet.

    ``key_frames='images'`` asks for no labels: the frames of ``img_path`` are
    the key frames, as those of the ``test`` split are, which only the server
    has labels of.

    Args:
        data_prefix (dict): ``img_path`` (key frames), ``seg_map_path`` and
            ``seq_path`` (all frames); for streams also ``seq_seg_map_path``,
            the labels of other frames than the key frame, as far as they are
            there. Defaults to the train split's first three.
        key_frame_from (str): 'leftImg8bit' (``img_path``) or 'sequence'
            (``seq_path``), where key frames are read. Defaults to
            'leftImg8bit'.
        seg_map_suffix (str): Defaults to '_gtFine_labelTrainIds.png'.
        degraded_file (str | None): A JSON file below ``data_root`` that lists
            the degraded frames, as street scenes have it; the samples then
            have ``degraded``, the kind or None. Defaults to None.
        kwargs: :class:`BaseSequenceDataset`'s.

    Raises:
        FileNotFoundError: If a stream has a hole.
        ValueError: If a label is not named CITY_SSSSSS_FFFFFF, or
            ``degraded_file`` lists nothing.
    """

    METAINFO = CityscapesDataset.METAINFO
    image_prefixes = ('img_path', 'seq_path')
    max_gap = 1  # a hole in a snippet ends the sequence
    layout = (
        'CITY/CITY_SSSSSS_FFFFFF_leftImg8bit.png in data_prefix.img_path, and '
        '*_gtFine_labelTrainIds.png in data_prefix.seg_map_path (made by '
        'mmseg-video convert-cityscapes; mmseg-video street-scenes makes all '
        'of it)'
    )

    label_help = (
        'Cityscapes needs *_labelTrainIds.png, made from labelIds by '
        'mmseg-video convert-cityscapes'
    )

    def __init__(
        self,
        data_prefix: dict | None = None,
        key_frame_from: str = 'leftImg8bit',
        img_suffix: str = '_leftImg8bit.png',
        seg_map_suffix: str = '_gtFine_labelTrainIds.png',
        degraded_file: str | None = None,
        **kwargs,
    ):
        if key_frame_from not in ('leftImg8bit', 'sequence'):
            raise ValueError(
                "key_frame_from must be 'leftImg8bit' or 'sequence', got "
                f"'{key_frame_from}'"
            )
        self.key_frame_from = key_frame_from
        self.all_labelled = key_frame_from == 'leftImg8bit'
        self.degraded_file = degraded_file
        self._suffixes: dict[str, str] = {}
        super().__init__(
            data_prefix=data_prefix
            or dict(
                img_path='leftImg8bit/train',
                seg_map_path='gtFine/train',
                seq_path='leftImg8bit_sequence/train',
            ),
            img_suffix=img_suffix,
            seg_map_suffix=seg_map_suffix,
            **kwargs,
        )

    def load_data_list(self) -> list[dict]:
        present, labelled = set(), set()
        # One listing of the folder, in place of a look-up for every frame.
        # With missing='error' the loading tells, and the start is fast.
        clips = self.mode == 'clip'
        unlabelled = self.key_frames not in ('labelled', 'images')
        repeats = self.num_frames > 1 and self.missing == 'repeat'
        drops = self.missing == 'drop'
        if (
            not clips
            or repeats
            or unlabelled
            or (drops and self.num_frames > 1)
        ):
            present = self._present('seq_path')
        there = present | self._present(self._key_prefix) if drops else set()
        if not clips and self.data_prefix.get('seq_seg_map_path'):
            labelled = self._labels_of_other_frames()
        self._repeated = dropped = 0
        data_list = []
        snippets = self._snippets()
        for snippet, key, label in snippets:
            if drops and not self._needed(snippet, key, present) <= there:
                dropped += 1
                continue
            if not clips:
                data_list.extend(
                    self._stream(snippet, label, key, present, labelled)
                )
            elif unlabelled:
                data_list += self._unlabelled_clips(snippet, key, present)
            else:
                data_list.append(self._clip(snippet, label, key, present))
        if self.degraded_file:
            self._mark_degraded(data_list)
        if dropped:
            print_log(
                f'CityscapesSequenceDataset: {dropped} of {len(snippets)} '
                f"snippets lack frames and are left out (missing='drop')",
                logger='current',
                level=logging.WARNING,
            )
        if self._repeated:
            print_log(
                f'CityscapesSequenceDataset: {self._repeated} of '
                f'{len(data_list)} clips lack a ref frame in '
                f"'{self.folder('seq_path')}'; missing='repeat' repeats the "
                "clip's next later frame",
                logger='current',
                level=logging.WARNING,
            )
        return data_list

    def _mark_degraded(self, data_list: list[dict]) -> None:
        path = osp.join(self.data_root or '', self.degraded_file)
        if not exists(path, self.backend_args):
            print_log(
                f"no '{path}': figures of degraded frames are not told apart",
                logger='current',
            )
            return
        text = fileio.get_text(path, backend_args=self.backend_args)
        listed = parse_object(text, path, 'make the street scenes again')
        if 'degraded' not in listed:
            raise ValueError(
                f"'{path}' does not say yet which frames are degraded: the "
                'street scenes are not finished, make them again to go on'
            )
        kinds = {
            (osp.basename(burst['snippet']), burst['frame']): burst['kind']
            for burst in listed['degraded']
        }
        for info in data_list:
            snippet = NAME.match(info['sequence'])['snippet']
            info['degraded'] = kinds.get((snippet, info['frame_id']))

    def _snippets(self) -> list[tuple[str, int, str | None]]:
        """Snippet, number of its key frame, and the key frame's label below
        its folder, None where there are no labels."""
        prefix, suffix = 'seg_map_path', self.seg_map_suffix
        if self.key_frames == 'images':
            prefix, suffix = 'img_path', self._suffix('img_path')
        found = []
        for name in self.list_files(prefix, [suffix]):
            match = NAME.match(name[: -len(suffix)])
            if match is None:
                raise ValueError(
                    f"'{osp.join(self.folder(prefix), name)}' is not named "
                    'CITY_SSSSSS_FFFFFF'
                )
            label = name if prefix == 'seg_map_path' else None
            found.append((match['snippet'], int(match['number']), label))
        return found

    def _present(self, prefix: str) -> set[str]:
        """The paths of the frames that are there."""
        folder = self.folder(prefix)
        listed = self.list_files(prefix, [self._suffix(prefix)])
        return {osp.join(folder, name) for name in listed}

    def _needed(self, snippet: str, key: int, present: set[str]) -> set[str]:
        """The paths without which a snippet is dropped."""
        image = self._path(snippet, key, self._key_prefix)
        if self.mode == 'clip':
            past = [
                self._path(snippet, number, 'seq_path')
                for number in range(max(0, key - FRAMES_BEFORE), key)
            ]
            sample = self.sample(image, None, snippet, key, past)
            return {image, *sample['ref_img_paths']}
        paths = self._snippet_paths(snippet, key)
        there = [n for n, path in paths.items() if path in present]
        first, last = min([*there, key]), max([*there, key])
        between = {paths[n] for n in range(first, last + 1) if n != key}
        return {image, *between}

    def _path(self, snippet: str, number: int, prefix: str) -> str:
        name = f'{snippet}_{number:06d}{self._suffix(prefix)}'
        return osp.join(self.folder(prefix), name)

    def _suffix(self, prefix: str) -> str:
        """What the frames of a folder end in: ``img_suffix``, or the same as
        JPEG."""
        if prefix not in self._suffixes:
            folder, stem = self.folder(prefix), self._mark
            known = (self.img_suffix, f'{stem}.jpg', f'{stem}.jpeg')
            found = self.img_suffix
            if exists(folder, self.backend_args):
                names = fileio.list_dir_or_file(
                    folder,
                    list_dir=False,
                    suffix=known,
                    recursive=True,
                    backend_args=self.backend_args,
                )
                first = next(iter(names), found)
                found = next(s for s in known if first.endswith(s))
            self._suffixes[prefix] = found
        return self._suffixes[prefix]

    @property
    def _mark(self) -> str:
        return osp.splitext(self.img_suffix)[0]

    def label_name(self, img_path: str) -> str:
        stem = osp.splitext(img_path)[0].removesuffix(self._mark)
        return super().label_name(stem + self.img_suffix)

    @property
    def _key_prefix(self) -> str:
        if self.key_frame_from == 'sequence':
            return 'seq_path'
        return 'img_path'

    def _sequence(self, snippet: str, key: int) -> str:
        return f'{osp.basename(snippet)}_{key:06d}'

    def _clip(
        self, snippet: str, label: str | None, key: int, present: set[str]
    ) -> dict:
        first = max(0, key - FRAMES_BEFORE)
        past = range(first, key) if self.num_frames > 1 else ()
        sample = self.sample(
            self._path(snippet, key, self._key_prefix),
            label and osp.join(self.folder('seg_map_path'), label),
            self._sequence(snippet, key),
            key,
            [self._path(snippet, number, 'seq_path') for number in past],
        )
        self._count_repeated(sample, present)
        return sample

    def _count_repeated(self, sample: dict, present: set[str]) -> None:
        if self.missing == 'repeat':
            refs = set(sample['ref_img_paths']) - {sample['img_path']}
            self._repeated += not refs <= present

    def _unlabelled_clips(
        self, snippet: str, key: int, present: set[str]
    ) -> list[dict]:
        """A clip for each other frame of the snippet.

        Its past is the snippet's, from the first frame that is there: the
        frames before belong to another one, or are not there. A hole behind
        it is left to the loading, as a labelled frame's is.
        """
        paths = self._snippet_paths(snippet, key)
        if paths[key] not in present:
            # A partial copy may have it among the labelled frames only.
            paths[key] = self._path(snippet, key, self._key_prefix)
        there = [n for n, path in paths.items() if n == key or path in present]
        clips = []
        for number in there:
            if number == key or not self.is_key_frame(paths[number], None):
                continue
            sample = self.sample(
                paths[number],
                None,
                self._sequence(snippet, key),
                number,
                [paths[n] for n in range(there[0], number)],
            )
            self._count_repeated(sample, {paths[n] for n in there})
            clips.append(sample)
        return clips

    def _snippet_paths(self, snippet: str, key: int) -> dict[int, str]:
        """Frame number -> path, whether it is there or not."""
        first = max(0, key - FRAMES_BEFORE)
        return {
            number: self._path(snippet, number, 'seq_path')
            for number in range(first, key + FRAMES_AFTER + 1)
        }

    def _labels_of_other_frames(self) -> set[str]:
        folder = self.folder('seq_seg_map_path')
        if not exists(folder, self.backend_args):
            return set()
        listed = self.list_files('seq_seg_map_path', [self.seg_map_suffix])
        return {osp.join(folder, name) for name in listed}

    def _stream(
        self,
        snippet: str,
        label: str | None,
        key: int,
        present: set[str],
        labelled: set[str],
    ) -> list[dict]:
        """The snippet's frames that are there, in order."""
        paths = self._snippet_paths(snippet, key)
        there = [n for n, path in paths.items() if path in present]
        # The labelled frame always is one: without it nothing is measured.
        paths[key] = self._path(snippet, key, self._key_prefix)
        there = sorted({*there, key})
        holes = sorted(set(range(there[0], there[-1])) - set(there))
        if holes and self.missing == 'error':
            raise FileNotFoundError(
                f"no frame '{paths[holes[0]]}', one of {len(holes)} that the "
                f"stream of '{paths[key]}' lacks between its frames: copy "
                f"them ({ARCHIVE}), or set missing='repeat' for the dataset "
                "to leave holes out, or 'drop' to leave out the snippet"
            )
        labels = {}
        if label is not None:
            labels[key] = osp.join(self.folder('seg_map_path'), label)
        for number in there if labelled else ():
            name = f'{snippet}_{number:06d}{self.seg_map_suffix}'
            path = osp.join(self.folder('seq_seg_map_path'), name)
            if path in labelled:
                labels.setdefault(number, path)
        return [
            self.sample(
                paths[number],
                labels.get(number),
                self._sequence(snippet, key),
                number,
            )
            for number in there
        ]
