import json

import numpy as np
import pytest
from mmseg.registry import DATASETS

from mmseg_video.apis.pseudo_label_writer import unlabelled_frames
from mmseg_video.datasets import VSPWSequenceDataset
from tests.sequences import SIZE, frame, number_of, write_image

PIPELINE = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadRefFrames'),
    dict(type='LoadClipAnnotations'),
    dict(type='PackClipInputs'),
]


@pytest.fixture
def root(tmp_path):
    """Two videos, of which the second lacks a label."""
    for video, numbers in (('12_a', range(3, 8)), ('7_b', range(4))):
        folder = tmp_path / 'data' / video
        for number in numbers:
            write_image(folder / f'origin/{number:08d}.png', frame(number))
            if (video, number) != ('7_b', 1):
                label = np.full(SIZE, 5, np.uint8)
                label[0], label[1], label[2] = 0, 124, 255
                write_image(folder / f'mask/{number:08d}.png', label)
    (tmp_path / 'val.txt').write_text('12_a\n7_b\n')
    (tmp_path / 'train.txt').write_text('7_b\n')
    return tmp_path


def build(root, **kwargs):
    kwargs = {'ann_file': 'val.txt', 'pipeline': PIPELINE, **kwargs}
    return VSPWSequenceDataset(data_root=str(root), **kwargs)


def test_clips_end_in_labelled_frames(root):
    dataset = build(root, num_frames=3)
    assert len(dataset) == 8
    sample = dataset[2]
    # Colours are in the order of the file: blue first.
    clip = sample['inputs'].permute(0, 2, 3, 1).numpy()
    assert [number_of(f) for f in clip] == [3, 4, 5]
    # At the beginning of the second video, nothing comes from the first.
    clip = dataset[5]['inputs'].permute(0, 2, 3, 1).numpy()
    assert [number_of(f) for f in clip] == [0, 0, 0]


def test_the_past_is_as_long_as_the_augments_reach(root):
    for number in range(45):
        name = f'{number:08d}.png'
        write_image(root / 'data/3_c/origin' / name, frame(number))
    write_image(root / f'data/3_c/mask/{44:08d}.png', np.ones(SIZE, np.uint8))
    (root / 'val.txt').write_text('3_c\n')
    interval = dict(type='RandomFrameInterval', intervals=(10,))
    dataset = build(root, num_frames=5, augments=dict(interval=interval))
    clip = dataset[0]['inputs'].permute(0, 2, 3, 1).numpy()
    assert [number_of(f) for f in clip] == [4, 14, 24, 34, 44]
    # A long video does not keep all of its past for each frame.
    assert len(dataset.get_data_info(0)['past_img_paths']) == 40


def test_void_is_ignored_and_classes_count_from_zero(root):
    label = build(root)[0]['data_samples'].gt_sem_seg.data[0]
    assert label[:4, 0].tolist() == [255, 123, 255, 4]


def test_streams_have_every_frame(root):
    dataset = build(root, mode='stream')
    assert len(dataset) == 9
    samples = [dataset[i]['data_samples'] for i in range(9)]
    assert [s.sequence for s in samples] == ['12_a'] * 5 + ['7_b'] * 4
    assert [s.frame_id for s in samples] == [3, 4, 5, 6, 7, 0, 1, 2, 3]
    unlabelled = [bool((s.gt_sem_seg.data == 255).all()) for s in samples]
    assert unlabelled == [i == 6 for i in range(9)]


def test_splits_are_lists_of_videos(root):
    assert len(build(root, ann_file='train.txt')) == 3


def test_names_come_with_the_data(root):
    dataset = build(root)
    assert dataset.metainfo['classes'][0] == 'class 1'
    assert len(dataset.metainfo['palette']) == 124
    assert len({tuple(c) for c in dataset.metainfo['palette']}) == 124
    names = {f'name {i}': str(i) for i in range(1, 125)} | {'others': '0'}
    path = root / 'label_num_dic_final.json'
    path.write_text(json.dumps(names))
    dataset = build(root)
    assert dataset.metainfo['classes'][123] == 'name 124'
    label = dataset[0]['data_samples'].gt_sem_seg.data[0]
    assert label[:4, 0].tolist() == [255, 123, 255, 4]
    path.write_text(json.dumps({'wall': 1}))
    with pytest.raises(ValueError, match='names 1 of the 124 classes'):
        build(root)


def test_what_is_missing_is_named(root):
    with pytest.raises(FileNotFoundError, match=r"no list of videos '.*no\.t"):
        build(root, ann_file='no.txt')
    (root / 'val.txt').write_text('12_a\n99_x\n')
    with pytest.raises(FileNotFoundError, match="no video '99_x'"):
        build(root)
    write_image(root / 'data/12_a/origin/cover.png', frame(0))
    with pytest.raises(ValueError, match=r"cover\.png' is not named by"):
        build(root)


def test_a_teacher_labels_the_frame_that_nobody_did(root):
    stream = build(root, mode='stream')
    names = unlabelled_frames(stream)
    assert names == {6: '7_b/mask/00000001.png'}
    write_image(root / 'taught' / names[6], np.full(SIZE, 2, np.uint8))
    dataset = DATASETS.build(
        dict(
            type='UnlabelledFrames',
            dataset=dict(
                type='VSPWSequenceDataset',
                data_root=str(root),
                ann_file='val.txt',
                pipeline=PIPELINE,
            ),
            pseudo_path='taught',
            prob=1,
        )
    )
    assert len(dataset) == 8
    sample = dataset[0]['data_samples']
    assert (sample.sequence, sample.frame_id) == ('7_b', 1)
    # On disk 0 is void, as in VSPW's own labels.
    assert (sample.gt_sem_seg.data == 1).all()


def test_other_ids_are_told_as_they_stand_in_the_file(root):
    label = np.full(SIZE, 252, np.uint8)
    write_image(root / 'data/7_b/mask/00000000.png', label)
    with pytest.raises(ValueError, match=r'has the ids \[252\]') as error:
        build(root, ann_file='train.txt')[0]
    assert '0 (ignore), 1 to 124, and 255 (ignore)' in str(error.value)
    assert 'label_map={ID: 255}' in str(error.value)
    assert 'Cityscapes' not in str(error.value)
    dataset = build(root, ann_file='train.txt', label_map={252: 255})
    assert (dataset[0]['data_samples'].gt_sem_seg.data == 255).all()
