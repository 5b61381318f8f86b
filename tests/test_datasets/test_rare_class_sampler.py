import itertools
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmseg_video.datasets import (
    CamVidSequenceDataset,
    CityscapesSequenceDataset,
    RareClassSampler,
    rare_class_sampler,
)
from mmseg_video.datasets.class_statistics import class_pixels
from mmseg_video.datasets.rare_class_sampler import rare_class_probabilities
from tests.sequences import camvid_tree, cityscapes_tree, write_image

SIZE = (16, 32)


@pytest.fixture
def dataset(tmp_path):
    """Eight road frames, of which one shows a few pixels of class 18."""
    root = cityscapes_tree(tmp_path / 'data')
    for n in range(5):
        stem = f'aachen/aachen_{n + 5:06d}_000019'
        write_image(
            root / f'leftImg8bit/train/{stem}_leftImg8bit.png',
            np.zeros((*SIZE, 3), np.uint8),
        )
        label = np.zeros(SIZE, np.uint8)
        label[0] = 255
        if n == 2:
            label[8, :6] = 18
        name = f'gtFine/train/{stem}_gtFine_labelTrainIds.png'
        write_image(root / name, label)
    return CityscapesSequenceDataset(data_root=str(root))


def rare(dataset):
    """Index of the sample that shows the rare class."""
    paths = [dataset.get_data_info(i)['img_path'] for i in range(8)]
    (index,) = [i for i, path in enumerate(paths) if '000007' in path]
    return index


def draws(sampler, number):
    return list(itertools.islice(iter(sampler), number))


def test_pixels_are_counted(dataset):
    counts = class_pixels(dataset)
    assert counts.shape == (8, 19)
    assert counts[rare(dataset), 18] == 6
    assert counts[:, 18].sum() == 6
    # 255 is no class.
    assert counts[rare(dataset)].sum() == SIZE[0] * SIZE[1] - SIZE[1]


def test_camvids_unlabelled_is_no_class(tmp_path):
    root = camvid_tree(tmp_path)
    counts = class_pixels(CamVidSequenceDataset(data_root=str(root)))
    assert counts.shape[1] == 11
    assert counts[:, 3].sum() == counts.sum() > 0


def test_rare_classes_come_more_often(dataset):
    sampler = RareClassSampler(dataset, temperature=0.1, min_pixels=5, seed=0)
    got = draws(sampler, 400)
    share = got.count(rare(dataset)) / 400
    # Classes 18 and 13 have almost equal odds, 0 hardly any: without the
    # sampler an eighth.
    c = sampler.classes.index(18)
    want = sampler.probabilities[c]
    assert share > 0.3
    assert share == pytest.approx(want, abs=0.1)
    assert len(set(got)) > 3


def test_probabilities_are_the_papers():
    pixels = np.array([90, 9, 1])
    got = rare_class_probabilities(pixels, 0.5)
    want = np.exp((1 - np.array([0.9, 0.09, 0.01])) / 0.5)
    assert got == pytest.approx(want / want.sum())
    # Small temperatures do not overflow.
    assert rare_class_probabilities(pixels, 1e-4).argmax() == 2
    assert np.isfinite(rare_class_probabilities(pixels, 1e-4)).all()


def test_a_class_with_too_few_pixels_is_drawn_all_the_same(dataset):
    sampler = RareClassSampler(dataset, min_pixels=10**6, seed=0)
    assert sampler.samples[18].tolist() == [rare(dataset)]


def test_a_few_pixels_do_not_show_a_frequent_class(dataset):
    # Half a map shows too little of class 0; of class 13 nothing shows more.
    half = SIZE[0] * SIZE[1] // 2
    sampler = RareClassSampler(dataset, min_pixels=half + 1, seed=0)
    shown = class_pixels(dataset)
    assert (shown[sampler.samples[0], 0] > half).all()
    assert len(sampler.samples[0]) == 5
    assert (shown[sampler.samples[13], 13] == half).all()
    assert len(sampler.samples[13]) == 3


def test_processes_share_one_sequence(dataset, monkeypatch):
    alone = draws(RareClassSampler(dataset, seed=3), 20)
    shares = []
    for rank in range(2):
        sampler = RareClassSampler(dataset, seed=3)
        sampler.rank, sampler.world_size = rank, 2
        sampler.indices = sampler._indices_of_rank()
        shares.append(draws(sampler, 10))
    assert [i for pair in zip(*shares, strict=True) for i in pair] == alone
    # A resumed training goes on where it was.
    sampler = RareClassSampler(dataset, seed=3)
    sampler.skip(15)
    assert draws(sampler, 5) == alone[15:]


def test_statistics_are_counted_once(dataset, tmp_path, monkeypatch):
    cache = tmp_path / 'cache'
    first = class_pixels(dataset, str(cache))
    (path,) = cache.iterdir()
    assert json.loads(path.read_text())['pixels'] == first.tolist()

    def fails(**kwargs):
        raise AssertionError('counted again')

    module = 'mmseg_video.datasets.class_statistics.LoadClipAnnotations'
    with monkeypatch.context() as patch:
        patch.setattr(module, lambda **_: fails)
        assert np.array_equal(class_pixels(dataset, str(cache)), first)
    path.write_text('{"pixels": [[1')  # broken off
    assert np.array_equal(class_pixels(dataset, str(cache)), first)
    assert json.loads(path.read_text())['pixels'] == first.tolist()
    # Other labels, another file.
    other = CityscapesSequenceDataset(data_root=dataset.data_root, indices=3)
    assert class_pixels(other, str(cache)).shape == (3, 19)
    assert len(list(cache.iterdir())) == 2


def test_other_labels_of_the_same_names_are_counted(dataset, tmp_path):
    cache = str(tmp_path / 'cache')
    before = class_pixels(dataset, cache)
    root = shutil.copytree(dataset.data_root, tmp_path / 'other')
    label = cv2.imread(dataset.get_data_info(0)['seg_map_path'], 0)
    for path in root.rglob('*_gtFine_labelTrainIds.png'):
        # As large as they were: the time tells.
        size = path.stat().st_size
        write_image(path, np.full_like(label, 7))
        with path.open('ab') as file:
            file.write(bytes(max(0, size - path.stat().st_size)))
    other = CityscapesSequenceDataset(data_root=str(root))
    assert class_pixels(other, cache)[:, 7].sum() == 8 * label.size
    assert np.array_equal(class_pixels(dataset, cache), before)
    # Made again, at the same place.
    write_image(Path(dataset.get_data_info(0)['seg_map_path']), label * 0 + 5)
    assert class_pixels(dataset, cache)[0, 5] == label.size


def test_only_the_first_process_counts(dataset, monkeypatch):
    want = RareClassSampler(dataset, seed=0).samples

    def receive(objects):
        objects[0] = class_pixels(dataset)

    module = rare_class_sampler
    monkeypatch.setattr(module, 'is_main_process', lambda: False)
    monkeypatch.setattr(module, 'broadcast_object_list', receive)
    got = RareClassSampler(dataset, seed=0).samples
    assert {c: s.tolist() for c, s in got.items()} == {
        c: s.tolist() for c, s in want.items()
    }


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (dict(temperature=0), 'temperature must be > 0'),
        (dict(shuffle=False), 'needs shuffle=True'),
    ],
)
def test_bad_arguments(dataset, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        RareClassSampler(dataset, **arguments)
