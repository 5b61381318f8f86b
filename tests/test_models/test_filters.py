"""Averaged logits, of framewise nets and of recurrent ones."""

import numpy as np
import pytest
import torch
from mmseg.registry import MODELS

from mmseg_video.models import EMAFilter, FlowEMAFilter
from mmseg_video.models.motion import warp
from tests.models import FRAMEWISE, RECURRENT, build, samples, wake

NORMALISED = dict(
    type='ClipDataPreProcessor',
    mean=[120.0, 110.0, 100.0],
    std=[60.0, 55.0, 50.0],
    bgr_to_rgb=True,
)
SMOOTHED = dict(
    FRAMEWISE,
    type='RecurrentUNet',
    data_preprocessor=NORMALISED,
    filter=dict(type='EMAFilter', weight=0.3),
)
BOTH = dict(RECURRENT, data_preprocessor=NORMALISED, filter=SMOOTHED['filter'])
FLOW = dict(type='FlowEMAFilter', flow=dict(type='DISFlow', preset='fast'))
GATED = dict(FLOW, photometric_scale=20.0)
STREAM = dict(test_cfg=dict(mode='whole', streaming=True))


def logits(model, clips):
    return torch.stack([s.seg_logits.data for s in model.predict(clips)])


def textured(height=64, width=96, seed=0):
    """A frame (3, H, W), 0 to 255, that optical flow can follow."""
    torch.manual_seed(seed)
    coarse = torch.rand(1, 3, height // 4, width // 4)
    frame = torch.nn.functional.interpolate(
        coarse, (height, width), mode='bicubic'
    )
    return (255 * frame[0]).clamp(0, 255)


def test_the_average_is_what_it_says():
    filter = EMAFilter(weight=0.25)
    maps, state = torch.randn(3, 2, 5, 4, 6), None
    for x in maps:
        got, state = filter(x, None, state)
    weights = torch.tensor([0.75**2, 0.75, 1.0])
    want = torch.einsum('t,tnchw->nchw', weights / weights.sum(), maps)
    torch.testing.assert_close(got, want)


def test_zeros_begin_a_sequence():
    x = torch.randn(2, 5, 4, 6)
    zeros = (torch.zeros_like(x), torch.zeros(2, 1, 4, 6))
    got, _ = EMAFilter()(x, None, zeros)
    torch.testing.assert_close(got, x)


def test_warp_follows_the_flow_and_is_zero_outside():
    maps = torch.arange(24.0).view(1, 1, 4, 6)
    flow = torch.zeros(1, 2, 4, 6)
    torch.testing.assert_close(warp(maps, flow), maps)
    flow[:, 0], flow[:, 1] = 2, 1
    got = warp(maps, flow)
    torch.testing.assert_close(got[..., :3, :4], maps[..., 1:, 2:])
    assert (got[..., 3, :] == 0).all()
    assert (got[..., 4:] == 0).all()


def test_the_past_moves_with_the_frame():
    """Logits that move by 4 pixels: averaged along the motion they stay as
    sharp as they are; averaged in place they do not."""
    frame = textured()
    before = torch.roll(frame, 4, dims=2)
    now = torch.stack([frame[0], -frame[0]])[None] / 255
    then = torch.roll(now, 4, dims=3)
    errors = {}
    for filter in (EMAFilter(), FlowEMAFilter()):
        _, state = filter(then, before[None], None)
        got, _ = filter(now, frame[None], state)
        inner = (got - now)[..., 12:-12, 12:-12]
        errors[type(filter)] = inner.abs().mean()
    assert errors[FlowEMAFilter] < 0.1 * errors[EMAFilter]


def test_the_gate_closes_where_the_frame_changed():
    filter = FlowEMAFilter(photometric_scale=5.0)
    first, second = textured(seed=0)[None], textured(seed=0)[None].clone()
    second[..., 48:] = 255 - second[..., 48:]
    x, y = torch.zeros(1, 2, 64, 96), torch.ones(1, 2, 64, 96)
    _, state = filter(x, first, None)
    got, _ = filter(y, second, state)
    # 0.5 of the present to 0.25 of the past, or all of the present.
    assert (got[..., 8:-8, 8:32] - 2 / 3).abs().mean() < 0.01
    assert got[..., 8:-8, 64:-8].mean() > 0.9


SYSTEMS = {
    'average': SMOOTHED,
    'along the flow': dict(SMOOTHED, filter=FLOW),
    'with a gate': dict(SMOOTHED, filter=GATED),
    'of a recurrent net': BOTH,
    'of RNNs in neck and head': dict(
        BOTH,
        final_rnn=dict(hidden_ratio=0.5),
        head_rnns=dict(conv_seg=dict(hidden_ratio=1.0)),
    ),
    'of RNNs whose states move': dict(
        BOTH,
        final_rnn=dict(hidden_ratio=0.5),
        head_rnns=dict(conv_seg=dict(hidden_ratio=1.0)),
        motion=dict(),
    ),
}


@pytest.mark.parametrize('system', SYSTEMS)
@torch.no_grad()
def test_streaming_equals_the_clip(system):
    model = wake(build(SYSTEMS[system]))
    stream = wake(build(SYSTEMS[system], **STREAM))
    images = torch.stack([textured().roll(t, 2) for t in range(4)])
    data = model.data_preprocessor(dict(inputs=[images, images.flip(0)]))
    clips, states = data['inputs'], None
    want = logits(model, clips)
    for t in range(4):
        step, states = model.step(clips[:, t], states)
    torch.testing.assert_close(step, want)
    for chunk in clips.split([1, 2, 1], dim=1):
        got = logits(stream, chunk)
    torch.testing.assert_close(got, want)
    # The past matters, and is forgotten when told.
    alone = logits(model, clips[:, -1:])
    assert not torch.allclose(got, alone)
    stream.reset_states()
    torch.testing.assert_close(logits(stream, clips[:, -1:]), alone)
    with pytest.raises(ValueError, match='reset_states'):
        model.step(clips[:, 0, ..., :64], states)


@torch.no_grad()
def test_it_is_the_framewise_net_with_no_past():
    framewise = build(FRAMEWISE, data_preprocessor=NORMALISED)
    model = build(SMOOTHED, seed=1)
    # It takes the checkpoint as it is: nothing is missing or left over.
    model.load_state_dict(framewise.state_dict())
    frames = torch.randn(2, 3, 64, 96)
    want = framewise.encode_decode(frames, [dict(img_shape=(64, 96))] * 2)
    torch.testing.assert_close(model.step(frames)[0], want)
    # Averages of the resized logits are the resized averages.
    clips = torch.randn(1, 2, 3, 64, 96)
    first, second = (model.step(clips[:, t])[0] for t in range(2))
    want = (0.7 * first + second) / 1.7
    torch.testing.assert_close(logits(model, clips), want)


@torch.no_grad()
def test_a_recurrent_net_is_smoothed_on_top():
    alone = wake(build(RECURRENT, data_preprocessor=NORMALISED))
    model = wake(build(BOTH))
    assert model.state_dict().keys() == alone.state_dict().keys()
    clips = torch.randn(1, 3, 3, 64, 96)
    first, second, third = (logits(alone, clips[:, : t + 1]) for t in range(3))
    want = 0.3 * (third + 0.7 * second + 0.49 * first) / (1 - 0.7**3)
    torch.testing.assert_close(logits(model, clips), want)


def test_training_knows_no_smoother():
    data = torch.randn(1, 3, 3, 64, 96), samples(1, (64, 96))
    plain = build(RECURRENT).train().loss(*data)
    smoothed = build(BOTH, data_preprocessor=RECURRENT['data_preprocessor'])
    assert smoothed.train().loss(*data) == plain


def test_pixels_undo_the_normalisation():
    model = build(SMOOTHED)
    images = torch.randint(256, (2, 3, 3, 8, 8), dtype=torch.uint8)
    clips = model.data_preprocessor(dict(inputs=list(images)))['inputs']
    got = model.data_preprocessor.pixels(clips[:, 1])
    np.testing.assert_allclose(got.numpy(), images[:, 1].numpy(), atol=1e-3)


@pytest.mark.parametrize(
    ('cfg', 'sentence'),
    [
        (dict(type='EMAFilter', weight=0), 'weight must lie in'),
        (dict(type='FlowEMAFilter', weight=1.5), 'weight must lie in'),
        (dict(FLOW, photometric_scale=0), 'photometric_scale must be above'),
        (dict(FLOW, flow=dict(type='DISFlow', preset='no')), "not 'no'"),
    ],
)
def test_bad_input(cfg, sentence):
    with pytest.raises(ValueError, match=sentence):
        MODELS.build(cfg)
