"""What the temporal transforms do to a clip, frame by frame."""

import cv2
import numpy as np
import pytest
from mmseg.registry import TRANSFORMS

from mmseg_video.datasets.base_sequence import insert_augments
from mmseg_video.flow.estimators import DISFlow
from mmseg_video.flow.reliability import photometric_agreement

DIS = dict(type='DISFlow', preset='fast')


def build(type_, **kwargs):
    return TRANSFORMS.build(dict(type=type_, **kwargs))


def numbered(num_frames):
    """Frames that say which they are."""
    return [np.full((4, 6, 3), 10 * t, np.uint8) for t in range(num_frames)]


def numbers(frames):
    return [int(frame[0, 0, 0]) / 10 for frame in frames]


def texture(size=(72, 120), seed=0):
    rng = np.random.default_rng(seed)
    img = rng.integers(0, 256, (*size, 3), np.uint8)
    return cv2.GaussianBlur(img, (0, 0), 3)


def moving(num_frames, step=4, size=(72, 120)):
    """A texture that moves to the right by ``step`` pixels a frame."""
    wide = texture((size[0], size[1] + step * num_frames))
    ends = [step * (num_frames - t) for t in range(num_frames)]
    return [wide[:, e : e + size[1]].copy() for e in ends]


EVERY = {
    'InterpolateFrames': dict(prob=1),
    'ReverseRefFrames': dict(prob=1),
    'DropFrames': dict(prob=1),
    'NoiseFrames': dict(prob=1, num_noisy=9),
}


@pytest.mark.parametrize('name', EVERY)
def test_the_key_frame_stays_real_and_stills_stay(name):
    transform = build(name, **EVERY[name])
    frames = [texture(seed=t) for t in range(5)]
    after = transform(dict(img=[f.copy() for f in frames]))['img']
    assert len(after) == 5
    assert np.array_equal(after[-1], frames[-1])
    assert any((a != b).any() for a, b in zip(after, frames, strict=True))
    assert all(a.dtype == np.uint8 for a in after)
    # Frames share no memory: a transform may write to one.
    after[1][:] = 0
    assert after[0].any()
    still, single = frames[0], [frames[0]]
    assert transform(dict(img=still))['img'] is still
    assert np.array_equal(transform(dict(img=single))['img'][0], still)


@pytest.mark.parametrize('name', EVERY)
def test_prob_is_held_and_seeded(name):
    np.random.seed(0)
    arguments = {**EVERY[name], 'prob': 0.3}
    transform = build(name, **arguments)

    def hits(clips=200):
        """Whether the first of two ref frames that can change has."""
        before = numbered(3)
        out = [transform(dict(img=numbered(3)))['img'] for _ in range(clips)]
        return [(o[1] != before[1]).any() or (o[0] != 0).any() for o in out]

    first = hits()
    assert 0.2 < np.mean(first) < 0.4
    np.random.seed(0)
    assert hits() == first
    with pytest.raises(ValueError, match='prob must lie in'):
        build(name, prob=1.5)


class TestInterpolateFrames:
    def test_blends_the_frames_in_between(self):
        transform = build('InterpolateFrames', prob=1, factors=(2,))
        after = transform(dict(img=numbered(5)))['img']
        assert numbers(after) == [2, 2.5, 3, 3.5, 4]

    @pytest.mark.parametrize('factor', [4, 1.5])
    def test_any_factor(self, factor):
        transform = build('InterpolateFrames', prob=1, factors=(factor,))
        after = numbers(transform(dict(img=numbered(3)))['img'])
        want = [2 - 2 / factor, 2 - 1 / factor, 2]
        assert after == pytest.approx(want, abs=0.051)

    def test_flow_moves_what_blending_doubles(self):
        # In step with the wide texture, the frame between two is known.
        fine = moving(5, step=3)
        coarse = fine[::2]  # 6 pixels a frame
        errors = {}
        for name, flow in (('flow', DIS), ('blend', None)):
            transform = build('InterpolateFrames', prob=1, flow=flow)
            after = transform(dict(img=list(coarse)))['img']
            assert np.array_equal(after[0], coarse[1])
            error = cv2.absdiff(after[1], fine[3])[8:-8, 16:-16]
            errors[name] = error.mean()
        assert errors['flow'] < 0.3 * errors['blend']

    def test_bad_factor(self):
        with pytest.raises(ValueError, match='factors must be > 1'):
            build('InterpolateFrames', factors=(1,))


def test_reversed_ref_frames():
    after = build('ReverseRefFrames', prob=1)(dict(img=numbered(5)))['img']
    assert numbers(after) == [3, 2, 1, 0, 4]


def test_dropped_frames_show_the_one_before():
    after = build('DropFrames', prob=1)(dict(img=numbered(5)))['img']
    assert numbers(after) == [0, 0, 0, 0, 4]
    np.random.seed(1)
    drop = build('DropFrames', prob=0.5)
    for _ in range(20):
        after = numbers(drop(dict(img=numbered(6)))['img'])
        assert after[0] == 0
        assert after[-1] == 5
        for t in range(1, 5):
            assert after[t] in (t, after[t - 1])


def test_noise_takes_as_many_ref_frames_as_it_says():
    np.random.seed(0)
    places = set()
    for num in (1, 2):
        transform = build('NoiseFrames', prob=1, num_noisy=num)
        for _ in range(20):
            after = transform(dict(img=numbered(4)))['img']
            hit = [t for t in range(4) if np.ptp(after[t]) > 0]
            assert len(hit) == num
            places.update(hit)
    assert places == {0, 1, 2}
    with pytest.raises(ValueError, match='num_noisy must be >= 1'):
        build('NoiseFrames', num_noisy=0)


class TestAddRefFlow:
    def test_known_motion(self):
        results = build('AddRefFlow', gaps=(2,), estimator=DIS)(
            dict(img=moving(4))
        )
        assert results['flow_gap'] == 2
        dx, dy, agreement = results['ref_flow'][:, 8:-8, 16:-16]
        # 4 pixels a frame to the right: two frames ago it was 8 to the left.
        assert np.median(dx) == pytest.approx(-8, abs=0.3)
        assert np.median(dy) == pytest.approx(0, abs=0.3)
        assert np.median(agreement) > 0.8

    def test_gaps_are_drawn_as_far_as_the_clip_reaches(self):
        np.random.seed(0)
        transform = build('AddRefFlow', gaps=(1, 2, 3))
        frames = moving(3)
        gaps = {transform(dict(img=frames))['flow_gap'] for _ in range(20)}
        assert gaps == {1, 2}
        with pytest.raises(ValueError, match=r'a\.png has T=2.*num_frames=3'):
            build('AddRefFlow', gaps=(2,))(
                dict(img=moving(2), img_path='a.png')
            )
        for still in (frames[0], frames[:1]):
            with pytest.raises(ValueError, match='T=1 frames, too few'):
                transform(dict(img=still))

    def test_frames_that_differ_do_not_agree(self):
        key, ref = texture(), texture()
        ref[:36] //= 2
        zero = np.zeros((72, 120, 2), np.float32)
        agreement = photometric_agreement(key, ref, zero)
        assert (agreement[40:] == 1).all()
        assert agreement[:32].mean() < 0.3
        away = photometric_agreement(key, key, zero + np.float32(500))
        assert (away == 0).all()
        # The paper's formula.
        want = np.exp(
            -abs(float((key[3, 5] - ref[3, 5].astype(float)).sum())) / 57
        )
        assert agreement[3, 5] == pytest.approx(want, rel=1e-4)
        # It is a sum over the colours: what cancels there agrees.
        grey = np.full((72, 120, 3), 100, np.uint8)
        tint = np.full_like(grey, (130, 70, 100))
        assert (photometric_agreement(grey, tint, zero) == 1).all()

    def test_goes_with_crop_and_flip(self):
        """Computed behind them, it is the flow of what the net sees."""
        geometry = dict(
            type='ForEachFrame',
            transforms=[
                dict(type='RandomCrop', crop_size=(48, 80)),
                dict(type='RandomFlip', prob=1.0),
            ],
        )
        results = dict(
            img=moving(3),
            gt_seg_map=np.zeros((72, 120), np.uint8),
            seg_fields=['gt_seg_map'],
            img_shape=(72, 120),
        )
        results = build('ForEachFrame', transforms=geometry['transforms'])(
            results
        )
        results = build('AddRefFlow', gaps=(1,), estimator=DIS)(results)
        packed = build('PackClipInputs')(results)
        sample = packed['data_samples']
        assert sample.ref_flow.shape == (48, 80)
        assert sample.flow_gap == 1
        # Flipped, the texture moves to the left.
        assert float(sample.ref_flow.data[0].median()) == pytest.approx(
            4, abs=0.3
        )

    def test_is_refused_in_front_of_geometry(self):
        results = build('AddRefFlow')(dict(img=moving(3)))
        results['img'] = [f[:40] for f in results['img']]
        with pytest.raises(ValueError, match='AddRefFlow stands behind'):
            build('PackClipInputs')(results)

    def test_frames_may_be_floats(self):
        frames = [f.astype(np.float32) + 0.25 for f in moving(2)]
        flow = build('AddRefFlow', estimator=DIS)(dict(img=frames))['ref_flow']
        want = DISFlow('fast')(*(f.astype(np.uint8) for f in frames[::-1]))
        assert np.array_equal(flow[:2], want.transpose(2, 0, 1))


class TestAugments:
    pipeline = (dict(type='load'), dict(type='crop'), dict(type='pack'))

    def names(self, augments):
        steps = insert_augments(self.pipeline, augments)
        return [
            s['type'] if isinstance(s, dict) else type(s).__name__
            for s in steps
        ]

    def test_places(self):
        augments = dict(
            noise=dict(type='NoiseFrames'),
            interval=dict(type='RandomFrameInterval'),
            burst=dict(type='RandomBurst'),
        )
        assert self.names(augments) == [
            *('RandomFrameInterval', 'load', 'crop'),
            *('NoiseFrames', 'RandomBurst', 'pack'),
        ]

    def test_none_leaves_one_out(self):
        assert self.names(dict(burst=None)) == ['load', 'crop', 'pack']
        assert self.names({}) == ['load', 'crop', 'pack']

    def test_flow_is_that_of_the_frames_in_the_end(self):
        """A base config's flow stands before what a diff adds to it."""
        augments = dict(
            flow=dict(type='AddRefFlow'),
            reverse=dict(type='ReverseRefFrames'),
            burst=dict(type='RandomBurst'),
            drop=dict(type='DropFrames'),
        )
        assert self.names(augments)[-5:-1] == [
            *('ReverseRefFrames', 'DropFrames', 'AddRefFlow', 'RandomBurst')
        ]

    def test_needs_a_pipeline(self):
        with pytest.raises(ValueError, match='augments need a pipeline'):
            insert_augments([], dict(burst=dict(type='RandomBurst')))
