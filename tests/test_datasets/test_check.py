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
        file.write('5\n["a", 1]\n["half a li')
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


class Infos:
    """A dataset of these samples, with two classes."""

    def __init__(self, *infos, classes=('a', 'b'), **attributes):
        self.infos, self.metainfo = infos, dict(classes=classes)
        vars(self).update(attributes)

    def full_init(self):
        pass

    def __len__(self):
        return len(self.infos)

    def get_data_info(self, i):
        return dict(reduce_zero_label=False, label_map=None) | self.infos[i]


@pytest.fixture
def write(tmp_path):
    """Writes a frame or a label of one value; gives its path."""

    def make(name, value, shape=(4, 8, 3)):
        path = str(tmp_path / f'{name}.png')
        assert cv2.imwrite(path, np.full(shape, value, np.uint8))
        return path

    return make


def sample(write, name, label=0, **others):
    frame = write(name, len(name))
    return dict(
        img_path=frame,
        seg_map_path=write(f'{name}_label', label, (4, 8)),
        **others,
    )


def test_which_are_read_is_chosen_evenly(write):
    infos = [sample(write, 'x' * (i + 1), i % 2) for i in range(5)]
    got = check_dataset(Infos(*infos), 3)
    # The first, the middle and the last one.
    assert got.pixels.tolist() == [3 * 32, 0]
    assert check_dataset(Infos(*infos), 5).pixels.tolist() == [96, 64]
    assert check_dataset(Infos(*infos), 9).decoded == 10


def test_ref_frames_are_looked_at(write, tmp_path):
    lost = str(tmp_path / 'lost.png')
    key = sample(write, 'key', ref_img_paths=[lost])
    assert texts(check_dataset(Infos(key)))[0] == (
        'error: files that are missing: 1'
    )
    key['missing'] = 'repeat'
    found = texts(check_dataset(Infos(key)))
    assert found[0].startswith('warning: ref frames are missing')
    key['ref_img_paths'] = [write('small', 0, (2, 8, 3))]
    got = check_dataset(Infos(key))
    assert (got.files, got.decoded, got.labels) == (3, 3, 1)
    assert 'warning: the frames have several sizes' in texts(got)
    # A labelled frame may be another's ref frame.
    other = sample(write, 'other', 1)
    key['ref_img_paths'] = [other['img_path']]
    for infos in ((key, other), (other, key)):
        got = check_dataset(Infos(*infos))
        assert (got.files, got.labels) == (4, 2)
        assert texts(got) == []


def test_a_frame_that_is_missing_is_no_ref_frame(write, tmp_path):
    key = sample(write, 'key', missing='repeat')
    key['img_path'] = str(tmp_path / 'lost.png')
    (error,) = check_dataset(Infos(key)).errors
    assert error.examples == [key['img_path']]


def test_the_errors_come_first(write, tmp_path):
    key = sample(write, 'key', frame_id=0, sequence='a', num_frames=2)
    key |= dict(num_padded=1, past_img_paths=[write('past', 0)])
    other = sample(write, 'other', 7)
    got = check_dataset(Infos(key, key, other))
    levels = [f.level for f in got.findings]
    assert levels == sorted(levels)
    assert {'error', 'warning'} == set(levels)
    said = '\n'.join(texts(got))
    assert '1 frames are more than one sample' in said
    assert '1 of 2 classes do not occur in 1 of 2 labels: b' in said
    assert 'warning: 2 of 3 key frames have no ref frame' in said


def test_clips_that_never_have_a_past_are_an_error(write):
    lonely = dict(num_frames=3, num_padded=2)
    past = dict(past_img_paths=[write('past', 0)])
    key = sample(write, 'key', **lonely, **past)
    (error,) = check_dataset(Infos(key)).errors
    assert error.text.startswith('1 of 1 key frames have no ref frame')
    key = sample(write, 'key', num_frames=3, num_padded=1, **past)
    assert not check_dataset(Infos(key)).errors
    # Stills have none on purpose.
    still = sample(write, 'key', **lonely, past_img_paths=[])
    assert not check_dataset(Infos(still)).errors


def test_what_is_asked_is_part_of_what_is_kept(write, tmp_path):
    cache = tmp_path / 'check.jsonl'
    key = sample(write, 'key', 1)
    assert not check_dataset(Infos(key), cache=cache).errors
    (error,) = check_dataset(Infos(key, classes=('a',)), cache=cache).errors
    assert 'has the ids [1]' in error.examples[0]
    # A problem is looked at anew: other versions may read the file.
    assert len(cache.read_text().splitlines()) == 1


def test_frames_that_are_next_to_labelled_ones_and_have_none(write, tmp_path):
    key = sample(write, 'key', 0)
    write('lonely', 3)
    dataset = Infos(
        key,
        classes=('a',),
        all_labelled=True,
        backend_args=None,
        key_frames='labelled',
        img_suffix='.png',
        folder=lambda kind: str(tmp_path),
        list_files=lambda kind, suffixes: ['key.png', 'lonely.png'],
        label_name=lambda path: path.replace('.png', '_label.png'),
    )
    (error,) = check_dataset(dataset).errors
    assert 'have no label' in error.text
    assert error.examples == [str(tmp_path / 'lonely_label.png')]
    dataset.key_frames = 'images'
    assert not check_dataset(dataset).findings
