import copy

import pytest
import torch
from mmengine import ConfigDict
from mmseg.registry import MODELS

from mmseg_video.models.states import keep_finite
from mmseg_video.models.warm_start import adapt_framewise
from tests.models import (
    CHANNELS,
    FRAMEWISE,
    NUM_CLASSES,
    RECURRENT,
    build,
    samples,
    wake,
)

FINAL_RNN = dict(type='ConvRNN', hidden_ratio=0.5)
NECK = RECURRENT['neck']
AVERAGE = dict(
    conv_seg=dict(cell=dict(type='GatedEMACell'), connection='standard')
)
LOGITS_RNN = dict(conv_seg=dict(hidden_ratio=0.5))
SPLIT = dict(connection='split', hidden_ratio=0.5)
DECODER_RNNS = {'joins.2': SPLIT, 'joins.1': SPLIT, 'joins.0': SPLIT}
DENSE_HEAD = dict(
    FRAMEWISE['decode_head'],
    in_channels=[12, 24, 48, 96],
    decoder_channels=CHANNELS[:-1],
)
VARIANTS = {
    'gru': {},
    'elman': dict(neck=dict(NECK, cell=dict(type='ElmanCell'))),
    'logits': dict(neck=None, head_rnns=LOGITS_RNN),
    'gated_ema': dict(neck=None, head_rnns=AVERAGE),
    'neck_and_gated_ema': dict(head_rnns=AVERAGE),
    'final_rnn_and_logits': dict(final_rnn=FINAL_RNN, head_rnns=LOGITS_RNN),
    'decoder': dict(
        neck=dict(NECK, levels=[3], **SPLIT), head_rnns=DECODER_RNNS
    ),
    'lstm': dict(neck=dict(NECK, cell=dict(type='ConvLSTMCell'))),
    'standard': dict(neck=dict(NECK, connection='standard')),
    'dense': dict(neck=dict(NECK, connection='dense'), decode_head=DENSE_HEAD),
    'bottleneck': dict(neck=dict(NECK, levels=[3])),
    'final_rnn': dict(final_rnn=FINAL_RNN),
    'final_rnn_only': dict(neck=None, final_rnn=FINAL_RNN),
    'two_necks': dict(neck=[NECK, NECK]),
    'recurrent_then_spatial': dict(
        neck=[
            NECK,
            dict(type='FPN', in_channels=CHANNELS, out_channels=8, num_outs=4),
        ],
        decode_head=dict(FRAMEWISE['decode_head'], in_channels=[8] * 4),
    ),
}
STREAM = dict(test_cfg=dict(mode='whole', streaming=True))


def logits(model, clips):
    return torch.stack(
        [sample.seg_logits.data for sample in model.predict(clips)]
    )


@pytest.fixture(params=VARIANTS)
def variant(request):
    return VARIANTS[request.param]


@torch.no_grad()
def test_streaming_equals_the_clip(variant):
    model = wake(build(RECURRENT, **variant))
    clips = torch.randn(2, 4, 3, 64, 96)
    want = logits(model, clips)
    states = None
    for t in range(4):
        step, states = model.step(clips[:, t], states)
    torch.testing.assert_close(step, want, rtol=1e-4, atol=1e-5)

    stream = wake(build(RECURRENT, **{**variant, **STREAM}))
    for chunk in clips.split([1, 2, 1], dim=1):
        got = logits(stream, chunk)
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)
    stream.reset_states()
    torch.testing.assert_close(logits(stream, clips), want)


def test_every_parameter_and_frame_gets_a_gradient(variant):
    model = wake(build(RECURRENT, **variant)).train()
    clips = torch.randn(2, 3, 3, 64, 96, requires_grad=True)
    losses = model.loss(clips, samples(2, (64, 96)))
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    for name, parameter in model.named_parameters():
        # FPN's coarse outputs have no other way to the loss than the head.
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
    assert (clips.grad.flatten(2).abs().sum(2) > 0).all()


@pytest.mark.parametrize(
    'name',
    [
        n
        for n in VARIANTS
        if n not in ('standard', 'dense', 'two_necks', 'decoder')
        and 'gated_ema' not in n  # keeps a tenth of the past at first
    ],
)
@torch.no_grad()
def test_warm_start_equals_the_framewise_baseline_exactly(name):
    variant = VARIANTS[name]
    baseline = dict(variant, neck=None)
    if name == 'recurrent_then_spatial':
        baseline['neck'] = variant['neck'][1]
    for rnns in ('final_rnn', 'head_rnns'):
        baseline.pop(rnns, None)
    framewise = build(FRAMEWISE, seed=3, **baseline)
    model = build(RECURRENT, seed=4, **variant)
    weights = adapt_framewise(model, framewise.state_dict())
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected
    assert all('rnn' in key for key in missing)
    clips = torch.randn(1, 5, 3, 64, 96)
    key = clips[:, -1]
    assert torch.equal(logits(model, key), logits(framewise, key))
    got = logits(model, clips)
    torch.testing.assert_close(got, logits(framewise, key))
    if not {'final_rnn', 'head_rnns'} & set(variant):
        # Exact at T = 5 too, once the baseline's encoder is given as many
        # frames: a convolution's last bit depends on that.
        plain = build(RECURRENT, **baseline)
        plain.load_state_dict(framewise.state_dict())
        assert torch.equal(got, logits(plain, clips))


@torch.no_grad()
def test_a_dense_warm_start_equals_the_framewise_baseline():
    framewise = build(FRAMEWISE, seed=3)
    model = build(RECURRENT, seed=4, **VARIANTS['dense'])
    weights = framewise.state_dict()
    wide = adapt_framewise(model, weights)
    missing, unexpected = model.load_state_dict(wide, strict=False)
    assert not unexpected
    assert all('rnn' in key for key in missing)
    assert len(wide) == len(weights)
    # Up to rounding: a wider convolution adds in another order.
    clips = torch.randn(1, 5, 3, 64, 96)
    want = logits(framewise, clips[:, -1])
    torch.testing.assert_close(logits(model, clips), want)
    # A dense checkpoint loads as it is.
    own = model.state_dict()
    again = adapt_framewise(model, own)
    assert again.keys() == own.keys()
    assert all(again[key] is own[key] for key in own)


@torch.no_grad()
def test_the_past_matters_and_its_order_too():
    model = wake(build(RECURRENT))
    clips = torch.randn(1, 4, 3, 64, 96)
    want = logits(model, clips)
    alone = logits(model, clips[:, -1:])
    shuffled = logits(model, clips[:, [2, 1, 0, 3]])
    assert not torch.allclose(want, alone)
    assert not torch.allclose(want, shuffled)


@torch.no_grad()
def test_without_memory_every_frame_of_a_stream_begins_anew():
    test_cfg = dict(mode='whole', streaming=True, memory=False)
    model = wake(build(RECURRENT, test_cfg=test_cfg))
    for frame in torch.randn(3, 1, 3, 64, 96):
        want, _ = model.step(frame)
        torch.testing.assert_close(logits(model, frame.unsqueeze(1)), want)


@torch.no_grad()
def test_slide_crops_all_frames_alike():
    test_cfg = dict(mode='slide', crop_size=(64, 64), stride=(64, 64))
    model = wake(build(RECURRENT, test_cfg=test_cfg))
    whole = wake(build(RECURRENT))
    clips = torch.randn(1, 3, 3, 64, 128)
    left, right = clips.chunk(2, dim=-1)
    want = torch.cat([logits(whole, left), logits(whole, right)], dim=-1)
    torch.testing.assert_close(logits(model, clips), want)


def test_slide_with_streaming_is_refused():
    with pytest.raises(ValueError, match="mode='whole'"):
        build(RECURRENT, test_cfg=dict(mode='slide', streaming=True))


@torch.no_grad()
def test_a_frame_of_another_size_begins_a_new_sequence():
    model = wake(build(RECURRENT, **STREAM))
    first, other = torch.randn(1, 1, 3, 64, 96), torch.randn(1, 1, 3, 64, 64)
    logits(model, first)
    got = logits(model, other)
    model.reset_states()
    assert torch.equal(got, logits(model, other))
    # A step of one's own is told.
    _, states = model.step(first[:, 0])
    with pytest.raises(ValueError, match='reset_states'):
        model.step(other[:, 0], states)


@torch.no_grad()
def test_frame_sizes_that_no_stride_divides():
    model = wake(build(RECURRENT))
    assert logits(model, torch.randn(1, 2, 3, 50, 75)).shape[2:] == (50, 75)


def test_states_stay_out_of_training_and_of_the_checkpoint():
    model = wake(build(RECURRENT, **STREAM))
    clips = torch.randn(1, 2, 3, 64, 96)
    with torch.no_grad():
        logits(model, clips)
    assert len(model.streams) == 1
    assert not any('stream' in key for key in model.state_dict())
    held = model.streams[0].states
    model.train()
    with torch.no_grad():
        logits(model, clips[:, :1, ..., :32])  # another size: not read either
    model.loss(clips, samples(1, (64, 96)))
    assert model.streams[0].states is held


def test_streamed_states_carry_no_gradient():
    model = wake(build(RECURRENT, head_rnns=AVERAGE, **STREAM))
    clips = torch.randn(1, 2, 3, 64, 96)
    for t in range(2):
        sample = model.predict(clips[:, t : t + 1])[0]
        assert sample.seg_logits.data.requires_grad  # gradients are on
        for state in model.streams[0].states.values():
            assert not any(part.requires_grad for part in state)


def test_states_are_named_by_their_places():
    model = build(
        RECURRENT,
        neck=[NECK, dict(NECK, levels=[1, 3])],
        final_rnn=FINAL_RNN,
        head_rnns={'joins.0': SPLIT, **AVERAGE},
        filter=dict(type='EMAFilter'),
    )
    maps = {f'neck.0.{level}': 1 for level in range(4)}
    maps |= {'neck.1.1': 1, 'neck.1.3': 1, 'final_rnn': 1, 'joins.0': 1}
    maps |= dict(conv_seg=2, filter=2)
    assert model.state_maps == maps
    with torch.no_grad():
        _, states = model.step(torch.randn(1, 3, 64, 96))
    assert {place: len(state) for place, state in states.items()} == maps


@torch.no_grad()
def test_states_of_another_model_are_refused():
    frame = torch.randn(1, 3, 64, 96)
    model = build(RECURRENT)
    _, states = model.step(frame)
    lstm = build(RECURRENT, **VARIANTS['lstm'])
    with pytest.raises(ValueError, match='a state of 1 maps, expected 2'):
        lstm.step(frame, states)
    more = {'final_rnn': states['neck.0.0'], **states}
    less = {k: v for k, v in states.items() if k != 'neck.0.0'}
    for other in (more, less):
        with pytest.raises(ValueError, match='they belong to another model'):
            model.step(frame, other)


@torch.no_grad()
def test_another_number_of_streams_is_refused_until_reset():
    model = build(RECURRENT, **STREAM)
    clips = torch.randn(2, 1, 3, 64, 96)
    logits(model, clips)
    with pytest.raises(ValueError, match=r'2 stream.s. are under way, this b'):
        logits(model, clips[:1])
    model.reset_states()
    logits(model, clips[:1])


def test_a_stream_carries_no_gradient(variant):
    """With gradients on: a stream must not hold the graphs of all frames."""
    model = wake(build(RECURRENT, **{**variant, **STREAM}))
    first, second = torch.randn(2, 1, 1, 3, 64, 96).requires_grad_().unbind()
    first.retain_grad()
    second.retain_grad()
    alone = logits(model, second)
    model.reset_states()
    logits(model, first)
    got = logits(model, second)
    assert not torch.allclose(got, alone)
    got.sum().backward()
    assert second.grad.any()
    assert first.grad is None


@torch.no_grad()
def test_one_broken_frame_does_not_poison_the_stream():
    model = wake(build(RECURRENT, **STREAM))
    frames = torch.randn(3, 1, 1, 3, 64, 96)
    logits(model, frames[0])
    logits(model, torch.full_like(frames[0], float('nan')))
    got = logits(model, frames[1])
    model.reset_states()
    logits(model, frames[0])
    assert torch.equal(got, logits(model, frames[1]))


def test_states_are_broken_by_one_value_and_not_by_their_number():
    before, half = {'a': (torch.zeros(1),)}, torch.ones(1, 1, 300, 300).half()
    assert half.sum().isinf()
    after = {'a': (half, half.clone())}
    assert keep_finite(after, before) is after
    after['a'][1][0, 0, 0, 0] = float('inf')  # an LSTM's c
    assert keep_finite(after, before) is before


def test_ref_grad_false_stops_at_the_encoder():
    model = wake(build(RECURRENT, train_cfg=dict(ref_grad=False))).train()
    clips = torch.randn(1, 3, 3, 64, 96, requires_grad=True)
    model.loss(clips, samples(1, (64, 96)))['decode.loss_ce'].backward()
    got = clips.grad.flatten(2).abs().sum(2)[0]
    assert (got[:-1] == 0).all()
    assert got[-1] > 0
    assert model.neck.rnns['3'].cell.gate_hidden_conv.weight.grad.any()


def test_auxiliary_head_reads_the_key_frame():
    aux = dict(
        type='FCNHead',
        in_channels=CHANNELS[2],
        in_index=2,
        channels=8,
        num_classes=NUM_CLASSES,
    )
    clips, labels = torch.randn(2, 3, 3, 64, 96), samples(2, (64, 96))
    for final_rnn in (None, FINAL_RNN):
        model = build(RECURRENT, auxiliary_head=aux, final_rnn=final_rnn)
        losses = model.loss(clips, labels)
        assert {'decode.loss_ce', 'aux.loss_ce'} <= set(losses)
        # Before its first step the recurrent model is the framewise one.
        alone = model.loss(clips[:, -1:], labels)
        torch.testing.assert_close(losses['aux.loss_ce'], alone['aux.loss_ce'])
        first = model.loss(clips[:, :1], labels)
        assert not torch.isclose(losses['aux.loss_ce'], first['aux.loss_ce'])


HEADS = {
    'fcn': dict(type='FCNHead', in_channels=64, in_index=3),
    'psp': dict(
        type='PSPHead', in_channels=64, in_index=3, pool_scales=(1, 2)
    ),
    'uper': dict(type='UPerHead', in_channels=CHANNELS, in_index=[0, 1, 2, 3]),
    'segformer': dict(
        type='SegformerHead', in_channels=CHANNELS, in_index=[0, 1, 2, 3]
    ),
}


@pytest.mark.parametrize('final_rnn', [None, FINAL_RNN])
@pytest.mark.parametrize('head', HEADS)
def test_any_head_of_mmseg_trains_and_streams(head, final_rnn):
    head = dict(HEADS[head], channels=8, num_classes=NUM_CLASSES)
    model = wake(build(RECURRENT, decode_head=head, final_rnn=final_rnn))
    clips = torch.randn(2, 3, 3, 64, 96)
    with torch.no_grad():
        want, states = logits(model, clips), None
        for t in range(3):
            got, states = model.step(clips[:, t], states)
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)
    losses = model.train().loss(clips, samples(2, (64, 96)))
    losses['decode.loss_ce'].backward()


def test_a_copy_does_not_share_the_final_rnn():
    model = build(RECURRENT, final_rnn=FINAL_RNN)
    baseline = copy.deepcopy(model)
    clips = torch.randn(1, 2, 3, 64, 96)
    with torch.no_grad():
        want = logits(model, clips)
        wake(baseline)
        assert torch.equal(logits(model, clips), want)


def test_dense_final_rnn_is_refused():
    with pytest.raises(ValueError, match='final_rnn'):
        build(RECURRENT, final_rnn=dict(FINAL_RNN, connection='dense'))


@torch.no_grad()
def test_an_rnn_in_the_head_reads_all_frames_of_its_module():
    """Against the head run by hand, frame by frame."""
    model = wake(build(RECURRENT, neck=None, head_rnns=LOGITS_RNN))
    framewise = build(FRAMEWISE)
    framewise.load_state_dict(model.state_dict(), strict=False)
    clips = torch.randn(2, 3, 3, 64, 96)
    heat = torch.stack(
        [framewise._forward(clips[:, t]) for t in range(3)], dim=1
    )
    want, _ = model.head_rnns.conv_seg(heat)
    torch.testing.assert_close(
        model._forward(clips), want[:, -1], rtol=1e-4, atol=1e-5
    )


def test_head_rnns_name_what_does_not_fit():
    with pytest.raises(ValueError, match=r"no module 'join': .*conv_seg"):
        build(RECURRENT, head_rnns=dict(join=SPLIT))
    with pytest.raises(ValueError, match='no convolution'):
        build(RECURRENT, head_rnns=dict(dropout=SPLIT))
    with pytest.raises(ValueError, match="connection='dense'"):
        build(RECURRENT, head_rnns=dict(conv_seg=dict(connection='dense')))
    unused = build(RECURRENT, head_rnns={'joins': SPLIT})
    with pytest.raises(ValueError, match="does not call 'joins'"):
        logits(unused, torch.randn(1, 1, 3, 64, 96))


def test_a_place_that_the_head_calls_twice_is_refused():
    model = build(RECURRENT, head_rnns=LOGITS_RNN)
    forward = model.decode_head.forward
    model.decode_head.forward = lambda x: forward(x) + forward(x)
    with pytest.raises(ValueError, match="calls 'conv_seg' more than once"):
        model.step(torch.randn(1, 3, 64, 96))


DENSE = dict(NECK, connection='dense')
FPN = dict(type='FPN', in_channels=CHANNELS, out_channels=8, num_outs=4)
MISFITS = {
    'decode_head.in_channels': dict(neck=DENSE),
    'auxiliary_head.1.in_channels': dict(
        neck=NECK,
        auxiliary_head=[
            dict(HEADS['fcn'], channels=8, num_classes=NUM_CLASSES),
            dict(
                HEADS['fcn'], in_index=2, channels=8, num_classes=NUM_CLASSES
            ),
        ],
    ),
    'neck.1.in_channels': dict(neck=[DENSE, FPN]),
    'decode_head reads level 4': dict(
        decode_head=dict(HEADS['fcn'], in_index=4, channels=8, num_classes=5)
    ),
}


@pytest.mark.parametrize('what', MISFITS)
def test_channels_that_do_not_fit_are_named_at_once(what):
    with pytest.raises(ValueError, match=what.replace('.', r'\.')):
        build(RECURRENT, **MISFITS[what])


@pytest.mark.parametrize('num_levels', [2, 3, 4])
def test_unet_head_fits_any_pyramid(num_levels):
    head = MODELS.build(
        ConfigDict(
            type='UNetHead',
            in_channels=CHANNELS[:num_levels],
            channels=6,
            num_classes=NUM_CLASSES,
        )
    )
    feats = [
        torch.randn(1, c, 33 // 2**i, 47 // 2**i)
        for i, c in enumerate(CHANNELS[:num_levels])
    ]
    assert head(feats).shape == (1, NUM_CLASSES, 33, 47)


def test_unet_head_can_upsample_by_transposed_convolutions():
    head = MODELS.build(
        ConfigDict(
            type='UNetHead',
            in_channels=CHANNELS[:3],
            channels=6,
            num_classes=NUM_CLASSES,
            upsample_cfg=dict(type='deconv', kernel_size=2, stride=2),
        )
    )
    assert [up.in_channels for up in head.ups] == [16, 32]
    assert [up.out_channels for up in head.ups] == [6, 16]
    feats = [
        torch.randn(1, c, 33 >> i, 47 >> i) for i, c in enumerate(CHANNELS)
    ]
    assert head(feats[:3]).shape == (1, NUM_CLASSES, 33, 47)


def test_unet_head_names_what_does_not_fit():
    with pytest.raises(ValueError, match='two levels'):
        MODELS.build(
            dict(type='UNetHead', in_channels=[8], channels=8, num_classes=2)
        )
    with pytest.raises(ValueError, match='decoder_channels'):
        MODELS.build(
            dict(
                type='UNetHead',
                in_channels=[8, 16],
                decoder_channels=[4],
                channels=8,
                num_classes=3,
            )
        )
