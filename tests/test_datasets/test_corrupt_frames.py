import numpy as np
import pytest

from mmseg_video.choices import CORRUPTIONS
from mmseg_video.datasets import CorruptFrames
from mmseg_video.datasets.corruptions import SEVERITIES


def texture(seed=0):
    rng = np.random.default_rng(seed)
    return np.kron(
        rng.integers(40, 220, (12, 16, 3), np.uint8),
        np.ones((8, 16, 1), np.uint8),
    )


def corrupted(kind, severity, num_frames=60, frame=None, **kwargs):
    """The frames of a stream after the transform."""
    frame = texture() if frame is None else frame
    transform = CorruptFrames(kind, severity, **kwargs)
    return [
        transform(dict(img=[frame], img_path=f'val/a_{t:06d}.png'))['img'][0]
        for t in range(num_frames)
    ]


def error(frames):
    return np.mean([np.abs(f.astype(int) - texture()).mean() for f in frames])


@pytest.mark.parametrize('kind', CORRUPTIONS)
def test_each_strength_is_worse_than_the_one_before(kind):
    errors = [error(corrupted(kind, severity)) for severity in SEVERITIES]
    assert 0 < errors[0] < errors[1] < errors[2]


@pytest.mark.parametrize('kind', CORRUPTIONS)
def test_size_and_kind_of_a_frame_stay(kind):
    for severity in SEVERITIES:
        for frame in corrupted(kind, severity, 5):
            assert frame.shape == texture().shape
            assert frame.dtype == np.uint8


def test_the_frame_alone_decides():
    first = corrupted('dropped', 2)
    hit = [not f.any() for f in first]
    assert 4 < sum(hit) < 20  # of 60, a fifth
    again = corrupted('dropped', 2)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    other = corrupted('dropped', 2, seed=1)
    assert hit != [not f.any() for f in other]


def test_a_clip_meets_the_frames_of_the_stream():
    """T=3 reads frames 3 to 5 as the stream has them."""
    stream = corrupted('noise_burst', 3, 6)
    transform = CorruptFrames('noise_burst', 3)
    clip = transform(
        dict(
            img=[texture()] * 3,
            img_path='other/folder/a_000005.png',
            ref_img_paths=['val/a_000003.png', 'val/a_000004.png'],
        )
    )['img']
    for ours, theirs in zip(clip, stream[3:], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def dropped(paths, sequence):
    """Which of the frames are."""
    transform = CorruptFrames('dropped', 3)
    frames = [
        transform(dict(img=texture(), img_path=path, sequence=sequence))['img']
        for path in paths
    ]
    return [t for t, frame in enumerate(frames) if not frame.any()]


@pytest.mark.parametrize(
    'layout',
    ['data/{}/origin/{:08d}.jpg', 'val/{}/{:06d}.jpg', 'val/{}/cam_{}.png'],
)
def test_videos_of_the_same_file_names_lose_other_frames(layout):
    hit = [
        dropped([layout.format(video, t) for t in range(30)], video)
        for video in ('cam_1', 'cam_2', 'cam_3')
    ]
    assert all(hit)
    assert hit[0] != hit[1] != hit[2] != hit[0]
    # Wherever the data lie, and whatever a part of a video is called.
    paths = [f'/x/{layout.format("cam_1", t)}' for t in range(30)]
    assert dropped(paths, 'cam_1') == hit[0]
    parts = [dropped(paths, f'cam_{i}/000123') for i in (1, 2)]
    assert parts[0] != parts[1]


@pytest.mark.parametrize(
    ('sequences', 'name', 'hit'),
    [
        (
            ['aachen_000000_000019', 'aachen_000000_000000', None],
            'train/aachen/aachen_000000_{:06d}_leftImg8bit.png',
            [1, 2, 3, 4, 6, 7, 9, 10, 12, 22, 23, 24, 26, 27, 28],
        ),
        (
            ['0006R0_000930', None],
            'val/0006R0_f{:05d}.png',
            [1, 2, 3, 4, 6, 9, 13, 14, 15, 16, 18, 20, 21, 24, 25, 26, 27, 28],
        ),
    ],
)
def test_names_that_tell_their_sequence_decide_alone(sequences, name, hit):
    """Published figures are of these frames."""
    for sequence in sequences:
        paths = [name.format(t) for t in range(30)]
        assert dropped(paths, sequence) == hit


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"kind must be one of .* not 'fog'"):
        CorruptFrames('fog', 1)
    with pytest.raises(ValueError, match='severity must be one of'):
        CorruptFrames('dark', 4)
