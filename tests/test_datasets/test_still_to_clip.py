"""A still in eased affine motion is a clip."""

import cv2
import numpy as np
import pytest
from mmcv.transforms import Compose

from mmseg_video.datasets import (
    ForEachFrame,
    PackClipInputs,
    StillToClip,
)

SIZE = (60, 80)


@pytest.fixture
def still():
    img = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    return cv2.GaussianBlur(img, (0, 0), 4)


def clip_of(still, seed=0, **kwargs):
    np.random.seed(seed)
    kwargs = {'num_frames': 6, **kwargs}
    return StillToClip(**kwargs)(dict(img=still))['img']


def test_the_key_frame_is_the_still_and_last(still):
    before = still.copy()
    clip = clip_of(still)
    assert len(clip) == 6
    assert clip[-1] is still
    assert (still == before).all()
    assert all(f.shape == still.shape for f in clip)
    assert all(f.dtype == np.uint8 for f in clip)
    assert all((f != still).any() for f in clip[:-1])


def test_num_frames_is_the_data_sets_unless_it_is_named(still):
    results = StillToClip()(dict(img=still, num_frames=3))
    assert len(results['img']) == 3
    results = StillToClip(num_frames=2)(dict(img=still, num_frames=3))
    assert len(results['img']) == results['num_frames'] == 2
    assert StillToClip()(dict(img=still))['img'] == [still]


def motion(still, seed, **kwargs):
    """Where a dot in the middle is in each frame, (T, 2) x and y."""
    img = np.zeros((400, 400, 3), np.uint8)
    cv2.circle(img, (200, 200), 4, (255,) * 3, -1)
    clip = clip_of(img, seed, max_zoom=1, max_angle=0, num_frames=9, **kwargs)
    return np.array([np.argwhere(f[..., 0] > 100).mean(0)[::-1] for f in clip])


def test_the_motion_is_eased_and_goes_straight_to_the_key_frame(still):
    for seed in range(5):
        path = motion(still, seed, max_shift=0.3)
        steps = np.diff(path, axis=0)
        away = path[0] - path[-1]
        if np.linalg.norm(away) < 30:
            continue
        part = (path - path[-1]) @ away / (away @ away)
        # On a line, never back, and not at one speed.
        line = (path - path[-1]) - part[:, None] * away
        assert np.abs(line).max() < 1.5
        assert (np.diff(part) < 0.01).all()
        lengths = np.linalg.norm(steps, axis=1)
        assert lengths.max() > 1.12 * lengths.min()


def test_the_drawn_shift_is_the_first_frames(still):
    reach = np.stack(
        [
            np.abs(path[0] - path[-1])
            for path in (
                motion(still, seed, max_shift=0.1) for seed in range(40)
            )
        ]
    )
    assert 36 < reach.max() < 41.5  # 0.1 of 400 pixels
    assert (reach.min(axis=0) < 10).all()


def test_zoom_grows_by_equal_factors():
    """zoom^a where the shift is a: told by a disc's area and centre."""
    img = np.zeros((400, 400, 3), np.uint8)
    cv2.circle(img, (200, 200), 40, (255,) * 3, -1)
    zooms = []
    for seed in range(6):
        clip = clip_of(
            *(img, seed),
            **dict(max_shift=0.2, max_zoom=2, max_angle=0, border='constant'),
        )
        discs = [np.argwhere(f[..., 0] > 127) for f in clip]
        path = np.stack([disc.mean(0) for disc in discs])
        away = path[0] - path[-1]
        part = (path - path[-1]) @ away / (away @ away)
        log_zoom = 0.5 * np.log([len(d) / len(discs[-1]) for d in discs])
        np.testing.assert_allclose(log_zoom, part * log_zoom[0], atol=0.025)
        zooms.append(np.exp(log_zoom[0]))
    assert min(zooms) < 0.75
    assert max(zooms) > 1.4


def test_zoom_and_angle(still):
    img = np.zeros((401, 401, 3), np.uint8)
    img[100:301, 190:211] = 255
    sizes, angles = [], []
    for seed in range(30):
        first = clip_of(img, seed, max_shift=0, max_zoom=1.3, max_angle=20)[0]
        points = np.argwhere(first[..., 0] > 128)[:, ::-1]
        # The angle of a rectangle is told up to 90 degrees.
        _, (a, b), angle = cv2.minAreaRect(points.astype(np.float32))
        sizes.append(max(a, b) / 200)
        angles.append(min(angle % 90, 90 - angle % 90))
    assert 1 / 1.33 < min(sizes) < 0.85
    assert 1.15 < max(sizes) < 1.33
    assert 12 < max(angles) < 21


def test_borders(still):
    white = np.full((*SIZE, 3), 200, np.uint8)
    for seed in range(4):
        assert (clip_of(white, seed)[0] == 200).all()
        constant = clip_of(white, seed, border='constant', pad_val=7)[0]
        assert constant.min() == 7
        assert np.median(constant) == 200


def test_the_global_seed_decides(still):
    one, two = clip_of(still, 3), clip_of(still, 3)
    assert all((a == b).all() for a, b in zip(one, two, strict=True))
    assert (clip_of(still, 4)[0] != one[0]).any()


def test_it_stands_where_ref_frames_are_loaded(still):
    np.random.seed(0)
    label = np.zeros(SIZE, np.uint8)
    label[:, 40:] = 1
    crop = dict(type='RandomCrop', crop_size=(32, 32))
    flip = dict(type='RandomFlip', prob=1.0)
    packed = Compose(
        [
            StillToClip(num_frames=4, max_shift=0, max_zoom=1, max_angle=0),
            ForEachFrame([crop, flip]),
            PackClipInputs(),
        ]
    )(
        dict(
            img=still,
            gt_seg_map=label,
            seg_fields=['gt_seg_map'],
            img_path='a.jpg',
            ori_shape=SIZE,
            img_shape=SIZE,
        )
    )
    clip = packed['inputs']
    assert clip.shape == (4, 3, 32, 32)
    # Without motion all frames are the still: cropped and flipped alike.
    assert (clip == clip[-1]).all()
    assert packed['data_samples'].gt_sem_seg.shape == (32, 32)
    assert packed['data_samples'].num_frames == 4


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (dict(num_frames=0), 'num_frames must be >= 1'),
        (dict(max_shift=1), 'max_shift must lie in'),
        (dict(max_zoom=0.9), 'max_zoom must be >= 1'),
        (dict(max_angle=-1), 'max_angle must lie in'),
        (dict(border='mirror'), "border must be one of .*got 'mirror'"),
    ],
)
def test_bad_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        StillToClip(**arguments)


def test_a_clip_is_no_still(still):
    results = dict(img=[still, still], img_path='a.png')
    with pytest.raises(ValueError, match='place of LoadRefFrames'):
        StillToClip()(results)
