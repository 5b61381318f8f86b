import json
import os.path as osp
from collections.abc import Sequence

import numpy as np
from mmengine.fileio import get_text, list_dir_or_file
from mmengine.logging import print_log
from mmseg.datasets import BaseSegDataset
from mmseg.registry import TRANSFORMS

from .ref_frames import select_ref_frames
from .transforms.loading import check_file, exists

MODES = ('clip', 'stream')
# What tools/pseudo_label.py says of the labels that it writes beside it.
PSEUDO_LABELS = 'pseudo_labels.json'


class BaseSequenceDataset(BaseSegDataset):
    """Yields clips that end in a labelled key frame, or whole streams.

    In clip mode one sample is one labelled frame, with the T-1 ref frames
    before it; in stream mode it is one frame, labelled or not, every frame
    of every sequence in order. A sample's dict has, beside mmseg's keys:

    - ``ref_img_paths`` (list[str]): the T-1 ref frames in time order
    - ``past_img_paths`` (list[str]): what they may be chosen from, every
      frame, the one right before the key frame last; bounded, and empty
      where T is 1
    - ``sequence`` (str), ``frame_id`` (int): the source video, and the
      frame's number in it
    - ``num_frames``, ``frame_interval``, ``missing``, ``num_classes``,
      ``max_gap`` (the longest step between the numbers of neighbours)
    - ``label_weight`` (float): what its label counts in the loss, see
      :class:`SampleWeightedLoss`

    With ``data_prefix.pseudo_path``, the labels that ``tools/pseudo_label.py``
    made of unlabelled frames, some clips end in one of those frames instead;
    with ``unlabelled=True`` in any unlabelled frame, for
    :class:`MeanTeacherHook` to label. The length of the dataset stays the
    number of labelled frames.

    A subclass writes :meth:`load_data_list`, with an entry from
    :meth:`sample` for each sample. How many clips are padded, because the
    past ends too early, is logged once.

    Args:
        num_frames (int): T. Defaults to 1.
        frame_interval (int): Stride of the clip in frames. Defaults to 1.
        mode (str): 'clip' or 'stream'. Defaults to 'clip'.
        augments (dict | None): Temporal augmentation by name, a transform's
            config each, None for one that a base config has and this one
            leaves out. They run in this order, right before the last step of
            the pipeline (packing); those that choose the frames
            (``RandomFrameInterval``) before its first, and those that put
            others in their places (``replaces_frames``) before the rest. A
            name is more easily changed than a place in a list. Defaults to
            None.
        missing (str): What to do where a ref frame's file is missing:
            'error', or 'repeat' the clip's next later frame. Defaults to
            'error'.
        foreground (Sequence[str] | None): Names of classes that become one,
            'foreground' (1), against all others, 'background' (0). Defaults
            to None, the classes as they are.
        pseudo_prob (float): How likely a clip is replaced by one that ends
            in a frame that nobody labelled, each of those alike. Defaults to
            0.5.
        pseudo_weight (float): ``label_weight`` of those. Defaults to 1.
        unlabelled (bool): Whether those are all such frames, with a label of
            255 (``seg_map_path`` is None) where ``pseudo_path`` has none.
            Defaults to False.
        kwargs: :class:`BaseSegDataset`'s.

    Raises:
        ValueError: If an argument is out of range, or the split is empty.
        FileNotFoundError: If the split's folder does not exist.
    """

    # What the subclass says in its errors.
    layout = 'images in data_prefix.img_path'
    # The longest step from one frame number of a sequence to the next.
    max_gap: int | None = None

    def __init__(
        self,
        num_frames: int = 1,
        frame_interval: int = 1,
        mode: str = 'clip',
        missing: str = 'error',
        foreground: Sequence[str] | None = None,
        augments: dict | None = None,
        pipeline: Sequence[dict] = (),
        pseudo_prob: float = 0.5,
        pseudo_weight: float = 1.0,
        unlabelled: bool = False,
        **kwargs,
    ):
        for name, value in (
            ('num_frames', num_frames),
            ('frame_interval', frame_interval),
        ):
            if not isinstance(value, int):
                raise ValueError(f'{name} must be an int, got {value!r}')
            if value < 1:
                raise ValueError(f'{name} must be >= 1, got {value}')
        if mode not in MODES:
            raise ValueError(f"mode must be one of {MODES}, got '{mode}'")
        if missing not in ('error', 'repeat'):
            raise ValueError(
                f"missing must be 'error' or 'repeat', got '{missing}'"
            )
        if mode == 'stream' and num_frames != 1:
            raise ValueError(
                "mode='stream' gives one frame at a time, with states carried "
                f'by the model: set num_frames=1, got {num_frames}'
            )
        if not 0 <= pseudo_prob <= 1 or pseudo_weight < 0:
            raise ValueError(
                'pseudo_prob must lie in [0, 1] and pseudo_weight be >= 0, '
                f'got {pseudo_prob} and {pseudo_weight}'
            )
        self.pseudo_prob = pseudo_prob
        self.pseudo_weight = pseudo_weight
        self.unlabelled = unlabelled and mode == 'clip'
        self._num_labelled = 0
        self.num_frames = num_frames
        self.frame_interval = frame_interval
        self.mode = mode
        self.missing = missing
        self.foreground = foreground
        self._clips = self._padded = 0
        self._last: tuple = (None, None)  # index and frame, of a stream
        pipeline = insert_augments(pipeline, augments or {})
        super().__init__(pipeline=pipeline, **kwargs)

    def full_init(self) -> None:
        if self._fully_initialized:
            return
        if self.foreground is not None:
            self._merge_classes(self.foreground)
        super().full_init()
        if self._padded:
            print_log(
                f'{type(self).__name__}: {self._padded} of {self._clips} '
                f"clips of '{self.data_prefix['img_path']}' reach over the "
                f'beginning of their sequence (num_frames={self.num_frames}, '
                f'frame_interval={self.frame_interval}) and are padded by '
                'repeating their first frame',
                logger='current',
            )

    def _merge_classes(self, foreground: Sequence[str]) -> None:
        """Two classes, and the ids that the labels' own become."""
        classes = list(self._metainfo['classes'])
        unknown = sorted(set(foreground) - set(classes))
        if unknown or not foreground:
            raise ValueError(
                f'foreground={list(foreground)}: name at least one of the '
                f'classes {", ".join(classes)}'
            )
        ids = {i: i for i in range(len(classes))} | (self.label_map or {})
        self.label_map = {
            old: new if new == 255 else int(classes[new] in foreground)
            for old, new in ids.items()
        }
        self._metainfo.update(
            classes=('background', 'foreground'),
            palette=[[0, 0, 0], [220, 20, 60]],
            label_map=self.label_map,
        )

    def filter_data(self) -> list[dict]:
        """The data list; refuses an empty one before it is serialised."""
        if not self.data_list:
            raise ValueError(
                f'{type(self).__name__}: no samples in '
                f"'{self.data_prefix.get('img_path')}' (mode='{self.mode}'); "
                f'expected {self.layout}. Check data_root and data_prefix'
            )
        # Pseudo-labelled samples stand behind the labelled ones, which are
        # what len() counts.
        self.data_list.sort(key=lambda info: info['pseudo'])
        pseudo = sum(info['pseudo'] for info in self.data_list)
        self._num_labelled = len(self.data_list) - pseudo
        taught = any(
            info['pseudo'] and info['seg_map_path'] for info in self.data_list
        )
        if self._reads_pseudo_labels and not taught:
            raise ValueError(
                f"{type(self).__name__}: '{self.folder('pseudo_path')}' has "
                'no label of an unlabelled frame of these sequences: it is '
                'made by tools/pseudo_label.py, with the same names as '
                'labels have'
            )
        if self.unlabelled and not pseudo:
            raise ValueError(
                f"{type(self).__name__}: '{self.data_prefix['img_path']}' has "
                'no frames without a label, which unlabelled=True asks for'
            )
        return super().filter_data()

    def __len__(self) -> int:
        return min(super().__len__(), self._num_labelled)

    @property
    def _reads_pseudo_labels(self) -> bool:
        return self.mode == 'clip' and bool(
            self.data_prefix.get('pseudo_path')
        )

    def list_pseudo_labels(self) -> set[str]:
        """Paths below ``data_prefix.pseudo_path``, relative to it.

        Raises:
            FileNotFoundError: If there is no such folder.
            ValueError: If a teacher of other classes made them.
        """
        if not self._reads_pseudo_labels:
            return set()
        folder = self.folder('pseudo_path')
        if not exists(folder, self.backend_args):
            raise FileNotFoundError(
                f"{type(self).__name__}: no folder '{folder}' "
                '(data_prefix.pseudo_path): it is made by '
                'tools/pseudo_label.py'
            )
        names = set(self.list_files('pseudo_path', [self.seg_map_suffix]))
        report = osp.join(folder, PSEUDO_LABELS)
        if exists(report, self.backend_args):
            text = get_text(report, backend_args=self.backend_args)
            theirs = tuple(json.loads(text)['classes'])
            ours = tuple(self._metainfo['classes'])
            if theirs != ours:
                raise ValueError(
                    f"the teacher of '{report}' knows {len(theirs)} classes "
                    f'({_some(theirs)}), this data has {len(ours)} '
                    f'({_some(ours)}): label it with a teacher of its classes'
                )
        return names

    def prepare_data(self, idx: int) -> dict:
        """A sample of the pipeline; errors name its image."""
        pseudo = super().__len__() - len(self)
        if pseudo and np.random.rand() < self.pseudo_prob:
            idx = len(self) + np.random.randint(pseudo)
        info = self.get_data_info(idx)
        # Some decoders give grey for what is missing of a file.
        check_file(info['img_path'], self.backend_args)
        try:
            if self.mode == 'stream':
                return self._prepare_streamed(idx, info)
            return self.pipeline(info)
        except (OSError, ValueError):
            raise
        except Exception as error:
            raise RuntimeError(
                f"the sample of '{info['img_path']}' could not be prepared: "
                f'{type(error).__name__}: {error}'
            ) from error

    def _prepare_streamed(self, idx: int, info: dict) -> dict:
        """A sample of the pipeline; flow needs the frame before too."""
        transforms = self.pipeline.transforms
        needs = [getattr(t, 'needs_previous', False) for t in transforms]
        if not any(needs):
            return self.pipeline(info)
        at = needs.index(True)

        def run(results: dict, steps: Sequence) -> dict:
            for step in steps:
                results = step(results)
            return results

        results = run(info, transforms[:at])
        last, self._last = self._last, (idx, key_frame(results))
        if self._continues(idx):
            if last[0] != idx - 1:  # loaded by another worker
                before = {**self.get_data_info(idx - 1), 'seg_map_path': None}
                last = idx - 1, key_frame(run(before, transforms[:at]))
            results['previous'] = last[1]
        return run(results, transforms[at:])

    def _continues(self, idx: int) -> bool:
        """Whether a stream's frame follows the one at ``idx - 1``."""
        if idx == 0:
            return False
        before, now = self.get_data_info(idx - 1), self.get_data_info(idx)
        step = now['frame_id'] - before['frame_id']
        return before['sequence'] == now['sequence'] and (
            0 < step <= (self.max_gap or step)
        )

    def folder(self, prefix: str) -> str:
        """The folder that ``data_prefix`` has under this name."""
        folder = self.data_prefix.get(prefix)
        if not folder:
            raise ValueError(
                f"{type(self).__name__}: data_prefix has no '{prefix}', it "
                f'has {sorted(self.data_prefix)}; expected {self.layout}'
            )
        return folder

    def list_files(self, prefix: str, suffixes: Sequence[str]) -> list[str]:
        """Sorted paths below ``data_prefix[prefix]``, relative to it."""
        folder = self.folder(prefix)
        if not exists(folder, self.backend_args):
            raise FileNotFoundError(
                f"{type(self).__name__}: no folder '{folder}' "
                f'(data_prefix.{prefix}); expected {self.layout}. Check '
                'data_root and data_prefix'
            )
        return sorted(
            list_dir_or_file(
                folder,
                list_dir=False,
                suffix=tuple(suffixes),
                recursive=True,
                backend_args=self.backend_args,
            )
        )

    def sample(
        self,
        img_path: str,
        seg_map_path: str | None,
        sequence: str,
        frame_id: int,
        past_img_paths: Sequence[str] = (),
        pseudo: bool = False,
    ) -> dict:
        """One entry of the data list, see the class.

        ``pseudo`` says that ``seg_map_path`` is a teacher's, or None.
        """
        past = list(past_img_paths) if self.num_frames > 1 else []
        ref_img_paths, num_padded = select_ref_frames(
            past, img_path, self.num_frames, self.frame_interval
        )
        self._clips += 1
        self._padded += num_padded > 0
        return dict(
            img_path=img_path,
            seg_map_path=seg_map_path,
            ref_img_paths=ref_img_paths,
            past_img_paths=past,
            num_padded=num_padded,
            sequence=sequence,
            frame_id=frame_id,
            max_gap=self.max_gap,
            num_frames=self.num_frames,
            frame_interval=self.frame_interval,
            missing=self.missing,
            num_classes=len(self._metainfo['classes']),
            pseudo=pseudo,
            label_weight=self.pseudo_weight if pseudo else 1.0,
            # A teacher's ids are those of the classes already.
            label_map=None if pseudo else self.label_map,
            reduce_zero_label=self.reduce_zero_label,
            seg_fields=[],
        )


def key_frame(results: dict) -> np.ndarray:
    """The key frame (H, W, 3) of loaded frames, one or a list of them."""
    img = results['img']
    return img[-1] if isinstance(img, list) else img


def insert_augments(pipeline: Sequence[dict], augments: dict) -> list:
    """The pipeline with the named transforms at their places.

    Raises:
        ValueError: If there is no pipeline to put them into.
    """
    augments = [transform for transform in augments.values() if transform]
    if not augments:
        return list(pipeline)
    if not pipeline:
        raise ValueError('augments need a pipeline that ends in packing')
    augments = [TRANSFORMS.build(transform) for transform in augments]
    before = [t for t in augments if getattr(t, 'chooses_frames', False)]
    after = [t for t in augments if t not in before]
    # Whatever a base config has before them: flow leads to the frames that
    # are there in the end.
    after.sort(key=lambda t: not getattr(t, 'replaces_frames', False))
    return [*before, *pipeline[:-1], *after, pipeline[-1]]


def _some(classes: Sequence[str]) -> str:
    return ', '.join(classes[:3]) + (', ...' if len(classes) > 3 else '')
