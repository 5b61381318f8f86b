"""What check_dataset finds, and that it goes on where it was."""

import cv2
import numpy as np
import pytest

from mmseg_video.datasets import CamVidSequenceDataset
from mmseg_video.datasets import check as module
from mmseg_video.datasets.check import ERROR, check_dataset
from tests.sequences import CAMVID_NAMES, SIZE, camvid_tree


@pytest.fixture
def tree(tmp_path):
    return camvid_tree(tmp_path / 'camvid')


def check(root, num_decoded=None, num_frames=1, **how):
    dataset = CamVidSequenceDataset(
        data_root=str(root), num_frames=num_frames, pipeline=[]
    )
    return check_dataset(dataset, num_decoded, **how)


def texts(checked):
    return [f'{f.level}: {f.text}' for f in checked.findings]


def first(root, folder='train'):
    return sorted((root / folder).glob('*.png'))[0]


def test_counts_files_and_classes(tree):
    got = check(tree)
    number = len(CAMVID_NAMES['train'])
    assert (got.samples, got.files, got.decoded) == (
        *(number, 2 * number, 2 * number),
    )
    assert got.labels == number
    # The first row is unlabelled.
    assert got.pixels.tolist() == [
        number * (SIZE[0] - 1) * SIZE[1] * (i == 3) for i in range(11)
    ]
    assert not got.errors
    (never,) = texts(got)
    assert '10 of 11 classes do not occur in the labels: Sky' in never


def test_few_are_read_and_all_are_looked_for(tree):
    got = check(tree, 3)
    assert (got.decoded, got.labels) == (6, 3)
    sorted((tree / 'train').glob('*.png'))[1].write_bytes(b'')
    got = check(tree, 2)
    assert texts(got)[0] == 'error: files that are empty: 1'


@pytest.mark.parametrize(
    ('folder', 'change', 'says'),
    [
        ('trainannot', lambda i: np.full_like(i, 60), r'ids \[60\]'),
        ('trainannot', lambda i: i.astype(np.uint16), '16-bit'),
        ('trainannot', lambda i: i[:8], 'must have one size'),
        ('train', lambda i: i[..., 0], '8-bit grey'),
    ],
)
def test_a_wrong_file_is_named(folder, change, says, tree):
    path = first(tree, folder)
    image = change(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
    assert cv2.imwrite(str(path), image)
    (error,) = check(tree).errors
    assert str(path) in error.examples[0]
    assert says.replace('\\', '') in error.examples[0]
    assert str(path) in str(error)


def test_an_id_in_one_pixel_of_a_large_map_is_found(tree):
    path = first(tree, 'trainannot')
    label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    label[-1, -1] = 12
    cv2.imwrite(str(path), label)
    (error,) = check(tree).errors
    assert 'has the ids [12]' in error.examples[0]


def test_nothing_to_learn_from(tree):
    for path in (tree / 'trainannot').glob('*.png'):
        cv2.imwrite(str(path), np.full(SIZE, 11, np.uint8))
    (error,) = check(tree).errors
    assert 'nothing to learn from' in error.text


def test_copies_sizes_gaps_and_lonely_frames(tree):
    frames = sorted((tree / 'train').glob('0016E5_*.png'))
    frames[3].write_bytes(frames[2].read_bytes())
    # 15 Hz where all else is 1 Hz apart.
    extra = tree / 'train/0006R0_f00931.png'
    small = np.zeros((8, 32, 3), np.uint8)
    cv2.imwrite(str(extra), small)
    cv2.imwrite(str(tree / f'trainannot/{extra.name}'), small[..., 0])
    found = '\n'.join(texts(check(tree, num_frames=2)))
    assert 'warning: 1 frames are there under several names' in found
    assert 'warning: the frames have several sizes' in found
    assert 'key frames have no ref frame' in found
    (tree / 'train/0006R0_f00960.png').unlink()
    (tree / 'trainannot/0006R0_f00960.png').unlink()
    frames[1].unlink()
    (tree / 'trainannot' / frames[1].name).unlink()
    assert 'error' not in found


def test_gaps_within_a_sequence_are_named():
    infos = [
        dict(img_path=f'{n}.png', sequence='a', frame_id=n)
        for n in (0, 1, 2, 3, 7, 8)
    ]
    (finding,) = module._times(infos)
    assert finding.text.startswith('1 gaps within sequences')
    assert finding.examples == ["'a': 7 follows 3"]


@pytest.mark.parametrize('workers', [0, 2])
def test_a_check_that_was_ended_goes_on(workers, tree, monkeypatch):
    cache = tree / 'check.jsonl'
    want = check(tree)
    read = module._Reader.__call__
    seen = []

    def killed(self, task):
        if len(seen) == 4:
            raise KeyboardInterrupt
        seen.append(task.frame)
        return read(self, task)

    monkeypatch.setattr(module._Reader, '__call__', killed)
    with pytest.raises(KeyboardInterrupt):
        check(tree, cache=cache)
    with open(cache, 'a') as file:
        file.write('["half a li')
    again = []

    def counted(self, task):
        again.append(task.frame)
        return read(self, task)

    monkeypatch.setattr(module._Reader, '__call__', counted)
    got = check(tree, cache=cache, workers=workers)
    assert texts(got) == texts(want)
    assert got.pixels.tolist() == want.pixels.tolist()
    if not workers:  # which count for themselves
        assert len(again) == len(CAMVID_NAMES['train']) - 4
        assert not set(again) & set(seen)
        # A file that is another one now is read again.
        path = first(tree, 'trainannot')
        cv2.imwrite(str(path), np.full(SIZE, 50, np.uint8))
        assert check(tree, cache=cache).findings[0].level == ERROR
