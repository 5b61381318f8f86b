import numpy as np
import pytest

from mmseg_video.datasets import RandomBurst
from mmseg_video.datasets.degradations import KINDS


def clip(num_frames=5):
    rng = np.random.default_rng(0)
    return [
        rng.integers(60, 200, (48, 64, 3), np.uint8) for _ in range(num_frames)
    ]


def degraded(transform, frames, path='val/frame_000019.png'):
    """Which of the frames the transform changes."""
    results = dict(img=list(frames), img_path=path)
    after = transform(results)['img']
    assert all(a.shape == b.shape for a, b in zip(after, frames, strict=True))
    assert all(a.dtype == np.uint8 for a in after)
    return [bool((a != b).any()) for a, b in zip(after, frames, strict=True)]


@pytest.mark.parametrize('kind', KINDS)
def test_the_end_of_the_clip_is_degraded_and_the_rest_is_not(kind):
    np.random.seed(0)
    frames = clip()
    transform = RandomBurst(prob=1, max_length=3, kinds=[kind])
    lengths = set()
    for _ in range(30):
        changed = degraded(transform, frames)
        length = sum(changed)
        assert changed == [False] * (5 - length) + [True] * length
        lengths.add(length)
    assert lengths == {1, 2, 3}


@pytest.mark.parametrize('num_frames', [2, 3])
def test_the_first_frame_of_a_clip_stays_clean(num_frames):
    np.random.seed(0)
    transform = RandomBurst(prob=1, max_length=5)
    for _ in range(10):
        changed = degraded(transform, clip(num_frames))
        assert not changed[0]
        assert changed[-1]


@pytest.mark.parametrize('num_frames', [3, 5])
def test_bursts_of_ref_frames_alone(num_frames):
    np.random.seed(0)
    transform = RandomBurst(prob=0, ref_prob=1, max_length=2)
    hit = set()
    for _ in range(40):
        changed = degraded(transform, clip(num_frames))
        places = [t for t, c in enumerate(changed) if c]
        assert not changed[0]
        assert not changed[-1]
        assert places == list(range(places[0], places[-1] + 1))
        hit.update(places)
    assert hit == set(range(1, num_frames - 1))


def test_key_and_ref_bursts_have_their_probabilities():
    np.random.seed(0)
    transform = RandomBurst(prob=0.3, ref_prob=0.5)
    fates = [degraded(transform, clip()) for _ in range(300)]
    on_key = sum(f[-1] for f in fates)
    on_refs = sum(any(f) and not f[-1] for f in fates)
    assert 60 < on_key < 120
    assert 75 < on_refs < 135  # half of the other 210
    # Too short for a ref frame that may be hit: nothing is.
    short = RandomBurst(prob=0, ref_prob=1)
    assert not any(degraded(short, clip(2)))
    assert not any(degraded(short, clip(1)))


def test_ref_prob_changes_no_key_frames_fate():
    paths = [f'val/frame_{i:06d}.png' for i in range(40)]

    def fates(**arguments):
        transform = RandomBurst(prob=0.5, seed=1, **arguments)
        return [degraded(transform, clip(), path)[-1] for path in paths]

    assert fates() == fates(ref_prob=0.7)


def test_stills_and_single_frames():
    transform = RandomBurst(prob=1, max_length=3)
    assert degraded(transform, clip(1)) == [True]
    still = clip(1)[0]
    after = transform(dict(img=still.copy()))['img']
    assert after.shape == still.shape
    assert (after != still).any()


def test_probability():
    np.random.seed(0)
    transform = RandomBurst(prob=0.3)
    hits = sum(degraded(transform, clip())[-1] for _ in range(300))
    assert 60 < hits < 120
    assert degraded(RandomBurst(prob=0), clip()) == [False] * 5


def test_a_seed_fixes_each_frames_fate():
    paths = [f'data/val/frame_{i:06d}.png' for i in range(60)]
    transform = RandomBurst(prob=0.5, seed=1)

    def fates(paths, transform=transform):
        return [degraded(transform, clip(), path) for path in paths]

    first = fates(paths)
    assert fates(paths[::-1])[::-1] == first
    assert fates([f'/elsewhere/{p}' for p in paths]) == first
    assert 10 < sum(f[-1] for f in first) < 50
    assert fates(paths, RandomBurst(prob=0.5, seed=2)) != first


def burst_kinds(paths, sequence):
    transform = RandomBurst(prob=0.5, max_length=1, seed=0)
    return [
        transform(dict(img=clip(1)[0], img_path=path, sequence=sequence))[
            'degraded'
        ]
        for path in paths
    ]


@pytest.mark.parametrize(
    'layout', ['data/{}/origin/{:08d}.jpg', 'val/{}/{:06d}.jpg']
)
def test_a_seed_hits_other_frames_of_each_video(layout):
    fates = [
        burst_kinds([layout.format(video, t) for t in range(20)], video)
        for video in ('0_a', '1_b')
    ]
    assert any(fates[0])
    assert fates[0] != fates[1]


def test_a_seed_hits_the_frames_of_published_figures():
    name = 'leftImg8bit/train/aachen/aachen_000000_{:06d}_leftImg8bit.png'
    for sequence in ('aachen_000000_000019', None):
        got = burst_kinds([name.format(t) for t in range(12)], sequence)
        assert dict(enumerate(got)) == dict.fromkeys(range(12)) | {
            2: 'dark',
            5: 'dropped',
            6: 'blurred',
            9: 'blurred',
            10: 'dark',
        }


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (dict(prob=1.1), 'prob must lie in'),
        (dict(ref_prob=-1), 'ref_prob must lie in'),
        (dict(max_length=0), 'max_length must be >= 1'),
        (dict(kinds=['foggy']), 'kinds must be some of'),
        (dict(kinds=[]), 'kinds must be some of'),
    ],
)
def test_bad_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        RandomBurst(**arguments)
