import copy

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from torch.nn import functional as F

from tests.models import FRAMEWISE, NUM_CLASSES, RECURRENT, build, samples

SIZE = (16, 24)
MIXES = ['ClipCutMix', 'ClipClassMix', 'ClipMixUp']


def batch(num=3, num_frames=4):
    """Clips of which every pixel, in every frame, says what it is labelled
    and in which clip."""
    torch.manual_seed(0)
    data = samples(num, SIZE)
    clips = []
    for n, sample in enumerate(data):
        label = sample.gt_sem_seg.data + 10 * n
        clips.append(label.float()[None].expand(num_frames, 3, *SIZE))
    return torch.stack(clips), data


def mix(name, **kwargs):
    return MODELS.build(dict(type=name, **kwargs))


@pytest.mark.parametrize('name', ['ClipCutMix', 'ClipClassMix'])
def test_all_frames_and_the_label_have_one_mask(name):
    np.random.seed(0)
    shares = set()
    for _ in range(10):
        clips, data = batch()
        labels = [s.gt_sem_seg.data.clone() for s in data]
        mixed, after = mix(name, prob=1)(clips, data)
        for n in range(3):
            assert (mixed[n] == mixed[n, :1, :1]).all()
            pasted = mixed[n, 0, 0] // 10 == (n - 1) % 3
            assert (pasted | (mixed[n, 0, 0] // 10 == n)).all()
            shares.add(round(float(pasted.float().mean()), 2))
            want = torch.where(pasted, labels[n - 1], labels[n])
            assert torch.equal(after[n].gt_sem_seg.data, want)
            if name == 'ClipClassMix':
                # Whole classes: half of the five, rounded up.
                classes = labels[n - 1][0][pasted].unique()
                assert len(classes) == 3
                assert torch.equal(
                    pasted, torch.isin(labels[n - 1][0], classes)
                )
            elif pasted.any():
                rows, columns = pasted.nonzero().T
                box = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
                assert int(pasted.sum()) == box
    assert len(shares) > 5


def test_classmix_pastes_no_unlabelled_pixels():
    clips, data = batch(2)
    data[0].gt_sem_seg.data[:] = 255
    before = data[1].gt_sem_seg.data.clone()
    mix('ClipClassMix', prob=1)(clips, data)
    assert torch.equal(data[1].gt_sem_seg.data, before)


def test_mixup_blends_all_frames_alike():
    np.random.seed(0)
    clips, data = batch()
    mixed, _ = mix('ClipMixUp', prob=1, alpha=1)(clips, data)
    for n in range(3):
        share = (mixed[n] - clips[n]) / (clips[n - 1] - clips[n])
        share = share[share.isfinite()]
        assert share.std() < 1e-4
        assert 0 < share.mean() < 1


def test_mixup_draws_labels_by_the_share_of_the_pixels():
    np.random.seed(0)
    for _ in range(5):
        pixels, ids = mix('ClipMixUp', alpha=1).draw(torch.zeros(100, 100))
        share = pytest.approx(float(pixels[0, 0]), abs=0.03)
        assert float(ids.float().mean()) == share


def test_cutmix_pastes_boxes_of_any_share_alike():
    np.random.seed(0)
    cutmix = mix('ClipCutMix', alpha=1)
    shares = [cutmix.draw(torch.zeros(64, 96))[0].mean() for _ in range(300)]
    quarters = [0.25, 0.5, 0.75]
    got = np.quantile(shares, quarters)
    np.testing.assert_allclose(got, quarters, atol=0.08)


def test_mixups_expected_loss_has_both_terms():
    """Labels drawn pixel by pixel: lam L(y) + (1 - lam) L(y')."""
    np.random.seed(0)
    transform = mix('ClipMixUp', prob=1)
    share = 0.3
    transform.draw = lambda other: (
        torch.full(other.shape, share),
        torch.from_numpy(np.random.rand(*other.shape) < share),
    )
    logits = torch.randn(1, NUM_CLASSES, *SIZE)
    clips, data = batch(2)
    own, other = (s.gt_sem_seg.data.clone() for s in data)
    want = (1 - share) * F.cross_entropy(logits, own)
    want += share * F.cross_entropy(logits, other)
    got = []
    for _ in range(200):
        clips, data = batch(2)
        transform(clips, data)
        got.append(F.cross_entropy(logits, data[0].gt_sem_seg.data))
    assert float(torch.stack(got).mean()) == pytest.approx(
        float(want), rel=0.01
    )


@pytest.mark.parametrize('name', MIXES)
class TestInThePreprocessor:
    def preprocessed(self, name, cfg, training, batch_size=2, prob=1.0):
        augments = dict(mix=dict(type=name, prob=prob))
        settings = dict(cfg['data_preprocessor'], batch_augments=augments)
        model = build(cfg, data_preprocessor=settings)
        torch.manual_seed(0)
        clips = torch.randint(
            256, (batch_size, 3, 3, *SIZE), dtype=torch.uint8
        )
        data = dict(inputs=list(clips), data_samples=samples(batch_size, SIZE))
        for sample in data['data_samples']:
            sample.ref_flow = PixelData(data=torch.ones(3, *SIZE))
        before = copy.deepcopy(data)
        after = model.data_preprocessor(data, training)
        want = model.data_preprocessor(before, False)
        return after, want

    @pytest.mark.parametrize('cfg', [FRAMEWISE, RECURRENT])
    def test_in_training_alone(self, name, cfg):
        np.random.seed(1)
        after, before = self.preprocessed(name, cfg, training=True)
        assert after['inputs'].shape == before['inputs'].shape
        assert not torch.equal(after['inputs'], before['inputs'])
        # A mixed clip has no motion of its own to agree with.
        assert not after['data_samples'][0].ref_flow.data[2].any()
        after, before = self.preprocessed(name, cfg, training=False)
        assert torch.equal(after['inputs'], before['inputs'])

    def test_one_clip_alone_or_unlucky_stays(self, name):
        for arguments in (dict(batch_size=1), dict(prob=0)):
            after, before = self.preprocessed(
                name, RECURRENT, training=True, **arguments
            )
            assert torch.equal(after['inputs'], before['inputs'])
            assert after['data_samples'][0].ref_flow.data[2].all()

    def test_prob_is_checked(self, name):
        with pytest.raises(ValueError, match='prob must lie in'):
            mix(name, prob=2)
