"""COCO's stills as samples."""

import cv2
import numpy as np
import pytest
from mmengine import Config
from mmseg.datasets import COCOStuffDataset
from mmseg.registry import DATASETS

from mmseg_video.datasets import COCOSemanticDataset
from tests.coco import SIZE, coco_tree
from tests.runs import CONFIGS
from tests.sequences import write_image

CLASSES = COCOSemanticDataset.METAINFO['classes']


@pytest.fixture
def data(tmp_path):
    coco_tree(tmp_path, {1: [], 2: []})
    label = np.zeros(SIZE, np.uint8)
    label[:, 10:20], label[:, 20:30], label[:, 30:] = 1, 90, 255
    for i in (1, 2):
        write_image(tmp_path / f'semantic/train2017/{i:012d}.png', label)
    return tmp_path


def train_set(root, name='coco_semantic', **changes):
    cfg = Config.fromfile(CONFIGS / f'_base_/datasets/{name}.py')
    dataset = cfg.train_dataloader.dataset
    dataset.update(data_root=str(root), **changes)
    return DATASETS.build(dataset)


def test_91_classes_of_which_a_class_is_its_category_id():
    assert len(set(CLASSES)) == 91
    ids = {0: 'background', 1: 'person', 3: 'car', 10: 'traffic light'}
    ids.update({13: 'stop sign', 44: 'bottle', 67: 'dining table'})
    ids.update({73: 'laptop', 84: 'book', 90: 'toothbrush'})
    assert {i: CLASSES[i] for i in ids} == ids
    palette = COCOSemanticDataset.METAINFO['palette']
    assert palette[0] == [0, 0, 0]
    assert len({tuple(colour) for colour in palette}) == 91
    assert 0 <= min(map(min, palette)) < max(map(max, palette)) <= 255


@pytest.mark.parametrize(
    ('name', 'num_frames'), [('coco_semantic', 1), ('coco_semantic_t5', 5)]
)
def test_a_still_becomes_a_clip(data, name, num_frames):
    np.random.seed(0)
    dataset = train_set(data, name)
    assert len(dataset) == 2
    packed = dataset[0]
    assert packed['inputs'].shape[:2] == (num_frames, 3)
    sample = packed['data_samples']
    assert sample.gt_sem_seg.shape == packed['inputs'].shape[2:]
    assert sample.gt_sem_seg.data.unique().tolist() == [0, 1, 90, 255]
    assert sample.num_frames == num_frames


def test_the_background_can_be_ignored_as_mmseg_ignores_classes(data):
    np.random.seed(0)
    dataset = train_set(data, metainfo=dict(classes=CLASSES[1:]))
    label = dataset[0]['data_samples'].gt_sem_seg.data
    # Background and crowd; person and toothbrush.
    assert label.unique().tolist() == [0, 89, 255]


def test_an_image_without_a_map(data):
    (data / f'semantic/train2017/{2:012d}.png').unlink()
    sentence = r"1 of 2 images .*no map .*'000000000002\.png': make them by"
    with pytest.raises(FileNotFoundError, match=sentence):
        train_set(data)


def test_no_maps(tmp_path):
    coco_tree(tmp_path, {1: []})
    with pytest.raises(FileNotFoundError, match='by mmseg-video convert-coco'):
        train_set(tmp_path)


def test_coco_stuff_through_mmsegs_data_set(tmp_path):
    img = np.zeros((*SIZE, 3), np.uint8)
    write_image(tmp_path / 'images/train2017/1.jpg', img)
    label = np.full(SIZE, 170, np.uint8)
    path = tmp_path / 'annotations/train2017/1_labelTrainIds.png'
    path.parent.mkdir(parents=True)
    cv2.imwrite(str(path), label)
    dataset = train_set(tmp_path, 'coco_stuff164k')
    assert type(dataset) is COCOStuffDataset
    packed = dataset[0]
    assert packed['inputs'].shape[:2] == (1, 3)
    assert packed['data_samples'].gt_sem_seg.data.unique().tolist() == [170]
