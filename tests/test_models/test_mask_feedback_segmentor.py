"""The recurrent U-Net of Wang et al.: steps, masks, weights, sizes."""

import pytest
import torch
from mmengine import ConfigDict
from mmseg.registry import MODELS

from tests.models import NUM_CLASSES, build, samples

HEAD = dict(
    type='UNetHead',
    in_channels=[8, 16, 32, 64, 128],
    channels=8,
    num_classes=NUM_CLASSES,
    dropout_ratio=0,
    norm_cfg=None,
    upsample_cfg=dict(type='deconv', kernel_size=2, stride=2),
)
# The authors' settings: levels 8 to 64, hidden width 128, group norm.
AUTHORS = dict(
    type='MaskFeedbackSegmentor',
    data_preprocessor=dict(type='ClipDataPreProcessor'),
    backbone=dict(
        type='DoubleConvEncoder',
        base_channels=8,
        num_levels=4,
        norm_cfg=dict(type='GN', num_groups=8),
    ),
    cell=dict(type='DRUCell'),
    decode_head=HEAD,
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)


@pytest.mark.parametrize(
    ('cell', 'classes', 'parameters'),
    [
        ('DRUCell', 2, 783_026),
        ('DRUCell', 19, 784_403),
        ('SRUCell', 2, 708_914),
        ('SRUCell', 19, 710_291),
    ],
)
def test_as_many_parameters_as_the_authors_net(cell, classes, parameters):
    head = dict(HEAD, num_classes=classes)
    model = build(AUTHORS, cell=dict(type=cell), decode_head=head)
    assert sum(p.numel() for p in model.parameters()) == parameters


@torch.no_grad()
def test_a_step_reads_the_mask_of_the_one_before():
    """Against the steps written out: s = 0, then softmax of the logits."""
    model = build(AUTHORS, num_steps=2)
    frame = torch.randn(2, 3, 32, 48)
    mask, state = torch.zeros(2, NUM_CLASSES, 32, 48), None
    for _ in range(2):
        *levels, e = model.backbone(torch.cat([frame, mask], 1))
        state = model.cell(e, state)
        hidden = model.cell.hidden(state)
        logits = model.decode_head([*levels, hidden])
        mask = logits.softmax(1)
    got, states = model.step(frame)
    torch.testing.assert_close(got, logits)
    torch.testing.assert_close(states['mask'][0], mask)
    torch.testing.assert_close(states['cell'][0], hidden - 1)


@pytest.mark.parametrize('num_steps', [1, 3])
@torch.no_grad()
def test_streaming_equals_the_clip(num_steps):
    model = build(AUTHORS, num_steps=num_steps)
    clips, states = torch.randn(2, 3, 3, 32, 48), None
    for t in range(3):
        step, states = model.step(clips[:, t], states)
    got = torch.stack([s.seg_logits.data for s in model.predict(clips)])
    torch.testing.assert_close(step, got)
    alone, _ = model.step(clips[:, -1])
    assert not torch.allclose(step, alone)


def test_the_weights_of_the_steps():
    model = build(AUTHORS, num_steps=3, loss_decay=0.4)
    still, labels = torch.randn(2, 1, 3, 32, 48), samples(2, (32, 48))
    losses = model.loss(still, labels)
    steps, _ = model._steps(still, None)
    target = torch.stack([s.gt_sem_seg.data[0] for s in labels])
    for t, (weight, logits) in enumerate(
        zip((0.16, 0.4, 1), steps, strict=True), 1
    ):
        want = weight * torch.nn.functional.cross_entropy(logits, target)
        torch.testing.assert_close(losses[f'decode.step{t}.loss_ce'], want)


@pytest.mark.parametrize('num_frames', [1, 2])
def test_every_parameter_and_frame_gets_a_gradient(num_frames):
    model = build(AUTHORS).train()
    clips = torch.randn(1, num_frames, 3, 32, 48, requires_grad=True)
    losses = model.loss(clips, samples(1, (32, 48)))
    losses['decode.step1.loss_ce'].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
    assert (clips.grad.flatten(2).abs().sum(2) > 0).all()


@torch.no_grad()
def test_frame_sizes_that_no_stride_divides():
    model = build(AUTHORS)
    assert model.step(torch.randn(1, 3, 37, 51))[0].shape[2:] == (37, 51)


@torch.no_grad()
def test_frame_of_another_size_is_refused():
    model = build(AUTHORS)
    _, states = model.step(torch.randn(1, 3, 32, 48))
    with pytest.raises(ValueError, match='reset_states'):
        model.step(torch.randn(1, 3, 32, 32), states)


@pytest.mark.parametrize(
    ('change', 'sentence'),
    [
        (dict(num_steps=0), 'num_steps must be at least 1'),
        (dict(backbone=dict(num_levels=3)), r'set them to \[8, 16, 32\]'),
        (dict(decode_head=dict(out_channels=1)), 'leave out_channels away'),
        (dict(cell=dict(peephole=True)), "no option 'peephole'"),
        (dict(backbone=dict(num_levels=0)), 'num_levels must be at least 1'),
        (dict(train_cfg=dict(burn_in=3)), 'burn_in: .* does not read it'),
    ],
)
def test_bad_input(change, sentence):
    cfg = ConfigDict(AUTHORS)
    for key, value in change.items():
        if isinstance(value, dict):
            value = ConfigDict(cfg[key], **value)
        cfg[key] = value
    with pytest.raises(ValueError, match=sentence):
        MODELS.build(cfg)
