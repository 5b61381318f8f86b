"""The losses of a decode head: mmseg's and ours."""

from pathlib import Path

import pytest
import torch
from mmengine import Config
from mmseg.registry import MODELS
from torch.nn import functional as F

from tests.models import NUM_CLASSES, RECURRENT, build, samples

LOSSES = sorted(Path(__file__).parents[2].glob('configs/_base_/losses/*.py'))
OHEM = dict(sampler=dict(type='OHEMPixelSampler', thresh=0.7, min_kept=100))
# camvid.py is a whole head, of CamVid's classes.
HEADS = {
    path.stem: dict(loss_decode=Config.fromfile(path).loss_decode)
    for path in LOSSES
    if path.stem != 'camvid'
}


def logits_and_labels():
    torch.manual_seed(0)
    logits = torch.randn(2, NUM_CLASSES, 8, 8)
    labels = torch.randint(NUM_CLASSES, (2, 8, 8))
    labels[:, :2] = 255
    return logits, labels


@pytest.mark.parametrize('head', [*HEADS, 'ohem'])
def test_trains_some_steps(head):
    changes = {**HEADS, 'ohem': OHEM}[head]
    model = build(
        RECURRENT, decode_head={**RECURRENT['decode_head'], **changes}
    ).train()
    torch.manual_seed(0)
    clips, data = torch.randn(2, 2, 3, 64, 96), samples(2, (64, 96))
    for sample in data:
        # Large patches can be learnt; some pixels are not labelled.
        sample.gt_sem_seg.data[:] = torch.arange(96) // 20
        sample.gt_sem_seg.data[:, :4] = 255
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    totals = []
    for _ in range(4):
        total, _ = model.parse_losses(model.loss(clips, data))
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(float(total))
    assert totals[-1] < totals[0]
    assert torch.tensor(totals).isfinite().all()


def test_label_smoothing():
    logits, labels = logits_and_labels()
    plain = MODELS.build(dict(type='CrossEntropyLoss'))
    none = MODELS.build(dict(type='LabelSmoothingLoss', smoothing=0))
    torch.testing.assert_close(
        none(logits, labels, ignore_index=255),
        plain(logits, labels, ignore_index=255),
    )
    # -sum_c q_c log p_c, q = 1 - e + e/C for the label and e/C for others.
    log_p = logits.log_softmax(1)
    known = labels != 255
    of_label = log_p.gather(1, labels.where(known, 0)[:, None])[:, 0]
    want = -(0.8 * of_label + 0.2 * log_p.mean(1))[known].sum()
    smooth = MODELS.build(dict(type='LabelSmoothingLoss', smoothing=0.2))
    got = smooth(logits, labels, ignore_index=255)
    torch.testing.assert_close(got, want / labels.numel())
    with pytest.raises(ValueError, match='smoothing must lie in'):
        MODELS.build(dict(type='LabelSmoothingLoss', smoothing=1))


def test_focal_loss():
    logits, labels = logits_and_labels()
    plain = MODELS.build(dict(type='SigmoidFocalLoss', gamma=0))
    known = (labels != 255)[:, None]
    target = F.one_hot(labels.clamp(max=4), NUM_CLASSES).movedim(-1, 1)
    bce = F.binary_cross_entropy_with_logits(
        logits, target.float(), reduction='none'
    )
    # gamma = 0 is half the binary cross-entropy.
    torch.testing.assert_close(
        plain(logits, labels, ignore_index=255),
        0.5 * (bce * known).sum() / labels.numel(),
    )
    focal = MODELS.build(dict(type='SigmoidFocalLoss'))
    sure = logits + 20 * (target - 0.5)
    assert focal(sure, labels, ignore_index=255) < 1e-4
    logits.requires_grad_()
    focal(logits, labels, ignore_index=255).backward()
    assert (logits.grad[:, :, :2] == 0).all()
    assert (logits.grad[:, :, 2:] != 0).all()


def test_boundary_loss():
    loss = MODELS.build(dict(type='BoundaryF1Loss', tolerance=2))
    label = torch.zeros(1, 24, 32, dtype=torch.long)
    label[:, 6:18, 8:20] = 1

    def of(guess, label=label, sure=50.0):
        logits = sure * F.one_hot(guess, NUM_CLASSES).movedim(-1, 1).float()
        return loss(logits, label, ignore_index=255)

    assert of(label) < 1e-4
    # Two pixels off are within the tolerance, three are not.
    assert of(label.roll(2, dims=2)) < 1e-4
    assert (
        0.1 < of(label.roll(3, dims=2)) < of(label.roll((6, 7), dims=(1, 2)))
    )
    assert of(torch.zeros_like(label)) > 0.99
    # All boundaries are found, half of what is found is one: P = 1/2, R = 1.
    wide = torch.zeros(1, 24, 64, dtype=torch.long)
    wide[:, 6:18, 8:20] = 1
    twice = wide + wide.roll(32, dims=2)
    assert of(twice, wide) == pytest.approx(1 / 3, abs=1e-4)
    assert of(wide, twice) == pytest.approx(1 / 3, abs=1e-4)
    # One class everywhere, and one with all unlabelled: no boundary.
    for plain in (torch.zeros_like(label), torch.full_like(label, 255)):
        assert of(label, plain) == 0
    # Where nothing is labelled nothing counts, nor does its rim.
    logits = torch.randn(1, NUM_CLASSES, 24, 32, requires_grad=True)
    half = label.clone()
    half[:, 12:] = 255
    loss(logits, half, ignore_index=255).backward()
    assert (logits.grad[:, :, 12:] == 0).all()
    assert (logits.grad[:, :, :12] != 0).any()
    with pytest.raises(ValueError, match='tolerance'):
        MODELS.build(dict(type='BoundaryF1Loss', tolerance=-1))


@pytest.mark.parametrize(
    'loss',
    [
        dict(type='BoundaryF1Loss'),
        dict(type='LabelSmoothingLoss'),
        dict(type='SigmoidFocalLoss'),
    ],
)
def test_one_logit_is_as_good_as_two(loss):
    # Of two classes; some heads have one logit and a sigmoid.
    torch.manual_seed(0)
    one, labels = torch.randn(2, 1, 24, 32), torch.zeros(2, 24, 32).long()
    labels[:, 6:18, 8:20] = 1
    labels[:, :2] = 255
    # softmax([0, x]) = sigmoid(x), and of each class by itself half of both.
    both, share = [torch.zeros_like(one), one], 1.0
    if 'Focal' in loss['type']:
        both, share = [-one, one], 0.5
    loss = MODELS.build(loss)
    want = share * loss(torch.cat(both, dim=1), labels, ignore_index=255)
    torch.testing.assert_close(loss(one, labels, ignore_index=255), want)
    assert want > 0
