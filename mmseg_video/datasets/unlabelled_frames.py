import os.path as osp

import numpy as np
from mmengine.fileio import get_text
from mmseg.registry import DATASETS

from ..io.json_files import parse_object
from .base_sequence import NoSamplesError
from .files import exists, list_files

# What the tool says of the labels that it writes beside it.
PSEUDO_LABELS = 'pseudo_labels.json'
TOOL = 'mmseg-video pseudo-label'


@DATASETS.register_module()
class UnlabelledFrames:
    """A sequence dataset, with frames that nobody labelled among its clips.

    Any clip may be replaced by one that ends in an unlabelled frame of the
    same sequences, each of those alike, drawn anew each time. With
    ``pseudo_path``, the folder of the labels that ``mmseg-video pseudo-label``
    made, these are the frames that have a label there; without it they are
    all unlabelled frames, for :class:`MeanTeacherHook` to label. The length
    is the number of labelled frames. Such a sample has

    - ``seg_map_path``: the pseudo-label, or None (a label of 255)
    - ``label_weight`` (float): what its label counts in the loss, see
      :class:`SampleWeightedLoss`

    Args:
        dataset (dict): The config of a :class:`BaseSequenceDataset` of clips.
        prob (float): How likely a clip is replaced. Defaults to 0.5.
        weight (float): ``label_weight`` of the others. Defaults to 1.
        pseudo_path (str | None): Relative to the dataset's ``data_root``.
            Defaults to None.
        keep_unlabelled (bool): Whether frames that have no label in
            ``pseudo_path`` are drawn as well. Defaults to False.

    Raises:
        FileNotFoundError: If there is no ``pseudo_path``.
        ValueError: If a number is out of range, no frame is left, or a
            teacher of other classes made the labels.
    """

    def __init__(
        self,
        dataset: dict,
        prob: float = 0.5,
        weight: float = 1.0,
        pseudo_path: str | None = None,
        keep_unlabelled: bool = False,
    ):
        if not 0 <= prob <= 1 or weight < 0:
            raise ValueError(
                'prob must lie in [0, 1] and weight be >= 0, got '
                f'{prob} and {weight}'
            )
        self.prob, self.weight = prob, weight
        self.dataset = DATASETS.build(dataset)
        self.backend_args = self.dataset.backend_args
        self.folder, self.labels = None, frozenset()
        # Whether some frames have no label at all, and need a teacher.
        self.has_unlabelled = not pseudo_path or keep_unlabelled
        if pseudo_path:
            self.folder = osp.join(self.dataset.data_root or '', pseudo_path)
            self.labels = self._list_labels()
            self.unlabelled = self._build(dataset, self.labels)
        if self.has_unlabelled:
            self.unlabelled = self._build(dataset, 'unlabelled')

    def _build(self, dataset: dict, key_frames: str | frozenset):
        try:
            return DATASETS.build(dict(dataset, key_frames=key_frames))
        except NoSamplesError as error:
            if key_frames == 'unlabelled':
                raise
            raise ValueError(
                f"UnlabelledFrames: '{self.folder}' has no label of an "
                f'unlabelled frame of these sequences: it is made by {TOOL}, '
                'with the same names as labels have'
            ) from error

    def _list_labels(self) -> frozenset[str]:
        """Paths below the folder, relative to it."""
        if not exists(self.folder, self.backend_args):
            raise FileNotFoundError(
                f"UnlabelledFrames: no folder '{self.folder}' (pseudo_path): "
                f'it is made by {TOOL}'
            )
        report = osp.join(self.folder, PSEUDO_LABELS)
        if exists(report, self.backend_args):
            text = get_text(report, backend_args=self.backend_args)
            content = parse_object(text, report, f'remove it, and run {TOOL}')
            theirs = tuple(content.get('classes') or ())
            ours = tuple(self.metainfo['classes'])
            if theirs != ours:
                raise ValueError(
                    f"the teacher of '{report}' knows {len(theirs)} classes "
                    f'({_some(theirs)}), this data has {len(ours)} '
                    f'({_some(ours)}): label it with a teacher of its classes'
                )
        suffixes = [self.dataset.seg_map_suffix]
        return frozenset(list_files(self.folder, suffixes, self.backend_args))

    @property
    def metainfo(self) -> dict:
        return self.dataset.metainfo

    def __len__(self) -> int:
        return len(self.dataset)

    def get_data_info(self, idx: int) -> dict:
        """The entry of a labelled frame."""
        return self.dataset.get_data_info(idx)

    def unlabelled_info(self, idx: int) -> dict:
        """The entry of a frame that nobody labelled."""
        info = self.unlabelled.get_data_info(idx)
        name = self.unlabelled.label_name(info['img_path'])
        if name in self.labels:
            info['seg_map_path'] = osp.join(self.folder, name)
        # A teacher's ids are those of the classes already.
        return dict(info, label_weight=self.weight, label_map=None)

    def __getitem__(self, idx: int) -> dict:
        if np.random.rand() >= self.prob:
            return self.dataset[idx]
        for _ in range(self.unlabelled.max_refetch + 1):
            idx = np.random.randint(len(self.unlabelled))
            sample = self.unlabelled.prepare(self.unlabelled_info(idx))
            if sample is not None:  # a transform may ask for another one
                return sample
        raise RuntimeError(
            f'UnlabelledFrames: no sample in {self.unlabelled.max_refetch} '
            'tries: the transforms drop them all'
        )


def sequence_config(dataset: dict) -> dict:
    """The config of the sequence dataset, inside wrappers of it too."""
    while 'dataset' in dataset:
        dataset = dataset['dataset']
    return dataset


def _some(classes: tuple[str, ...]) -> str:
    return ', '.join(classes[:3]) + (', ...' if len(classes) > 3 else '')
