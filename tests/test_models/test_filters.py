"""Averaged logits, of framewise nets and of recurrent ones."""

import numpy as np
import pytest
import torch
from mmengine import Config
from mmseg.registry import MODELS

from mmseg_video.flow.estimators import build_flow
from mmseg_video.flow.previous import FlowToPrevious
from mmseg_video.models import EMAFilter
from mmseg_video.models.steady_filters import STEADY, steady_filter
from tests.frames import as_tensor, moving
from tests.models import FRAMEWISE, RECURRENT, build, samples, wake
from tests.runs import leaf

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
COMPENSATED = dict(SMOOTHED, flow_compensated=True)
STREAM = dict(test_cfg=dict(mode='whole', streaming=True))


def logits(model, clips, flow=None):
    data = samples(len(clips), tuple(clips.shape[-2:]))
    for i, sample in enumerate(data if flow is not None else ()):
        sample.flow = flow[i]
    return torch.stack([s.seg_logits.data for s in model.predict(clips, data)])


def test_the_average_is_what_it_says():
    filter = EMAFilter(weight=0.25)
    maps, state = torch.randn(3, 2, 5, 4, 6), None
    for x in maps:
        got, state = filter(x, state)
    weights = torch.tensor([0.75**2, 0.75, 1.0])
    want = torch.einsum('t,tnchw->nchw', weights / weights.sum(), maps)
    torch.testing.assert_close(got, want)


def test_zeros_begin_a_sequence():
    x = torch.randn(2, 5, 4, 6)
    zeros = (torch.zeros_like(x), torch.zeros(2, 1, 4, 6))
    got, _ = EMAFilter()(x, zeros)
    torch.testing.assert_close(got, x)


@pytest.mark.parametrize(('dx', 'dy'), [(4, 0), (0, 4)])
def test_the_past_moves_with_the_frame(dx, dy):
    """Logits that move by 4 pixels: averaged along the flow they stay as
    sharp as they are; averaged in place they do not."""
    before, frame = moving(2, dx, dy)
    flow = torch.from_numpy(FlowToPrevious()(frame, before))[None]
    then, now = (
        torch.cat([x[:, :1], -x[:, :1]], 1) / 255
        for x in (as_tensor(before), as_tensor(frame))
    )
    filter = EMAFilter()
    _, state = filter(then)
    errors = []
    for field in (None, flow):
        got, _ = filter(now, state, field)
        errors.append((got - now)[..., 12:-12, 12:-12].abs().mean())
    assert errors[1] < 0.1 * errors[0]


def test_the_weight_of_the_flow_is_that_of_the_past():
    x, y = torch.zeros(1, 2, 4, 6), torch.ones(1, 2, 4, 6)
    flow = torch.zeros(1, 3, 4, 6)
    flow[:, 2, :, :3] = 1
    filter = EMAFilter()
    _, state = filter(x)
    got, _ = filter(y, state, flow)
    # 0.5 of the present to 0.25 of the past, or all of the present.
    torch.testing.assert_close(
        got[..., :3], torch.full_like(x, 2 / 3)[..., :3]
    )
    torch.testing.assert_close(got[..., 3:], y[..., 3:])


SYSTEMS = {
    'average': SMOOTHED,
    'along the flow': COMPENSATED,
    'of a recurrent net': BOTH,
    'of RNNs in neck and head': dict(
        BOTH,
        final_rnn=dict(hidden_ratio=0.5),
        head_rnns=dict(conv_seg=dict(hidden_ratio=1.0)),
    ),
    'of RNNs, all along the flow': dict(
        BOTH,
        final_rnn=dict(hidden_ratio=0.5),
        head_rnns=dict(conv_seg=dict(hidden_ratio=1.0)),
        flow_compensated=True,
    ),
}


@pytest.mark.parametrize('system', SYSTEMS)
@torch.no_grad()
def test_streaming_equals_the_clip(system):
    model = wake(build(SYSTEMS[system]))
    stream = wake(build(SYSTEMS[system], **STREAM))
    frames = moving(4, dx=1)
    pairs = [
        (frames, FlowToPrevious().with_previous(frames)),
        (frames[::-1], FlowToPrevious().with_previous(frames[::-1])),
    ]
    images = [
        torch.from_numpy(np.stack(f).transpose(0, 3, 1, 2)) for f, _ in pairs
    ]
    flow = torch.from_numpy(np.stack([[x for _, x in p] for _, p in pairs]))
    clips = model.data_preprocessor(dict(inputs=images))['inputs']
    want, states = logits(model, clips, flow), None
    for t in range(4):
        step, states = model.step(clips[:, t], states, flow[:, t])
    torch.testing.assert_close(step, want)
    for part in (slice(0, 1), slice(1, 3), slice(3, 4)):
        got = logits(stream, clips[:, part], flow[:, part])
    torch.testing.assert_close(got, want)
    # The past matters, and is forgotten when told.
    alone = logits(model, clips[:, -1:], flow[:, -1:])
    assert not torch.allclose(got, alone)
    stream.reset_states()
    again = logits(stream, clips[:, -1:], flow[:, -1:])
    torch.testing.assert_close(again, alone)
    with pytest.raises(ValueError, match='reset_states'):
        model.step(clips[:, 0, ..., :64], states, flow[:, 0, ..., :64])


def test_sums_are_in_full_precision():
    logits, state = torch.randn(2, 1, 5, 4, 6).bfloat16(), None
    for x in logits:
        got, state = EMAFilter()(x, state)
        assert {part.dtype for part in (got, *state)} == {torch.float32}


@torch.no_grad()
def test_the_filter_of_a_model_follows_the_flow():
    model = build(SYSTEMS['along the flow'])
    frames = torch.randn(2, 1, 3, 64, 96)
    still = torch.zeros(1, 3, 64, 96)
    still[:, 2] = 1
    to_right = still.clone()
    to_right[:, 0] = 8
    _, states = model.step(frames[0])
    first, second = (
        model.step(frames[1], states, flow)[0] for flow in (still, to_right)
    )
    assert not torch.allclose(first, second)


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


def test_probabilities_are_averaged_and_come_back_as_logits():
    filter = EMAFilter(0.25, of='probabilities')
    first, second = torch.randn(2, 1, 5, 4, 6)
    got, state = filter(first)
    torch.testing.assert_close(got, first.log_softmax(1))
    got, _ = filter(second, state)
    want = (0.75 * first.softmax(1) + second.softmax(1)) / 1.75
    torch.testing.assert_close(got.softmax(1), want)


@pytest.mark.parametrize(
    ('values', 'sentence'),
    [
        (dict(weight=0), 'weight must lie in'),
        (dict(weight=1.5), 'weight must lie in'),
        (dict(of='labels'), "of must be 'logits' or 'prob.*'labels'"),
    ],
)
def test_bad_input(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        MODELS.build(dict(type='EMAFilter', **values))


def test_configs_have_the_filter_of_steady():
    cfg = Config.fromfile(leaf('steady_unet_street'))
    steady = steady_filter('flow')
    assert cfg.model.filter == steady.filter
    flow = dict(cfg.test_dataloader.dataset.augments.flow)
    assert flow.pop('type') == 'AddFlow'
    assert flow == steady.flow


def test_filters_have_names():
    assert STEADY == ('flow', 'place', 'none', 'gated')
    for name in STEADY:
        steady = steady_filter(name)
        if steady.filter:
            MODELS.build(steady.filter)
        if steady.flow:
            build_flow(**steady.flow)
    with pytest.raises(ValueError, match=r"must be one of 'flow', .*'still'"):
        steady_filter('still')
