import os.path as osp
from collections.abc import Collection, Sequence
from pathlib import Path

from mmengine.logging import print_log
from mmseg.datasets import BaseSegDataset
from mmseg.registry import TRANSFORMS

from .files import check_frame, exists, list_files
from .packed import is_packed, packed_root, refuse_other_settings
from .previous_frame import prepare_streamed
from .ref_frames import select_ref_frames
from .transforms.frame_interval import longest_interval

MODES = ('clip', 'stream')
MOST = 10_000  # frames of a clip, and from one to the next


class NoSamplesError(ValueError):
    """A dataset has nothing to give."""


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

    A subclass writes :meth:`load_data_list`, with an entry from
    :meth:`sample` for each frame that :meth:`is_key_frame`. How many clips
    are padded, because the past ends too early, is logged once.

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
        missing (str): What to do where a frame's file is missing: 'error';
            'repeat' the clip's next later frame in place of a ref frame; or
            'drop' the clip, where the data set's layout says which frames
            there should be (Cityscapes). Defaults to 'error'.
        foreground (Sequence[str] | None): Names of classes that become one,
            'foreground' (1), against all others, 'background' (0). Defaults
            to None, the classes as they are.
        key_frames (str | Collection[str]): Which frames clips end in: those
            that are 'labelled'; the 'unlabelled' ones, with a label of 255
            (``seg_map_path`` is None); of these, the ones whose
            :meth:`label_name` is given; or the 'images' of ``img_path``,
            whatever their labels, which are not read. Defaults to
            'labelled'.
        label_map (dict | None): Ids as they stand in the label files -> those
            of the classes, or 255, to be ignored. Defaults to None, as they
            are.
        data_root (str | None): A folder, or a packed set of
            ``pack_sequences.py``. Defaults to None.
        kwargs: :class:`BaseSegDataset`'s.

    Raises:
        ValueError: If an argument is out of range, the split is empty, or a
            packed set was made for fewer frames.
        FileNotFoundError: If the split's folder does not exist.
    """

    # What the subclass says in its errors.
    layout = 'images in data_prefix.img_path'
    # What to do where a label has other ids than the classes'.
    label_help = (
        'Give the data set label_map={id: class}, with 255 for an id that is '
        'to be ignored'
    )
    # The longest step from one frame number of a sequence to the next.
    max_gap: int | None = None
    # Whether every frame in data_prefix.img_path has a label.
    all_labelled = False
    # Whether some of its frames may be grey.
    grey = False
    # Where its frames are.
    image_prefixes = ('img_path',)

    def __init__(
        self,
        num_frames: int = 1,
        frame_interval: int = 1,
        mode: str = 'clip',
        missing: str = 'error',
        foreground: Sequence[str] | None = None,
        augments: dict | None = None,
        pipeline: Sequence[dict] = (),
        key_frames: str | Collection[str] = 'labelled',
        data_root: str | None = None,
        label_map: dict[int, int] | None = None,
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
            if value > MOST:
                raise ValueError(f'{name} must be <= {MOST}, got {value}')
        if mode not in MODES:
            raise ValueError(f"mode must be one of {MODES}, got '{mode}'")
        if missing not in ('error', 'repeat', 'drop'):
            raise ValueError(
                f"missing must be 'error', 'repeat' or 'drop', got '{missing}'"
            )
        if mode == 'stream' and num_frames != 1:
            raise ValueError(
                "mode='stream' gives one frame at a time, with states carried "
                f'by the model: set num_frames=1, got {num_frames}'
            )
        if isinstance(key_frames, str) and key_frames not in (
            'labelled',
            'unlabelled',
            'images',
        ):
            raise ValueError(
                "key_frames must be 'labelled', 'unlabelled', 'images' or "
                f"names of labels, got '{key_frames}'"
            )
        if mode == 'stream' and key_frames not in ('labelled', 'images'):
            raise ValueError(
                "mode='stream' gives every frame, labelled or not: key_frames "
                'is for clips'
            )
        self.key_frames = key_frames
        self._given_label_map = label_map
        self.num_frames = num_frames
        self.frame_interval = frame_interval
        self.mode = mode
        self.missing = missing
        self.foreground = foreground
        pipeline = insert_augments(pipeline, augments or {})
        super().__init__(
            pipeline=pipeline, data_root=packed_root(data_root), **kwargs
        )

    def full_init(self) -> None:
        if self._fully_initialized:
            return
        if self._given_label_map is not None:
            self._map_labels(self._given_label_map)
        if self.foreground is not None:
            self._merge_classes(self.foreground)
        if is_packed(self.data_root):
            refuse_other_settings(
                self.data_root,
                self.folder('img_path'),
                self.reach(),
                self.asks_for(),
            )
        super().full_init()

    def reach(self) -> int:
        """How many frames before a key frame a clip may ask for."""
        stride = max(self.frame_interval, longest_interval(self.pipeline))
        return (self.num_frames - 1) * stride

    def asks_for(self) -> str:
        """Which frames its sequences must have, in a word."""
        if self.mode == 'stream':
            return 'stream'
        return self.key_frames if isinstance(self.key_frames, str) else 'some'

    def _map_labels(self, label_map: dict[int, int]) -> None:
        """Add to what the ids in the label files become."""
        num_classes = len(self._metainfo['classes'])
        outside = [
            i
            for i in label_map.values()
            if not isinstance(i, int) or not (0 <= i < num_classes or i == 255)
        ]
        if outside:
            raise ValueError(
                f'label_map={label_map}: {outside[0]!r} is none of the '
                f'{num_classes} classes, 0 to {num_classes - 1}, nor 255'
            )
        # mmseg takes the zero away first.
        shift = int(self.reduce_zero_label)
        given = {(int(k) - shift) % 256: v for k, v in label_map.items()}
        self.label_map = (self.label_map or {}) | given
        self._metainfo.update(label_map=self.label_map)

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
        folder = self.data_prefix.get('img_path')
        if not self.data_list and self.key_frames != 'labelled':
            raise NoSamplesError(
                f"{type(self).__name__}: '{folder}' has no frames without a "
                'label, or none of those that are asked for'
            )
        if not self.data_list:
            raise NoSamplesError(
                f"{type(self).__name__}: no samples in '{folder}' "
                f"(mode='{self.mode}'); expected {self.layout}. Check "
                'data_root and data_prefix'
            )
        padded = sum(info['num_padded'] > 0 for info in self.data_list)
        if padded:
            print_log(
                f'{type(self).__name__}: {padded} of {len(self.data_list)} '
                f"clips of '{folder}' reach over the beginning of their "
                f'sequence (num_frames={self.num_frames}, '
                f'frame_interval={self.frame_interval}) and are padded by '
                'repeating their first frame',
                logger='current',
            )
        return super().filter_data()

    def prepare_data(self, idx: int) -> dict:
        """A sample of the pipeline; errors name its image."""
        return self.prepare(self.get_data_info(idx))

    def prepare(self, info: dict) -> dict:
        """The sample of an entry of the data list; errors name its image."""
        # Some decoders give grey for what is missing of a file.
        check_frame(info['img_path'], self.backend_args, self.grey)
        try:
            if self.mode == 'stream':
                return prepare_streamed(self, info)
            return self.pipeline(info)
        except (OSError, ValueError):
            raise
        except Exception as error:
            raise RuntimeError(
                f"the sample of '{info['img_path']}' could not be prepared: "
                f'{type(error).__name__}: {error}'
            ) from error

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
        """Paths below ``data_prefix[prefix]``, relative to it."""
        if prefix == 'seg_map_path' and self.key_frames == 'images':
            return []
        folder = self.folder(prefix)
        if not exists(folder, self.backend_args):
            raise FileNotFoundError(
                f"{type(self).__name__}: no folder '{folder}' "
                f'(data_prefix.{prefix}); expected {self.layout}. Check '
                'data_root and data_prefix'
            )
        return list_files(folder, suffixes, self.backend_args)

    def label_name(self, img_path: str) -> str:
        """The path, below a folder of labels, that a frame's label has."""
        folders = map(self.data_prefix.get, self.image_prefixes)
        # Longest first: one folder may lie inside the other.
        folder = max(
            (f for f in folders if f and Path(img_path).is_relative_to(f)),
            key=len,
        )
        name = osp.relpath(img_path, folder)
        stem = osp.splitext(name)[0]
        if name.lower().endswith(self.img_suffix.lower()):
            stem = name[: -len(self.img_suffix)]
        return stem + self.seg_map_suffix

    def is_key_frame(self, img_path: str, label: str | None) -> bool:
        """Whether a frame with this label, or None, ends a clip; in a stream
        every frame does."""
        if self.mode == 'stream' or self.key_frames == 'images':
            return True
        if label is not None or self.key_frames == 'labelled':
            return label is not None and self.key_frames == 'labelled'
        return (
            self.key_frames == 'unlabelled'
            or self.label_name(img_path) in self.key_frames
        )

    def samples(
        self, sequence: str, frames: Sequence[tuple[int, str, str | None]]
    ) -> list[dict]:
        """Entries of the data list for a whole sequence.

        Args:
            sequence (str): Its name.
            frames (Sequence[tuple]): Number, path and label, or None, of
                every frame, in time order.
        """
        paths = [path for _, path, _ in frames]
        # What the clip needs, and what RandomFrameInterval may ask for.
        # Bounded, since the list would grow with the square of a video.
        longest = longest_interval(self.pipeline)
        stride = max(3 * self.frame_interval, longest)
        reach = max(30, (self.num_frames - 1) * stride)
        return [
            self.sample(
                path, label, sequence, number, paths[max(0, i - reach) : i]
            )
            for i, (number, path, label) in enumerate(frames)
            if self.is_key_frame(path, label)
        ]

    def sample(
        self,
        img_path: str,
        seg_map_path: str | None,
        sequence: str,
        frame_id: int,
        past_img_paths: Sequence[str] = (),
    ) -> dict:
        """One entry of the data list, see the class."""
        past = list(past_img_paths) if self.num_frames > 1 else []
        ref_img_paths, num_padded = select_ref_frames(
            past, img_path, self.num_frames, self.frame_interval
        )
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
            label_map=self.label_map,
            reduce_zero_label=self.reduce_zero_label,
            label_help=self.label_help,
            seg_fields=[],
        )


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
    last = [t for t in after if getattr(t, 'needs_previous', False)]
    after = [t for t in after if t not in last]
    *steps, end = pipeline
    if last and end['type'] == 'TestTimeAug':
        # Behind what it flips and resizes, in front of its own packing.
        *inner, packing = end['transforms']
        end = dict(end, transforms=[*inner, *([t] for t in last), packing])
        last = []
    return [*before, *steps, *after, *last, end]
