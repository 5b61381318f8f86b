"""Clips that end in a frame that a teacher labelled."""

import json

import numpy as np
import pytest
from mmseg.registry import DATASETS

from tests.sequences import (
    SIZE,
    camvid_tree,
    cityscapes_tree,
    number_of,
    write_image,
)

LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadRefFrames')]
PACK = [dict(type='LoadClipAnnotations'), dict(type='PackClipInputs')]


def cityscapes(root, pseudo_path='pseudo_labels/train', **kwargs):
    kwargs = dict(dict(num_frames=3, pipeline=LOAD), **kwargs)
    prefix = dict(
        img_path='leftImg8bit/train',
        seg_map_path='gtFine/train',
        seq_path='leftImg8bit_sequence/train',
    )
    if pseudo_path:
        prefix['pseudo_path'] = pseudo_path
    return DATASETS.build(
        dict(
            type='CityscapesSequenceDataset',
            data_root=str(root),
            data_prefix=prefix,
            **kwargs,
        )
    )


def teach(root, *numbers):
    """A teacher's labels, all road, of these frames of city bochum."""
    for number in numbers:
        write_image(
            root / 'pseudo_labels/train/bochum'
            f'/bochum_000000_{number:06d}_gtFine_labelTrainIds.png',
            np.zeros(SIZE, np.uint8),
        )


def numbers(sample):
    return [number_of(img) for img in sample['img']]


def test_a_clip_may_end_in_any_frame_of_a_snippet(tmp_path):
    teach(cityscapes_tree(tmp_path), 296, 320, 313, 611)
    always = cityscapes(tmp_path, pseudo_prob=1, pseudo_weight=0.25)
    # 313 is labelled, 611 of no snippet.
    assert len(always) == 3
    np.random.seed(0)
    seen = {}
    for _ in range(20):
        sample = always[0]
        seen[sample['frame_id']] = sample
    assert set(seen) == {296, 320}
    assert numbers(seen[296]) == [294, 295, 296]
    assert numbers(seen[320]) == [318, 319, 320]
    assert all(s['label_weight'] == 0.25 for s in seen.values())
    assert all('pseudo_labels' in s['seg_map_path'] for s in seen.values())
    assert seen[296]['sequence'] == 'bochum_000000_000313'


def test_a_snippet_has_no_past_before_its_first_frame(tmp_path):
    """The frames before 294 belong to another recording."""
    teach(cityscapes_tree(tmp_path), 295)
    sample = cityscapes(tmp_path, pseudo_prob=1, num_frames=4)[0]
    assert numbers(sample) == [294, 294, 294, 295]


def remove(root, *numbers):
    """These frames of city bochum."""
    for number in numbers:
        name = f'bochum_000000_{number:06d}_leftImg8bit.png'
        (root / 'leftImg8bit_sequence/train/bochum' / name).unlink()


def clip_of(dataset, number):
    """The clip of city bochum that ends in this unlabelled frame."""
    infos = map(dataset.get_data_info, range(len(dataset), 100))
    key = (number, 'bochum_000000_000313')
    return dataset.pipeline(
        next(i for i in infos if (i['frame_id'], i['sequence']) == key)
    )


@pytest.mark.parametrize('taught', [True, False])
def test_a_hole_is_no_less_an_error_than_in_labelled_clips(tmp_path, taught):
    cityscapes_tree(tmp_path)
    remove(tmp_path, 310)
    options = dict(num_frames=4, pseudo_path=None, unlabelled=True)
    if taught:
        teach(tmp_path, 309, 312, 314)
        options = dict(num_frames=4)
    dataset = cityscapes(tmp_path, **options)
    with pytest.raises(FileNotFoundError, match=r'_000310_.*_000312_'):
        clip_of(dataset, 312)
    assert numbers(clip_of(dataset, 309)) == [306, 307, 308, 309]
    assert numbers(clip_of(dataset, 314)) == [311, 312, 313, 314]
    # The labelled clip is as strict.
    with pytest.raises(FileNotFoundError, match=r'_000310_.*_000313_'):
        dataset.pipeline(dataset.get_data_info(1))


def test_a_hole_can_be_repeated(tmp_path, monkeypatch):
    teach(cityscapes_tree(tmp_path), 309, 312, 314)
    remove(tmp_path, 310)
    lines = []
    monkeypatch.setattr(
        'mmseg_video.datasets.cityscapes_sequence.print_log',
        lambda line, **_: lines.append(line),
    )
    dataset = cityscapes(tmp_path, num_frames=4, missing='repeat')
    assert numbers(clip_of(dataset, 312)) == [309, 311, 311, 312]
    # That one and the labelled one.
    assert len(lines) == 1
    assert '2 of 6 clips lack a ref frame' in lines[0]


def test_the_labelled_frame_may_be_there_once(tmp_path):
    """A partial copy may have it in leftImg8bit alone."""
    teach(cityscapes_tree(tmp_path), 314)
    remove(tmp_path, 313)
    clip = clip_of(cityscapes(tmp_path), 314)
    assert numbers(clip) == [312, 313, 314]


def test_labelled_frames_are_what_they_were(tmp_path):
    teach(cityscapes_tree(tmp_path), 296, 297)
    never = cityscapes(tmp_path, pseudo_prob=0)
    plain = cityscapes(tmp_path, pseudo_path=None)
    assert len(never) == len(plain) == 3
    for i in range(3):
        ours, theirs = never[i], plain[i]
        assert numbers(ours) == numbers(theirs)
        assert ours['seg_map_path'] == theirs['seg_map_path']
        assert ours['label_weight'] == theirs['label_weight'] == 1


def test_half_of_the_clips_are_taught_by_default(tmp_path):
    teach(cityscapes_tree(tmp_path), *range(294, 300))
    dataset = cityscapes(tmp_path, num_frames=1)
    np.random.seed(0)
    taught = [dataset[i % 3]['label_weight'] for i in range(200)]
    assert set(taught) == {1.0}
    paths = [dataset[i % 3]['seg_map_path'] for i in range(200)]
    assert 70 < sum('pseudo_labels' in path for path in paths) < 130


def test_the_weight_reaches_the_sample(tmp_path):
    teach(cityscapes_tree(tmp_path), 296)
    dataset = cityscapes(
        tmp_path, pseudo_prob=1, pseudo_weight=0.5, pipeline=[*LOAD, *PACK]
    )
    assert dataset[0]['data_samples'].label_weight == 0.5


def test_streams_know_nothing_of_them(tmp_path):
    teach(cityscapes_tree(tmp_path), 296)
    stream = cityscapes(tmp_path, mode='stream', num_frames=1)
    assert len(stream) == 90
    labels = [stream.get_data_info(i)['seg_map_path'] for i in range(90)]
    assert sum(label is not None for label in labels) == 3


def test_unlabelled_frames_of_camvid_can_be_taught(tmp_path):
    camvid_tree(tmp_path)
    label = tmp_path / 'trainannot/0001TP_006720.png'
    taught = tmp_path / 'pseudo/0001TP_006720.png'
    taught.parent.mkdir()
    label.rename(taught)
    dataset = DATASETS.build(
        dict(
            type='CamVidSequenceDataset',
            data_root=str(tmp_path),
            data_prefix=dict(
                img_path='train',
                seg_map_path='trainannot',
                pseudo_path='pseudo',
            ),
            num_frames=2,
            pseudo_prob=1,
            pipeline=LOAD,
        )
    )
    assert len(dataset) == 13
    sample = dataset[5]
    assert numbers(sample) == [6690, 6720]
    assert sample['seg_map_path'] == str(taught)


def test_a_teacher_of_other_classes_is_refused(tmp_path):
    teach(cityscapes_tree(tmp_path), 296)
    report = tmp_path / 'pseudo_labels/train/pseudo_labels.json'
    report.write_text(json.dumps(dict(classes=['sky', 'road'])))
    with pytest.raises(
        ValueError, match=r'knows 2 classes \(sky, road\), this data has 19'
    ):
        cityscapes(tmp_path)


def test_labels_that_are_not_there_are_named(tmp_path):
    cityscapes_tree(tmp_path)
    with pytest.raises(
        FileNotFoundError,
        match=r'data_prefix\.pseudo_path.*made by tools/pseudo_label\.py',
    ):
        cityscapes(tmp_path)
    teach(tmp_path, 313)
    with pytest.raises(ValueError, match=r'made by tools/pseudo_label\.py'):
        cityscapes(tmp_path)
    with pytest.raises(ValueError, match='pseudo_prob must lie'):
        cityscapes(tmp_path, pseudo_prob=2)


def test_unlabelled_frames_without_any_labels(tmp_path):
    cityscapes_tree(tmp_path)
    options = dict(pseudo_path=None, unlabelled=True, pseudo_prob=1)
    dataset = cityscapes(tmp_path, **options)
    assert len(dataset) == 3
    np.random.seed(0)
    seen = [dataset[0] for _ in range(50)]
    assert all(s['seg_map_path'] is None for s in seen)
    # Any frame of the three snippets but the labelled ones.
    frames = {(s['sequence'], s['frame_id']) for s in seen}
    assert len(frames) > 30
    assert not frames & {(name, int(name[-6:])) for name, _ in frames}
    dataset = cityscapes(tmp_path, **options, pipeline=[*LOAD, *PACK])
    assert (dataset[0]['data_samples'].gt_sem_seg.data == 255).all()


def test_a_label_goes_before_none(tmp_path):
    teach(cityscapes_tree(tmp_path), 296)
    dataset = cityscapes(tmp_path, unlabelled=True, pseudo_prob=1)
    infos = [dataset.get_data_info(i) for i in range(90)]
    assert sum(i['seg_map_path'] is None for i in infos) == 86
    taught = [i for i in infos if 'pseudo_labels' in str(i['seg_map_path'])]
    assert [i['frame_id'] for i in taught] == [296]


def test_labels_of_other_frames_are_told_beside_unlabelled_ones(tmp_path):
    teach(cityscapes_tree(tmp_path), 611)
    with pytest.raises(ValueError, match='no label of an unlabelled frame'):
        cityscapes(tmp_path, unlabelled=True)


def test_where_all_frames_have_labels_there_are_none_without(tmp_path):
    camvid_tree(tmp_path)
    for frame in (tmp_path / 'train').iterdir():
        label = tmp_path / 'trainannot' / frame.name
        if not label.exists():
            write_image(label, np.zeros(SIZE, np.uint8))
    with pytest.raises(ValueError, match='no frames without a label'):
        DATASETS.build(
            dict(
                type='CamVidSequenceDataset',
                data_root=str(tmp_path),
                data_prefix=dict(img_path='train', seg_map_path='trainannot'),
                pipeline=LOAD,
                unlabelled=True,
            )
        )
