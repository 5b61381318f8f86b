import os.path as osp

from mmseg.registry import DATASETS

from .base_sequence import BaseSequenceDataset
from .palette import bit_colours

CONVERTER = 'mmseg-video convert-coco'

# By category id. Those marked * are in COCO's list of 91 and in no
# instances_*.json; id 91, hair brush, is the last of them and has no class.
NAMES = (
    *('background', 'person', 'bicycle', 'car', 'motorcycle', 'airplane'),
    *('bus', 'train', 'truck', 'boat', 'traffic light', 'fire hydrant'),
    *('street sign', 'stop sign', 'parking meter', 'bench', 'bird'),  # *12
    *('cat', 'dog', 'horse', 'sheep', 'cow', 'elephant', 'bear', 'zebra'),
    *('giraffe', 'hat', 'backpack', 'umbrella', 'shoe'),  # *26, *29
    *('eye glasses', 'handbag', 'tie', 'suitcase', 'frisbee'),  # *30
    *('skis', 'snowboard', 'sports ball', 'kite', 'baseball bat'),
    *('baseball glove', 'skateboard', 'surfboard', 'tennis racket'),
    *('bottle', 'plate', 'wine glass', 'cup', 'fork', 'knife'),  # *45
    *('spoon', 'bowl', 'banana', 'apple', 'sandwich', 'orange'),
    *('broccoli', 'carrot', 'hot dog', 'pizza', 'donut', 'cake', 'chair'),
    *('couch', 'potted plant', 'bed', 'mirror', 'dining table'),  # *66
    *('window', 'desk', 'toilet', 'door', 'tv', 'laptop'),  # *68, *69, *71
    *('mouse', 'remote', 'keyboard', 'cell phone', 'microwave', 'oven'),
    *('toaster', 'sink', 'refrigerator', 'blender', 'book'),  # *83
    *('clock', 'vase', 'scissors', 'teddy bear', 'hair drier'),
    'toothbrush',
)


@DATASETS.register_module()
class COCOSemanticDataset(BaseSequenceDataset):
    """COCO's stills with semantic maps of its categories.

    ::

        data_root
        |- train2017/000000000009.jpg
        |- semantic/train2017/000000000009.png

    The maps are made from ``instances_*.json`` by
    ``mmseg-video convert-coco``. 91 classes: a class is its
    category id, 1 to 90, and 0 is the background, every pixel of no object;
    crowds are 255, ignored. To ignore the background as well, name the
    classes that remain: ``metainfo=dict(classes=[...])``, as in mmseg.

    A still is a sequence of one frame. ``num_frames`` is for ``StillToClip``,
    which makes the ref frames.

    Args:
        data_prefix (dict): ``img_path`` and ``seg_map_path``. Defaults to
            those of train2017.
        kwargs: :class:`BaseSequenceDataset`'s.

    Raises:
        FileNotFoundError: If an image has no map.
    """

    METAINFO = dict(classes=NAMES, palette=bit_colours(len(NAMES)))
    grey = True  # some of its photographs
    layout = (
        'images like 000000000009.jpg in data_prefix.img_path, and maps like '
        f'000000000009.png in data_prefix.seg_map_path, made by {CONVERTER}'
    )

    def __init__(
        self,
        data_prefix: dict | None = None,
        img_suffix: str = '.jpg',
        seg_map_suffix: str = '.png',
        **kwargs,
    ):
        super().__init__(
            data_prefix=data_prefix
            or dict(img_path='train2017', seg_map_path='semantic/train2017'),
            img_suffix=img_suffix,
            seg_map_suffix=seg_map_suffix,
            **kwargs,
        )

    def reach(self) -> int:
        """0: ``StillToClip`` makes the frames before a still."""
        return 0

    def load_data_list(self) -> list[dict]:
        images = self.list_files('img_path', [self.img_suffix])
        maps = {
            name[: -len(self.seg_map_suffix)]: name
            for name in self.list_files('seg_map_path', [self.seg_map_suffix])
        }
        stems = {name[: -len(self.img_suffix)]: name for name in images}
        missing = [stem for stem in stems if stem not in maps]
        if missing:
            raise FileNotFoundError(
                f'{len(missing)} of {len(images)} images in '
                f"'{self.folder('img_path')}' have no map in "
                f"'{self.folder('seg_map_path')}', such as "
                f"'{missing[0]}{self.seg_map_suffix}': make them by "
                f'{CONVERTER}, which goes on where it was'
            )
        stills = [self._still(s, name, maps[s]) for s, name in stems.items()]
        return [
            still
            for still in stills
            if self.is_key_frame(still['img_path'], still['seg_map_path'])
        ]

    def _still(self, stem: str, image: str, label: str) -> dict:
        sample = self.sample(
            osp.join(self.folder('img_path'), image),
            osp.join(self.folder('seg_map_path'), label),
            stem,
            0,
        )
        # There is no past to pad; StillToClip makes one.
        return {**sample, 'ref_img_paths': [], 'num_padded': 0}
