"""ClipAugment against ForEachFrame, which does what mmseg does."""

import random

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmseg.registry import TRANSFORMS

from mmseg_video.datasets.transforms.crop_first import CropFirst
from tests.frames import textured

SIZE = (52, 100)
RESIZE = dict(
    type='RandomResize',
    scale=(96, 48),
    ratio_range=(0.5, 2.0),
    keep_ratio=True,
)
CROP = dict(type='RandomCrop', crop_size=(24, 40), cat_max_ratio=0.6)
FLIP = dict(
    type='RandomFlip',
    prob=0.8,
    direction=['horizontal', 'vertical', 'diagonal'],
)
DISTORT = dict(type='PhotoMetricDistortion')


@pytest.fixture(scope='module')
def clip():
    """Three frames, and labels of few large areas: crops are drawn again."""
    rng = np.random.default_rng(0)
    areas = rng.integers(0, 3, (7, 9), np.uint8)
    areas[0, :4] = 255
    label = cv2.resize(areas, SIZE[::-1], interpolation=cv2.INTER_NEAREST)
    return [textured(*SIZE, seed) for seed in range(3)], label


def augment(kind, transforms, clip, seed, **more):
    frames, label = clip
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    results = dict(
        img=[frame.copy() for frame in frames],
        img_path='town_000000_000019.png',
        gt_seg_map=label.copy(),
        seg_fields=['gt_seg_map'],
        img_shape=label.shape,
        ori_shape=label.shape,
        **more,
    )
    transform = TRANSFORMS.build(dict(type=kind, transforms=transforms))
    results = transform(results)
    return results, (random.random(), np.random.rand(), torch.rand(1).item())


def both(transforms, clip, seed):
    slow, slow_after = augment('ForEachFrame', transforms, clip, seed)
    fast, fast_after = augment('ClipAugment', transforms, clip, seed)
    # The same numbers were drawn, as many of them.
    assert slow_after == fast_after
    assert set(slow) == set(fast)
    for key in set(slow) - {'img', 'gt_seg_map'}:
        assert slow[key] == fast[key], key
    assert np.array_equal(slow['gt_seg_map'], fast['gt_seg_map'])
    return np.stack(slow['img']).astype(int), np.stack(fast['img'])


def test_hundreds_of_draws_are_mmsegs(clip):
    beyond, pixels, seen = 0, 0, set()
    for seed in range(300):
        slow, fast = both([RESIZE, CROP, FLIP], clip, seed)
        difference = np.abs(slow - fast)
        beyond += (difference > 1).sum()
        pixels += difference.size
        seen.add(fast.tobytes())
    assert beyond < 1e-3 * pixels
    assert len(seen) > 290


@pytest.mark.parametrize(
    'transforms',
    [
        [DISTORT],
        [CROP],
        [CROP, FLIP, DISTORT],
        [dict(RESIZE, ratio_range=(1.0, 1.0), scale=SIZE[::-1]), CROP],
    ],
    ids=['colours', 'crop', 'crop, flip, colours', 'no change of size'],
)
def test_bit_for_bit_where_the_size_stays(clip, transforms):
    for seed in range(100):
        slow, fast = both(transforms, clip, seed)
        assert np.array_equal(slow, fast)


@pytest.mark.parametrize(
    'resize',
    [
        dict(type='Resize', scale=(70, 90)),
        dict(type='Resize', scale_factor=1.3, keep_ratio=True),
        dict(type='RandomResize', scale=[(60, 50), (150, 90)]),
    ],
    ids=['fixed', 'by a factor', 'between two sizes'],
)
def test_every_resize_of_mmseg(clip, resize):
    transforms = [resize, CROP, dict(FLIP, prob=0.5, direction='horizontal')]
    assert CropFirst.match([TRANSFORMS.build(t) for t in transforms]) == 3
    for seed in range(20):
        slow, fast = both(transforms, clip, seed)
        assert (np.abs(slow - fast) > 1).mean() < 1e-3


def test_what_it_does_not_know_is_left_to_mmseg(clip):
    transforms = [
        dict(type='RandomRotate', prob=0.9, degree=30),
        dict(RESIZE, interpolation='nearest'),
        CROP,
        dict(FLIP, swap_seg_labels=[(0, 1)]),
        dict(type='RandomCutOut', prob=0.9, n_holes=2, cutout_shape=(8, 8)),
        DISTORT,
    ]
    for seed in range(20):
        slow, fast = both(transforms, clip, seed)
        assert np.array_equal(slow, fast)


def test_a_small_frame_stays_whole_as_in_mmseg(clip):
    # Lower than the crop, not narrower: the preprocessor pads it.
    crop = dict(CROP, crop_size=(200, 40))
    slow, fast = both([RESIZE, crop], clip, 3)
    assert slow.shape == fast.shape


@pytest.mark.parametrize('resize', [[], [RESIZE]], ids=['as is', 'resized'])
def test_a_crop_larger_than_the_frame_is_refused(clip, resize):
    crop = dict(CROP, crop_size=(512, 1024))
    with pytest.raises(ValueError, match=r'crop .*512.*town_000000.*crop_si'):
        augment('ClipAugment', [*resize, crop], clip, 0)


def test_the_clip_is_packed_without_a_copy(clip):
    for transforms in ([CROP, FLIP], [RESIZE, CROP, FLIP], [CROP, DISTORT]):
        results, _ = augment('ClipAugment', transforms, clip, 1)
        frames = [frame.copy() for frame in results['img']]
        pack = TRANSFORMS.build(dict(type='PackClipInputs'))
        packed = pack(results)['inputs']
        address = results['img'][0].__array_interface__['data'][0]
        assert packed.data_ptr() == address
        # Frames in other places are no longer that array.
        results['img'] = results['img'][::-1]
        turned = pack(results)['inputs']
        other = pack(dict(results, img=frames))['inputs']
        assert torch.equal(packed, other)
        assert torch.equal(packed, turned.flip(0))
    assert len(pseudo_collate([dict(x=packed)] * 2)['x']) == 2


def test_a_still_and_a_frame_of_the_callers(clip):
    frames, label = clip
    np.random.seed(0)
    transform = TRANSFORMS.build(
        dict(type='ClipAugment', transforms=[DISTORT, CROP])
    )
    before = frames[0].copy()
    for _ in range(5):
        results = transform(dict(img=frames[0], gt_seg_map=label))
        assert results['img'].shape == (24, 40, 3)
    assert np.array_equal(frames[0], before)
