"""Any net's scores, filtered over time at their own size."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmseg.structures import SegDataSample

from mmseg_video.models import (
    CallableNet,
    EMAFilter,
    MMSegNet,
    RecurrentNet,
    SteadySegmentor,
)
from mmseg_video.models.warm_start import adapt_framewise
from tests.models import FRAMEWISE, NUM_CLASSES, RECURRENT, build, wake

CLASSES = [f'class {i}' for i in range(NUM_CLASSES)]
SIZE = (44, 52)  # no multiples of the stride


def frames(num, size=SIZE, seed=0):
    """Frames (num, 1, 3, H, W), float BGR."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(num, 1, 3, *size, generator=generator) * 255


def still(num_streams=1, size=(22, 26)):
    flow = torch.zeros(num_streams, 3, *size)
    flow[:, 2] = 1
    return flow


def four_quarters(images):
    """Scores at a quarter of the size that tell the frames apart."""
    return F.avg_pool2d(images, 4)[:, [0, 1, 2, 0, 1]] / 255


def steadied(net, filter=None, **options):
    return SteadySegmentor(net, filter, **options).eval()


def run(model, clip, flow=None):
    states, results = None, []
    for frame in clip:
        logits, states = model.step(frame, states, flow)
        results.append(logits)
    return results, states


@torch.no_grad()
def test_without_a_filter_it_is_the_net_itself():
    preprocessor = dict(
        type='SegDataPreProcessor',
        mean=[120.0, 110, 100],
        std=[60.0, 50, 40],
        bgr_to_rgb=True,
    )
    net = build(FRAMEWISE, data_preprocessor=preprocessor)
    model = steadied(MMSegNet(net, CLASSES))
    assert model.state_maps == {}
    frame = frames(1, (32, 64))[0]
    inputs = net.data_preprocessor(
        dict(inputs=[frame[0]], data_samples=[SegDataSample()])
    )['inputs']
    (want,) = net.predict(inputs)
    got, states = model.step(frame)
    torch.testing.assert_close(got[0], want.seg_logits.data)
    assert states == {}


@torch.no_grad()
def test_scores_are_filtered_at_their_own_size_before_the_resize():
    model = steadied(
        CallableNet(four_quarters, CLASSES, stride=8), EMAFilter(0.5)
    )
    clip = frames(3)
    results, states = run(model, clip, still())
    assert states['filter'][0].shape == (1, NUM_CLASSES, 12, 14)
    padded = [F.pad(f, (0, 4, 0, 4), mode='reflect') for f in clip]
    scores = [four_quarters(f.flip(1)) for f in padded]
    mean = (scores[0] + 2 * scores[1] + 4 * scores[2]) / 7
    want = F.interpolate(mean, (48, 56), mode='bilinear')[..., :44, :52]
    torch.testing.assert_close(results[-1], want)


@torch.no_grad()
def test_a_clip_is_worth_what_a_stream_is():
    model = steadied(
        CallableNet(four_quarters, CLASSES, stride=8), EMAFilter(0.3)
    )
    clip = frames(3)
    results, _ = run(model, clip, still())
    (sample,) = model.predict(
        clip.transpose(0, 1),
        [
            SegDataSample(
                flow=still().expand(3, 3, 22, 26),
                metainfo=dict(ori_shape=SIZE, img_shape=SIZE),
            )
        ],
    )
    torch.testing.assert_close(sample.seg_logits.data, results[-1][0])


@torch.no_grad()
def test_the_state_follows_the_flow():
    """A pan by 8 pixels, two cells of the scores."""
    wide = frames(1, (44, 84))[0]
    clip = [wide[..., 8 * t : 8 * t + 52] for t in range(3)]
    flow = still(size=SIZE)
    flow[:, 0] = 8.0  # where a pixel was: to the right of it
    model = steadied(
        CallableNet(four_quarters, CLASSES, stride=4), EMAFilter(0.5)
    )
    moved, _ = run(model, clip, flow)
    alone, _ = model.step(clip[-1])
    # But for what comes in on the right, and the resize beside it.
    inside = (..., slice(0, 32))
    torch.testing.assert_close(
        moved[-1][inside], alone[inside], rtol=1e-3, atol=1e-3
    )
    place = steadied(
        CallableNet(four_quarters, CLASSES, stride=4),
        EMAFilter(0.5),
        flow_compensated=False,
    )
    stayed, _ = run(place, clip)
    assert (stayed[-1] - alone)[inside].abs().max() > 0.05


@torch.no_grad()
def test_a_recurrent_net_keeps_its_own_states():
    net = wake(build(RECURRENT))
    model = steadied(RecurrentNet(net, CLASSES))
    assert set(model.state_maps) == {f'net.{k}' for k in net.state_maps}
    clip = frames(3, (32, 64))
    got, _ = run(model, clip)
    want, _ = run(net, clip)
    torch.testing.assert_close(got[-1], want[-1])
    filtered = steadied(RecurrentNet(net, CLASSES), EMAFilter())
    results, states = run(filtered, clip, still(size=(32, 64)))
    assert set(states) == set(filtered.state_maps)
    assert not torch.allclose(results[-1], want[-1])


@torch.no_grad()
def test_a_net_of_windows_gets_frames_that_hold_one():
    test_cfg = dict(mode='slide', crop_size=(64, 64), stride=(32, 32))
    net = build(FRAMEWISE, test_cfg=test_cfg)
    sizes = []
    net.backbone.register_forward_pre_hook(
        lambda module, args: sizes.append(tuple(args[0].shape[2:]))
    )
    logits, _ = steadied(MMSegNet(net, CLASSES)).step(frames(1, (20, 90))[0])
    assert logits.shape == (1, NUM_CLASSES, 20, 90)
    assert sizes == [(64, 64)] * 2


@torch.no_grad()
def test_one_logit_for_two_classes():
    head = dict(FRAMEWISE['decode_head'], num_classes=2, out_channels=1)
    head['threshold'] = 0.3
    net = build(FRAMEWISE, decode_head=head)
    frame = frames(1, (32, 64))[0]
    (want,) = net.predict(frame)
    net.decode_head.conv_seg.bias += 0.3
    (other,) = net.predict(frame)
    assert other.pred_sem_seg.data.float().mean() > 0
    got, _ = steadied(MMSegNet(net, ['no', 'yes'])).step(frame)
    np.testing.assert_array_equal(
        got.argmax(1), other.pred_sem_seg.data.long()
    )
    assert want.seg_logits.data.shape[0] == 1


def nan_where_blue(images):
    scores = four_quarters(images)
    scores[images[:, 2].amin((1, 2)) == 255] = float('nan')
    return scores


@torch.no_grad()
def test_scores_that_are_not_finite_are_answered_from_the_past(capsys):
    model = steadied(
        CallableNet(nan_where_blue, CLASSES, stride=4),
        EMAFilter(0.5),
        flow_compensated=False,
    )
    clip = frames(3).repeat(1, 2, 1, 1, 1)
    bad = clip.clone()
    bad[1, 0, 0] = 255  # of the first of two streams
    got, _ = run(model, bad)
    want, _ = run(model, clip)
    torch.testing.assert_close(got[1][0], want[0][0])  # the past alone
    torch.testing.assert_close(got[1][1], want[1][1])
    torch.testing.assert_close(got[2][1], want[2][1])
    # As where the net does not run: the past fades.
    _, states = model.step(clip[0])
    _, after = model.step(bad[1], states)
    _, propagated = model.propagate(states, None, SIZE)
    for part, other in zip(after['filter'], propagated['filter'], strict=True):
        torch.testing.assert_close(part[0], other[0])
    next_one = model.step(clip[2], propagated)[0]
    torch.testing.assert_close(got[2][0], next_one[0])
    # Weights 0.5 of the first frame, faded twice, and 0.5 of the last.
    alone = [model.step(frame)[0][0] for frame in (clip[0], clip[2])]
    torch.testing.assert_close(got[2][0], (alone[0] + 4 * alone[1]) / 5)
    first, states = model.step(bad[1])
    assert first.isfinite().all()
    torch.testing.assert_close(
        states['filter'][1][0], 0 * states['filter'][1][0]
    )


def test_what_does_not_fit_is_said_in_one_sentence():
    def step(function, classes=CLASSES, **options):
        steadied(CallableNet(function, classes, **options)).step(frames(1)[0])

    with pytest.raises(
        ValueError, match=r'scores of shape \(1, 5, 11, 13\) f'
    ):
        step(four_quarters, CLASSES[:4])
    with pytest.raises(ValueError, match='scores of shape'):
        step(lambda images: four_quarters(images)[0])
    with pytest.raises(ValueError, match='gives list, no logits'):
        step(lambda images: [four_quarters(images)])

    def odd(images):
        return images.view(1, 5, 7, 7)

    with pytest.raises(ValueError, match=r'frames of 64x64 .*stride=32'):
        step(odd)
    with pytest.raises(ValueError, match='name the classes'):
        CallableNet(four_quarters, None)
    with pytest.raises(ValueError, match='2 colours for 5'):
        CallableNet(four_quarters, CLASSES, palette=[[0, 0, 0]] * 2)
    with pytest.raises(ValueError, match='does not train'):
        steadied(CallableNet(four_quarters, CLASSES)).loss(frames(1), [])


@torch.no_grad()
def test_frames_are_padded_for_a_net_that_fails_on_them_alone():
    seen = []

    def choosy(images):
        seen.append(images)
        assert images.shape[3] % 32 == 0
        return four_quarters(images)

    frame = frames(1)[0][:, :, :44, :52]
    assert tuple(frame.shape[2:]) == (44, 52)
    logits, _ = steadied(CallableNet(choosy, CLASSES)).step(frame)
    assert logits.shape[2:] == (44, 52)
    first, second = seen
    assert torch.equal(first, second[:, :, :44, :52])
    assert second.shape[2:] == (64, 64)
    # Mirrored: stripes of one row would be unlike anything that it knows.
    assert torch.equal(second[:, :, 44, :52], first[:, :, 42])

    del seen[:]
    steadied(CallableNet(four_quarters, CLASSES)).step(frame)
    steadied(CallableNet(choosy, CLASSES, stride=64)).step(frame)
    assert [tuple(s.shape[2:]) for s in seen] == [(64, 64)]


@torch.no_grad()
def test_the_filter_answers_where_the_net_does_not_run():
    """At the size of padded frames, and a net's own states wait."""
    net = wake(build(RECURRENT))
    model = steadied(RecurrentNet(net, CLASSES), EMAFilter(0.3))
    assert model.can_propagate
    assert not steadied(RecurrentNet(net, CLASSES)).can_propagate
    frame = frames(1)[0]
    first, states = model.step(frame, None, still())
    got, after = model.propagate(states, still(), SIZE)
    torch.testing.assert_close(got, first)
    assert after['net.neck.0.1'] is states['net.neck.0.1']
    torch.testing.assert_close(after['filter'][1], 0.7 * states['filter'][1])
    flow = still(size=SIZE)
    flow[:, 0] = 16.0
    moved, _ = model.propagate(states, flow, SIZE)
    torch.testing.assert_close(  # where no padding is near
        moved[..., :32, 4:16], first[..., :32, 20:32]
    )
    with pytest.raises(ValueError, match='needs the optical flow of each'):
        model.propagate(states, None, SIZE)


@torch.no_grad()
def test_a_config_of_it_takes_the_net_s_own_checkpoint():
    net = build(FRAMEWISE)
    cfg = dict(
        type='SteadySegmentor',
        framewise=dict(type='MMSegNet', net=FRAMEWISE, classes=CLASSES),
        filter=dict(type='EMAFilter'),
    )
    model = build(cfg, seed=1)
    weights = adapt_framewise(model, net.state_dict())
    assert weights.keys() == model.state_dict().keys()
    model.load_state_dict(weights)
    assert adapt_framewise(model, model.state_dict()).keys() == weights.keys()
    frame = frames(1, (32, 64))[0]
    want, _ = steadied(MMSegNet(net, CLASSES)).step(frame)
    torch.testing.assert_close(model.step(frame)[0], want)


@torch.no_grad()
def test_propagated_frames_of_a_test_are_padded_as_full_ones_are():
    model = steadied(
        CallableNet(four_quarters, CLASSES),
        EMAFilter(0.5),
        flow_compensated=False,
        data_preprocessor=dict(
            type='ClipDataPreProcessor', test_cfg=dict(size_divisor=32)
        ),
        test_cfg=dict(streaming=True, every=2),
    )
    results = []
    for _ in range(2):
        meta = dict(img_shape=SIZE, ori_shape=SIZE)
        batch = dict(
            inputs=[frames(1)[0, 0]],
            data_samples=[SegDataSample(metainfo=meta)],
        )
        (result,) = model.predict(**model.data_preprocessor(batch))
        results.append(result.seg_logits.data)
    torch.testing.assert_close(*results)


@torch.no_grad()
def test_frames_of_a_size_that_the_net_has_taken_stay_as_they_are():
    """Though it fails on others: their streams have states."""
    refused, seen = {60}, []

    def choosy(images):
        seen.append(tuple(images.shape[2:]))
        if images.shape[3] in refused:
            raise RuntimeError('out of luck')
        return four_quarters(images)

    model = steadied(
        CallableNet(choosy, CLASSES), EMAFilter(0.5), flow_compensated=False
    )
    frame = frames(1)[0]
    _, states = model.step(frame)
    model.step(frames(1, (44, 60))[0])
    want, _ = model.propagate(states, None, SIZE)
    torch.testing.assert_close(model.step(frame, states)[0], want)
    assert seen == [SIZE, (44, 60), (64, 64), SIZE]
    # What goes wrong later has another cause.
    refused.add(52)
    with pytest.raises(ValueError, match=r'44x52 .*stride=1.*out of luck'):
        model.step(frame, states)


@torch.no_grad()
def test_a_net_s_own_states_follow_the_flow_where_it_does_not_run():
    """As they do without a filter behind them."""
    net = wake(
        build(
            RECURRENT,
            head_rnns=dict(
                conv_seg=dict(
                    cell=dict(type='GatedEMACell'), connection='standard'
                )
            ),
            final_rnn=dict(hidden_ratio=0.5),
            flow_compensated=True,
        )
    )
    model = steadied(RecurrentNet(net, CLASSES), EMAFilter(0.5))
    flow = still(size=(64, 96))
    flow[:, 0] = 16
    frame = frames(1, (64, 96))[0]
    _, states = model.step(frame)
    _, after = model.propagate(states, flow, (64, 96))
    own = {
        place.removeprefix('net.'): state
        for place, state in states.items()
        if place != 'filter'
    }
    _, want = net.propagate(own, flow, (64, 96))
    assert len(want) == 6
    for place, state in want.items():
        torch.testing.assert_close(after[f'net.{place}'], state)
    for place in ('conv_seg', 'final_rnn'):
        assert not torch.equal(after[f'net.{place}'][0], own[place][0])
    carried = model.carried(
        {f'net.{p}': s for p, s in own.items()}, flow, (64, 96)
    )
    torch.testing.assert_close(
        carried, {f'net.{p}': s for p, s in want.items()}
    )
    torch.testing.assert_close(net.carried(own, flow, (64, 96)), want)


@torch.no_grad()
def test_the_net_s_own_flow_may_be_another_than_the_filter_s():
    """Six channels: the filter's field, and the net's."""
    net = wake(
        build(
            RECURRENT,
            neck=None,
            final_rnn=dict(hidden_ratio=0.5),
            flow_compensated=True,
        )
    )
    model = steadied(RecurrentNet(net, CLASSES), EMAFilter(0.5))
    own = still(size=(32, 64))
    theirs = own.clone()
    own[:, 0], theirs[:, 0] = 8, -8
    clip = frames(2, (32, 64))
    both = torch.cat([theirs, own], 1)
    _, states = model.step(clip[0])
    _, alone = net.step(clip[0])
    for step in (
        lambda flow, model, states: model.step(clip[1], states, flow),
        lambda flow, model, states: model.propagate(states, flow, (32, 64)),
    ):
        _, after = step(both, model, states)
        _, filtered = step(theirs, model, states)
        torch.testing.assert_close(after['filter'][1], filtered['filter'][1])
        _, compensated = step(own, model, states)
        for place in net.state_maps:
            name = f'net.{place}'
            torch.testing.assert_close(after[name], compensated[name])
            assert not torch.equal(after[name][0], filtered[name][0])
    _, want = net.step(clip[1], alone, own)
    _, got = model.step(clip[1], states, both)
    for place, state in want.items():
        torch.testing.assert_close(got[f'net.{place}'], state)
    with pytest.raises(ValueError, match=r'\(1, 1, 4, 32, 64\)'):
        model.step(clip[1], states, both[:, :4])


@torch.no_grad()
def test_without_a_filter_the_net_s_own_average_answers():
    gated = dict(cell=dict(type='GatedEMACell'), connection='standard')
    net = build(
        dict(RECURRENT, neck=None, head_rnns=dict(conv_seg=gated)),
        flow_compensated=True,
    )
    model = steadied(RecurrentNet(net, CLASSES))
    assert model.can_propagate
    flow = still(size=(32, 64))
    flow[:, 0] = 8
    frame = frames(1, (32, 64))[0]
    _, states = model.step(frame)
    got, after = model.propagate(states, flow, (32, 64))
    want, expected = net.propagate(net.step(frame)[1], flow, (32, 64))
    torch.testing.assert_close(got, want)
    torch.testing.assert_close(after['net.conv_seg'], expected['conv_seg'])
    assert not steadied(RecurrentNet(build(RECURRENT), CLASSES)).can_propagate


def corners(images):
    """Scores whose outermost pixels are those of the frame, of every 8th."""
    return images[:, [0, 1, 2, 0, 1], ::8, ::8] / 255


@torch.no_grad()
def test_states_of_a_net_that_aligns_corners_follow_the_flow():
    """A pan by 8 pixels is one of the scores: 48 / 6, not 49 / 7."""
    wide = frames(1, (33, 65))[0]
    clip = [wide[..., :49], wide[..., 8:57]]
    net = CallableNet(corners, CLASSES)
    net.align_corners = True
    model = steadied(net, EMAFilter(1e-3))
    alone, _ = model.step(clip[1])
    for size in ((33, 49), (66, 98)):
        flow = still(size=size)
        flow[:, 0] = 8 * size[1] / 49
        _, states = model.step(clip[0])
        stepped, after = model.step(clip[1], states, flow)
        moved, propagated = model.propagate(states, flow, (33, 49))
        # But for the last column, which comes in.
        inside = (..., slice(0, 40))
        for got in (stepped, moved):
            torch.testing.assert_close(
                got[inside], alone[inside], rtol=1e-3, atol=1e-3
            )
        for state in (after, propagated):
            assert (state['filter'][1][..., :-1] > 9e-4).all()


@torch.no_grad()
def test_a_filter_of_the_net_s_own_follows_the_flow_too():
    net = build(
        RECURRENT,
        neck=None,
        filter=dict(type='EMAFilter'),
        flow_compensated=True,
    )
    model = steadied(RecurrentNet(net, CLASSES), EMAFilter(0.5))
    flow = still(size=(32, 64))
    flow[:, 0] = 8
    frame = frames(1, (32, 64))[0]
    _, states = model.step(frame)
    _, after = model.propagate(states, flow, (32, 64))
    _, want = net.propagate(net.step(frame)[1], flow, (32, 64))
    torch.testing.assert_close(after['net.filter'], want['filter'])
