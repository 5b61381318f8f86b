import pytest
import torch
from mmseg.registry import MODELS

CROSS_ENTROPY = dict(type='CrossEntropyLoss')
LOSSES = {
    'ce': CROSS_ENTROPY,
    'named': dict(type='CrossEntropyLoss', loss_name='loss_other'),
    'dice': dict(type='DiceLoss'),
}


def batch():
    torch.manual_seed(0)
    label = torch.randint(4, (3, 8, 8))
    label[:, 0] = 255
    return torch.randn(3, 4, 8, 8), label


def build(name):
    return MODELS.build(dict(type='SampleWeightedLoss', loss=LOSSES[name]))


@pytest.mark.parametrize('name', LOSSES)
@pytest.mark.parametrize('weights', [None, [1.0, 1.0, 1.0]])
def test_weights_of_one_change_nothing(name, weights):
    loss, plain = build(name), MODELS.build(LOSSES[name])
    loss.weights = weights
    assert loss.loss_name == plain.loss_name
    logits, label = batch()
    if name == 'dice':
        label[label == 255] = 0
    want = plain(logits, label, ignore_index=255)
    assert torch.equal(loss(logits, label, ignore_index=255), want)


def test_it_is_the_weighted_mean_of_the_samples():
    loss, plain = build('ce'), MODELS.build(CROSS_ENTROPY)
    logits, label = batch()
    loss.weights = [1.0, 0.5, 0.0]
    one = [
        plain(logits[i : i + 1], label[i : i + 1], ignore_index=255)
        for i in range(3)
    ]
    got = loss(logits, label, ignore_index=255)
    torch.testing.assert_close(got, (one[0] + 0.5 * one[1]) / 3)


def test_weights_of_pixels_are_kept():
    loss, plain = build('ce'), MODELS.build(CROSS_ENTROPY)
    logits, label = batch()
    pixels = torch.rand(3, 8, 8)
    loss.weights = [2.0, 2.0, 2.0]
    want = 2 * plain(logits, label, weight=pixels, ignore_index=255)
    got = loss(logits, label, weight=pixels, ignore_index=255)
    torch.testing.assert_close(got, want)


@pytest.mark.parametrize('weights', [None, [1.0, 0.5, 1.0]])
@pytest.mark.parametrize('name', ['CrossEntropyLoss', 'LovaszLoss'])
def test_samples_without_a_label_count_nothing(name, weights):
    options = dict(reduction='none') if name == 'LovaszLoss' else {}
    plain = dict(type=name, **options)
    loss = MODELS.build(dict(type='SampleWeightedLoss', loss=plain))
    loss.weights = weights
    logits, label = batch()
    logits.requires_grad_()
    label[:] = 255
    got = loss(logits, label, ignore_index=255)
    got.backward()
    assert got == 0
    assert not logits.grad.any()
    if weights:
        logits, label = batch()
        label[1] = 255
        one = MODELS.build(plain)
        want = sum(
            one(logits[i : i + 1], label[i : i + 1], ignore_index=255)
            for i in (0, 2)
        )
        got = loss(logits, label, ignore_index=255)
        torch.testing.assert_close(got, want / 3)


def test_a_weight_for_each_sample_is_needed():
    loss = build('ce')
    loss.weights = [0.5]
    with pytest.raises(ValueError, match='1 label_weights for 3 samples'):
        loss(*batch(), ignore_index=255)
