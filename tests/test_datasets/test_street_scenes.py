"""Street scenes: what they must be for figures on them to mean something."""

import json

import cv2
import numpy as np
import pytest
from mmengine import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

from mmseg_video.datasets.degradations import KINDS, draw_bursts
from mmseg_video.datasets.street_scenes import (
    KEY_FRAME,
    NUM_FRAMES,
    StreetScene,
    write_street_scenes,
)
from mmseg_video.datasets.street_scenes.writer import VARIANTS
from tests.runs import leaf

SIZE = (64, 128)
NUM_CLASSES = 19


def tree(root):
    """Every file under ``root`` with its bytes."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob('*'))
        if path.is_file()
    }


def test_layout_is_that_of_cityscapes(tmp_path):
    write_street_scenes(tmp_path, 2, 1, size=SIZE, frames=(17, 20))
    expected = {'street_scenes.json'}
    for split, number in (('train', 0), ('train', 1), ('val', 0)):
        city = f'{split}town'
        stem = f'{split}/{city}/{city}_{number:06d}'
        for t in range(17, 21):
            expected.add(
                f'leftImg8bit_sequence/{stem}_{t:06d}_leftImg8bit.png'
            )
        expected.add(f'leftImg8bit/{stem}_000019_leftImg8bit.png')
        expected.add(f'gtFine/{stem}_000019_gtFine_labelTrainIds.png')
    assert set(tree(tmp_path)) == expected


def test_a_whole_snippet_has_thirty_frames(tmp_path):
    write_street_scenes(tmp_path, 1, 0, size=SIZE, all_labels=True)
    files = tree(tmp_path)
    frames = [n for n in files if n.startswith('leftImg8bit_sequence/')]
    labels = [n for n in files if n.startswith('gtFine_sequence/')]
    assert len(frames) == len(labels) == NUM_FRAMES
    stem = 'train/traintown/traintown_000000_000019'
    key = f'gtFine/{stem}_gtFine_labelTrainIds.png'
    same = f'gtFine_sequence/{stem}_gtFine_labelTrainIds.png'
    assert files[key] == files[same]
    img = cv2.imread(str(tmp_path / frames[0]))
    label = cv2.imread(str(tmp_path / labels[0]), cv2.IMREAD_UNCHANGED)
    assert img.shape == (*SIZE, 3)
    assert label.shape == SIZE
    assert label.dtype == np.uint8


def test_the_seed_alone_decides(tmp_path):
    kinds = dict(size=SIZE, frames=(19, 20))
    # As many as two processes are started for.
    write_street_scenes(tmp_path / 'a', 14, 2, seed=3, **kinds)
    write_street_scenes(tmp_path / 'b', 14, 2, seed=3, workers=2, **kinds)
    write_street_scenes(tmp_path / 'c', 1, 1, seed=4, **kinds)
    a, b, c = (tree(tmp_path / name) for name in 'abc')
    assert a == b
    image = next(n for n in a if n.startswith('leftImg8bit/'))
    assert a[image] != c[image]


def test_splits_and_snippets_differ():
    frames = [
        StreetScene(0, split, index, *SIZE).frame(KEY_FRAME)[1]
        for split, index in (('train', 0), ('train', 1), ('val', 0))
    ]
    assert (frames[0] != frames[1]).any()
    assert (frames[0] != frames[2]).any()


def test_labels_are_train_ids_of_at_least_ten_classes():
    seen = np.zeros(256, bool)
    for index in range(8):
        _, label, _ = StreetScene(0, 'train', index, 128, 256).frame(KEY_FRAME)
        seen[label] = True
    assert not seen[NUM_CLASSES:255].any()
    assert seen[:NUM_CLASSES].sum() >= 10


def test_colour_does_not_give_the_class_away():
    """A pixel's class guessed from its colour is mostly wrong."""
    counts = np.zeros((16**3, NUM_CLASSES), int)
    right = total = 0
    for index in range(24):
        img, label, _ = StreetScene(
            0, 'train', index, *SIZE, burst_rate=0
        ).frame(KEY_FRAME)
        keep = label < NUM_CLASSES
        bins = (img[keep] // 16).astype(int) @ (1, 16, 256)
        ids = label[keep]
        if index < 16:
            np.add.at(counts, (bins, ids), 1)
        else:
            right += (counts[bins].argmax(1) == ids).sum()
            total += len(ids)
    assert right / total < 0.6


def moved(scene, t):
    """How much of the label changes from frame t to the next."""
    return (scene.frame(t)[1] != scene.frame(t + 1)[1]).mean()


@pytest.mark.parametrize('index', range(4))
def test_frames_follow_one_another(index):
    scene = StreetScene(0, 'train', index, 128, 256)
    far = (scene.frame(0)[1] != scene.frame(NUM_FRAMES - 1)[1]).mean()
    steps = [moved(scene, t) for t in range(0, NUM_FRAMES - 1, 7)]
    assert 0 < np.median(steps) < 0.5 * far


def test_things_move_by_themselves():
    """With the camera stopped, some of the label still moves."""
    scene = StreetScene(0, 'train', 0, 128, 256)
    scene.speed, scene.turn, scene.sway = 0.0, 0.0, np.zeros(4)
    label, later = scene.frame(0)[1], scene.frame(8)[1]
    changed = label != later
    # The rest, the street, stands still but for the car's bounce.
    assert 0.005 < changed.mean() < 0.5
    assert set(np.unique(label[changed])) & {11, 12, 13, 14, 15, 17, 18}


def test_every_frame_is_as_likely_degraded():
    """The first of a snippet, the key frame, and one after a bad one."""
    rng = np.random.default_rng(0)
    hit = np.zeros((3000, NUM_FRAMES), bool)
    for own in hit:
        bursts = draw_bursts(rng, NUM_FRAMES, 0.1, 3)
        assert set(bursts.values()) <= set(KINDS)
        assert list(bursts) == sorted(bursts)
        own[list(bursts)] = True
    # No burst of 1 to 3 frames covers it: 0.9 * (1 - 2/30) * (1 - 1/30).
    expected = 1 - 0.9 * (1 - 0.2 / 3) * (1 - 0.1 / 3)
    assert abs(hit.mean() - expected) < 0.01
    assert np.abs(hit.mean(0) - expected).max() < 0.03
    # Nothing keeps the frames before a bad one clean.
    assert hit[:, KEY_FRAME - 1][hit[:, KEY_FRAME]].mean() > 0.3


def test_bursts_are_as_long_as_asked_for():
    rng = np.random.default_rng(0)
    assert draw_bursts(rng, NUM_FRAMES, 0.0, 3) == {}
    assert len(draw_bursts(rng, NUM_FRAMES, 1.0, 1)) == NUM_FRAMES
    longest = 0
    for _ in range(50):
        frames = list(draw_bursts(rng, NUM_FRAMES, 0.01, 12))
        run = np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1)
        longest = max(longest, *map(len, run))
    assert 9 <= longest <= 24


def test_a_scene_is_the_same_clean_and_degraded(tmp_path):
    clean = StreetScene(0, 'test', 1, *SIZE, burst_rate=0)
    rough = StreetScene(0, 'test', 1, *SIZE, burst_rate=0.2)
    assert not clean.bursts
    assert rough.bursts
    for t in range(NUM_FRAMES):
        img, label, kind = rough.frame(t)
        clean_img, clean_label, _ = clean.frame(t)
        np.testing.assert_array_equal(label, clean_label)
        same = (img == clean_img).all()
        assert same == (kind is None)


def test_variants_are_the_scenes_of_test(tmp_path):
    report = write_street_scenes(
        tmp_path, 0, 1, 4, size=SIZE, variants=True, burst_rate=0.2
    )
    assert report['snippets'] == dict(
        train=0, val=1, test=4, **dict.fromkeys(VARIANTS, 4)
    )
    files = tree(tmp_path)
    for index in range(4):
        label = 'gtFine/{0}/{0}town/{0}town_%06d_000019_gtFine_labelTrainIds'
        own = [
            files[f'{(label % index).format(split)}.png']
            for split in ('test', *VARIANTS)
            if split != 'test_far'
        ]
        assert len(set(own)) == 1
    degraded = {burst['split'] for burst in report['degraded']}
    assert degraded == {'val', 'test', *VARIANTS} - {'test_clean', 'test_far'}


def test_a_burst_hides_the_frame_but_not_the_label():
    clean = StreetScene(0, 'train', 0, *SIZE, burst_rate=0)
    img, label, kind = clean.frame(KEY_FRAME)
    assert kind is None
    for name in KINDS:
        broken = StreetScene(0, 'train', 0, *SIZE, burst_rate=0)
        broken.bursts[KEY_FRAME] = name
        img2, label2, kind = broken.frame(KEY_FRAME)
        assert kind == name
        np.testing.assert_array_equal(label2, label)
        difference = np.abs(img2.astype(int) - img).mean()
        assert difference > 5, name


def test_what_is_degraded_is_recorded(tmp_path):
    report = write_street_scenes(tmp_path, 3, size=SIZE, burst_rate=1)
    there = json.loads((tmp_path / 'street_scenes.json').read_text())
    assert there == report
    keys = [b for b in report['degraded'] if b['frame'] == KEY_FRAME]
    assert len(keys) == 3


def test_samples_say_which_frames_are_degraded(tmp_path):
    report = write_street_scenes(tmp_path, num_test=3, size=SIZE, seed=1)
    cfg = Config.fromfile(leaf('unet_street')).test_dataloader.dataset
    cfg.update(data_root=str(tmp_path), mode='stream')
    init_default_scope('mmseg')
    dataset = DATASETS.build(cfg)
    got = {
        (sample.sequence[: len('testtown_000000')], sample.frame_id): (
            sample.degraded
        )
        for sample in (dataset[i]['data_samples'] for i in range(len(dataset)))
    }
    assert len(got) == 3 * NUM_FRAMES
    assert {k: v for k, v in got.items() if v} == {
        (burst['snippet'].split('/')[1], burst['frame']): burst['kind']
        for burst in report['degraded']
    }


def test_a_later_call_keeps_what_an_earlier_one_says(tmp_path):
    kinds = dict(size=SIZE, frames=(10, 19), burst_rate=0.3)
    first = write_street_scenes(tmp_path, num_val=2, **kinds)
    then = write_street_scenes(tmp_path, num_test=1, **kinds)
    assert then['snippets'] == dict(train=0, val=2, test=1)
    again = write_street_scenes(tmp_path, num_val=1, num_test=1, **kinds)
    assert first['degraded']
    for burst in first['degraded']:
        assert then['degraded'].count(burst) == 1
        assert again['degraded'].count(burst) == 1


def test_scenes_that_are_not_finished_are_refused(tmp_path):
    write_street_scenes(tmp_path, num_test=1, size=SIZE)
    path = tmp_path / 'street_scenes.json'
    report = json.loads(path.read_text())
    del report['degraded']  # as a generation that was killed leaves it
    path.write_text(json.dumps(report))
    cfg = Config.fromfile(leaf('unet_street')).test_dataloader.dataset
    cfg.update(data_root=str(tmp_path))
    init_default_scope('mmseg')
    with pytest.raises(ValueError, match='make them again to go on'):
        DATASETS.build(cfg)


def test_resumes_and_grows_without_touching_what_is_whole(tmp_path):
    kinds = dict(size=SIZE, frames=(18, 19))
    write_street_scenes(tmp_path, 2, 1, **kinds)
    files = tree(tmp_path)
    label = 'gtFine/train/traintown/traintown_000001_000019'
    label = tmp_path / f'{label}_gtFine_labelTrainIds.png'
    label.unlink()  # as if it had been stopped within this snippet
    whole = tmp_path / 'gtFine/train/traintown'
    whole = whole / 'traintown_000000_000019_gtFine_labelTrainIds.png'
    stamp = whole.stat().st_mtime_ns
    write_street_scenes(tmp_path, 2, 1, **kinds)
    assert tree(tmp_path) == files
    assert whole.stat().st_mtime_ns == stamp
    write_street_scenes(tmp_path, 3, 1, **kinds)
    assert len(tree(tmp_path)) == len(files) + 4


def test_other_settings_are_refused(tmp_path):
    write_street_scenes(tmp_path, 1, 0, size=SIZE, frames=(19, 19))
    with pytest.raises(ValueError, match=r'seed=0 \(now: seed=1\)'):
        write_street_scenes(tmp_path, 1, 0, size=SIZE, frames=(19, 19), seed=1)


@pytest.mark.parametrize(
    ('changes', 'sentence'),
    [
        (dict(num_train=0), '0 train, 0 val, 0 test'),
        (dict(size=(32, 64)), '32x64 is too small'),
        (dict(frames=(20, 29)), 'must lie within 0 to 29'),
        (dict(burst_rate=1.5), 'burst_rate must lie in'),
        (dict(longest_burst=0), r'longest_burst in \[1, 30\]'),
        (dict(workers=0), 'workers >= 1'),
    ],
)
def test_bad_arguments(changes, sentence, tmp_path):
    arguments = dict(num_train=1, size=SIZE)
    with pytest.raises(ValueError, match=sentence):
        write_street_scenes(tmp_path / 'out', **{**arguments, **changes})
    assert not (tmp_path / 'out').exists()
