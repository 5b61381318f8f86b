"""Clips that end in a frame that a teacher labelled."""

import json

import numpy as np
import pytest
from mmseg.registry import DATASETS

from mmseg_video.datasets import RareClassSampler, sequence_config
from mmseg_video.datasets.class_statistics import class_pixels
from tests.sequences import (
    SIZE,
    camvid_tree,
    cityscapes_tree,
    number_of,
    write_image,
)

LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadRefFrames')]
PACK = [dict(type='LoadClipAnnotations'), dict(type='PackClipInputs')]


def cityscapes(root, **kwargs):
    """Cityscapes' dataset alone."""
    return dict(
        dict(
            type='CityscapesSequenceDataset',
            data_root=str(root),
            num_frames=3,
            pipeline=LOAD,
        ),
        **kwargs,
    )


def wrapped(root, pseudo_path='pseudo_labels/train', prob=0.5, **kwargs):
    """With unlabelled frames; ``kwargs`` are of either."""
    own = ('weight', 'keep_unlabelled')
    return DATASETS.build(
        dict(
            type='UnlabelledFrames',
            dataset=cityscapes(
                root, **{k: v for k, v in kwargs.items() if k not in own}
            ),
            pseudo_path=pseudo_path,
            prob=prob,
            **{k: v for k, v in kwargs.items() if k in own},
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
    always = wrapped(tmp_path, prob=1, weight=0.25)
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
    sample = wrapped(tmp_path, prob=1, num_frames=4)[0]
    assert numbers(sample) == [294, 294, 294, 295]


def remove(root, *numbers):
    """These frames of city bochum."""
    for number in numbers:
        name = f'bochum_000000_{number:06d}_leftImg8bit.png'
        (root / 'leftImg8bit_sequence/train/bochum' / name).unlink()


def clip_of(dataset, number):
    """The clip of city bochum that ends in this unlabelled frame."""
    infos = map(dataset.unlabelled_info, range(len(dataset.unlabelled)))
    key = (number, 'bochum_000000_000313')
    return dataset.unlabelled.prepare(
        next(i for i in infos if (i['frame_id'], i['sequence']) == key)
    )


@pytest.mark.parametrize('taught', [True, False])
def test_a_hole_is_no_less_an_error_than_in_labelled_clips(tmp_path, taught):
    cityscapes_tree(tmp_path)
    remove(tmp_path, 310)
    options = dict(num_frames=4, pseudo_path=None)
    if taught:
        teach(tmp_path, 309, 312, 314)
        options = dict(num_frames=4)
    dataset = wrapped(tmp_path, **options)
    with pytest.raises(FileNotFoundError, match=r'_000310_.*_000312_'):
        clip_of(dataset, 312)
    assert numbers(clip_of(dataset, 309)) == [306, 307, 308, 309]
    assert numbers(clip_of(dataset, 314)) == [311, 312, 313, 314]
    # The labelled clip is as strict.
    with pytest.raises(FileNotFoundError, match=r'_000310_.*_000313_'):
        dataset.dataset.prepare(dataset.get_data_info(1))


def test_a_hole_can_be_repeated(tmp_path, monkeypatch):
    teach(cityscapes_tree(tmp_path), 309, 312, 314)
    remove(tmp_path, 310)
    lines = []
    monkeypatch.setattr(
        'mmseg_video.datasets.cityscapes_sequence.print_log',
        lambda line, **_: lines.append(line),
    )
    dataset = wrapped(tmp_path, num_frames=4, missing='repeat')
    assert numbers(clip_of(dataset, 312)) == [309, 311, 311, 312]
    # The labelled one, and that one.
    assert len(lines) == 2
    for line in lines:
        assert '1 of 3 clips lack a ref frame' in line


def test_the_labelled_frame_may_be_there_once(tmp_path):
    """A partial copy may have it in leftImg8bit alone."""
    teach(cityscapes_tree(tmp_path), 314)
    remove(tmp_path, 313)
    clip = clip_of(wrapped(tmp_path), 314)
    assert numbers(clip) == [312, 313, 314]


def test_labelled_frames_are_what_they_were(tmp_path):
    teach(cityscapes_tree(tmp_path), 296, 297)
    never = wrapped(tmp_path, prob=0)
    plain = DATASETS.build(cityscapes(tmp_path))
    assert len(never) == len(plain) == 3
    for i in range(3):
        ours, theirs = never[i], plain[i]
        assert numbers(ours) == numbers(theirs)
        assert ours['seg_map_path'] == theirs['seg_map_path']
        assert 'label_weight' not in ours  # it counts 1
        assert set(ours) == set(theirs)


def test_half_of_the_clips_are_taught_by_default(tmp_path):
    teach(cityscapes_tree(tmp_path), *range(294, 300))
    dataset = wrapped(tmp_path, num_frames=1)
    np.random.seed(0)
    weights = [dataset[i % 3].get('label_weight', 1) for i in range(200)]
    assert set(weights) == {1.0}
    paths = [dataset[i % 3]['seg_map_path'] for i in range(200)]
    assert 70 < sum('pseudo_labels' in path for path in paths) < 130


def test_the_weight_reaches_the_sample(tmp_path):
    teach(cityscapes_tree(tmp_path), 296)
    dataset = wrapped(tmp_path, prob=1, weight=0.5, pipeline=[*LOAD, *PACK])
    assert dataset[0]['data_samples'].label_weight == 0.5


def test_streams_have_every_frame_already(tmp_path):
    teach(cityscapes_tree(tmp_path), 296)
    with pytest.raises(ValueError, match='key_frames is for clips'):
        wrapped(tmp_path, mode='stream', num_frames=1)
    with pytest.raises(ValueError, match="must be 'labelled', 'unlabelled'"):
        DATASETS.build(cityscapes(tmp_path, key_frames='all'))


def test_unlabelled_frames_of_camvid_can_be_taught(tmp_path):
    camvid_tree(tmp_path)
    label = tmp_path / 'trainannot/0001TP_006720.png'
    taught = tmp_path / 'pseudo/0001TP_006720.png'
    taught.parent.mkdir()
    label.rename(taught)
    dataset = DATASETS.build(
        dict(
            type='UnlabelledFrames',
            dataset=dict(
                type='CamVidSequenceDataset',
                data_root=str(tmp_path),
                num_frames=2,
                pipeline=LOAD,
            ),
            pseudo_path='pseudo',
            prob=1,
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
        wrapped(tmp_path)


def test_labels_that_are_not_there_are_named(tmp_path):
    cityscapes_tree(tmp_path)
    with pytest.raises(
        FileNotFoundError,
        match=r'pseudo_path\).*made by mmseg-video pseudo-label',
    ):
        wrapped(tmp_path)
    teach(tmp_path, 313)
    with pytest.raises(ValueError, match=r'made by mmseg-video pseudo-label'):
        wrapped(tmp_path)
    with pytest.raises(ValueError, match='prob must lie'):
        wrapped(tmp_path, prob=2)


def test_unlabelled_frames_without_any_labels(tmp_path):
    cityscapes_tree(tmp_path)
    options = dict(pseudo_path=None, prob=1)
    dataset = wrapped(tmp_path, **options)
    assert len(dataset) == 3
    np.random.seed(0)
    seen = [dataset[0] for _ in range(50)]
    assert all(s['seg_map_path'] is None for s in seen)
    # Any frame of the three snippets but the labelled ones.
    frames = {(s['sequence'], s['frame_id']) for s in seen}
    assert len(frames) > 30
    assert not frames & {(name, int(name[-6:])) for name, _ in frames}
    dataset = wrapped(tmp_path, **options, pipeline=[*LOAD, *PACK])
    assert (dataset[0]['data_samples'].gt_sem_seg.data == 255).all()


def test_a_label_goes_before_none(tmp_path):
    teach(cityscapes_tree(tmp_path), 296)
    dataset = wrapped(tmp_path, keep_unlabelled=True, prob=1)
    infos = [dataset.unlabelled_info(i) for i in range(87)]
    assert len(dataset.unlabelled) == 87
    assert sum(i['seg_map_path'] is None for i in infos) == 86
    taught = [i for i in infos if 'pseudo_labels' in str(i['seg_map_path'])]
    assert [i['frame_id'] for i in taught] == [296]


def test_labels_of_other_frames_are_told_beside_unlabelled_ones(tmp_path):
    teach(cityscapes_tree(tmp_path), 611)
    with pytest.raises(ValueError, match='no label of an unlabelled frame'):
        wrapped(tmp_path, keep_unlabelled=True)


def test_where_all_frames_have_labels_there_are_none_without(tmp_path):
    camvid_tree(tmp_path)
    for frame in (tmp_path / 'train').iterdir():
        label = tmp_path / 'trainannot' / frame.name
        if not label.exists():
            write_image(label, np.zeros(SIZE, np.uint8))
    with pytest.raises(ValueError, match='no frames without a label'):
        DATASETS.build(
            dict(
                type='UnlabelledFrames',
                dataset=dict(
                    type='CamVidSequenceDataset',
                    data_root=str(tmp_path),
                    pipeline=LOAD,
                ),
            )
        )


def test_what_asks_for_a_dataset_takes_the_wrapper(tmp_path):
    teach(cityscapes_tree(tmp_path), 296)
    alone, dataset = DATASETS.build(cityscapes(tmp_path)), wrapped(tmp_path)
    assert dataset.metainfo == alone.metainfo
    assert np.array_equal(class_pixels(dataset), class_pixels(alone))
    sampler = RareClassSampler(dataset, min_pixels=1, seed=0)
    assert 0 <= next(iter(sampler)) < len(dataset)


def test_a_config_inside_its_wrapper():
    inner = cityscapes('here')
    outer = dict(type='UnlabelledFrames', dataset=inner)
    assert sequence_config(outer) is sequence_config(inner) is inner
