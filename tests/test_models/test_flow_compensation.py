"""States of the decode head that are warped along optical flow."""

import numpy as np
import pytest
import torch

from mmseg_video.flow.previous import FlowToPrevious
from mmseg_video.flow.warp import resize_flow
from mmseg_video.models import ClipCutMix, GatedEMACell
from tests.frames import moving
from tests.models import FRAMEWISE, RECURRENT, build, samples, wake

GATED = dict(cell=dict(type='GatedEMACell'), connection='standard')
COMPENSATED = dict(
    FRAMEWISE,
    type='RecurrentUNet',
    data_preprocessor=dict(type='ClipDataPreProcessor'),
    head_rnns=dict(conv_seg=GATED),
    flow_compensated=True,
)
PLAIN = dict(COMPENSATED, flow_compensated=False)
STREAM = dict(test_cfg=dict(mode='whole', streaming=True))


def video(num_frames=4, **kwargs):
    """Clips (1, T, 3, H, W) and their flow fields (1, T, 3, h, w)."""
    frames = moving(num_frames, **kwargs)
    flows = [flow for _, flow in FlowToPrevious().with_previous(frames)]
    clips = np.stack(frames).transpose(0, 3, 1, 2).copy()
    return torch.from_numpy(clips)[None].float(), torch.from_numpy(
        np.stack(flows)
    )[None]


def with_flow(flows, size=(64, 96), **meta):
    """Samples of clips with these flow fields."""
    data = samples(len(flows), size)
    for sample, flow in zip(data, flows, strict=True):
        sample.flow = flow
        sample.set_metainfo(meta)
    return data


def logits(model, clips, data):
    return torch.stack([s.seg_logits.data for s in model.predict(clips, data)])


@torch.no_grad()
def test_it_changes_what_moves_and_nothing_else():
    model, plain = wake(build(COMPENSATED)), wake(build(PLAIN))
    assert list(model.state_dict()) == list(plain.state_dict())
    assert model.state_maps == plain.state_maps == dict(conv_seg=2)
    for dx, dy in ((3, 0), (0, 3)):
        clips, flow = video(dx=dx, dy=dy)
        got = logits(model, clips, with_flow(flow))
        assert not torch.allclose(got, logits(plain, clips, with_flow(flow)))
    clips, flow = video(dx=0)
    got = logits(model, clips, with_flow(torch.zeros_like(flow) + flow[:, :1]))
    want = logits(plain, clips, with_flow(flow))
    torch.testing.assert_close(got, want)
    # The first frame has no past, and needs no flow.
    clips, flow = video()
    torch.testing.assert_close(
        model._forward(clips[:, :1]), plain._forward(clips[:, :1])
    )


@torch.no_grad()
def test_the_states_are_those_of_a_stream_that_is_warped_by_hand():
    """Against the plain model, whose states are warped between its steps."""
    model, plain = wake(build(COMPENSATED)), wake(build(PLAIN))
    clips, flow = video(3, dx=2, dy=-3)
    want = states = None
    for t in range(3):
        if states is not None:
            (total, count), grids = states['conv_seg'], []
            field = resize_flow(flow[:, t], total.shape[2:])[0]
            # Each pixel by itself: bilinear between four, zeros outside.
            maps = torch.cat([total, count], 1)[0].numpy()
            grids = _sample(maps, field[:2].numpy())
            warped = torch.from_numpy(grids)[None]
            states = {'conv_seg': (warped[:, :-1], warped[:, -1:])}
        want, states = plain.step(clips[:, t], states)
    got = logits(model, clips, with_flow(flow))
    torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-4)


@torch.no_grad()
def test_states_of_a_head_that_aligns_corners_follow_the_flow():
    """Its maps have their outermost pixels on the frame's: a pan by 8 pixels
    is 8 * 23 / 95 of theirs, not 8 / 4."""
    head = dict(COMPENSATED['decode_head'], align_corners=True)
    changes = dict(decode_head=head, head_rnns=dict(conv_seg=GATED))
    model = wake(build(COMPENSATED, **changes))
    plain = wake(build(PLAIN, **changes))
    clips, _ = video(2)
    flow = torch.zeros(1, 3, 64, 96)
    flow[:, 0], flow[:, 2] = 8, 1
    _, states = model.step(clips[:, 0])
    maps = torch.cat(states['conv_seg'], 1)
    height, width = maps.shape[2:]
    field = np.zeros((2, height, width), np.float32)
    field[0] = 8 * (width - 1) / 95
    warped = torch.from_numpy(_sample(maps[0].numpy(), field))[None]
    moved = {'conv_seg': (warped[:, :-1], warped[:, -1:])}
    got, after = model.step(clips[:, 1], states, flow)
    want, expected = plain.step(clips[:, 1], moved)
    torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(after, expected, rtol=1e-3, atol=1e-4)
    _, (total, count) = model.propagate(states, flow, (64, 96))[1].popitem()
    inside = (..., slice(0, -3))
    torch.testing.assert_close(
        (total / count)[inside],
        (warped[:, :-1] / warped[:, -1:])[inside],
        rtol=1e-3,
        atol=1e-4,
    )


def _sample(maps, field):
    """Maps (C, h, w) at (x, y) + field (2, h, w), pixel by pixel."""
    _, height, width = maps.shape
    out = np.zeros_like(maps)
    for y in range(height):
        for x in range(width):
            u, v = x + field[0, y, x], y + field[1, y, x]
            left, top = int(np.floor(u)), int(np.floor(v))
            for j, wy in ((top, 1 - (v - top)), (top + 1, v - top)):
                for i, wx in ((left, 1 - (u - left)), (left + 1, u - left)):
                    if 0 <= i < width and 0 <= j < height:
                        out[:, y, x] += wx * wy * maps[:, j, i]
    return out


@torch.no_grad()
def test_streaming_equals_the_clip_in_any_chunks():
    model = wake(build(COMPENSATED))
    clips, flow = video()
    want, states = logits(model, clips, with_flow(flow)), None
    for t in range(4):
        got, states = model.step(clips[:, t], states, flow[:, t])
    torch.testing.assert_close(got, want)
    stream = wake(build(COMPENSATED, **STREAM))
    for part in (slice(0, 1), slice(1, 3), slice(3, 4)):
        got = logits(stream, clips[:, part], with_flow(flow[:, part]))
    torch.testing.assert_close(got, want)


@torch.no_grad()
def test_the_gated_ema_of_a_moving_scene_stays_sharp():
    """Logits that follow the scene stay as they are only if warped."""
    rnn = build(COMPENSATED).head_rnns['conv_seg']
    rnn.cell.keep_conv.bias.fill_(2.0)  # keeps most of the past
    clips, flow = video(5)
    maps = (clips[:, :, :1] - 128).repeat(1, 1, 5, 1, 1) / 64
    inner = (..., slice(16, -16), slice(16, -16))
    still, _ = rnn(maps)
    warped, _ = rnn(maps, flow=flow)
    error = [
        (out[:, -1] - maps[:, -1])[inner].abs().mean()
        for out in (still, warped)
    ]
    assert error[1] < 0.2 * error[0]


def test_the_average_begins_anew_outside_of_the_frame_before():
    cell = GatedEMACell(5, 5, keep=0.9)
    x = torch.randn(2, 5, 4, 6)
    total, count = torch.randn(2, 5, 4, 6), torch.full((2, 1, 4, 6), 3.0)
    inside = torch.ones(2, 1, 4, 6)
    inside[..., 3:] = 0
    state = cell(x, (total * inside, count * inside))
    average = cell.hidden(state)
    torch.testing.assert_close(average[..., 3:], x[..., 3:])
    assert not torch.isclose(average[..., :3], x[..., :3]).any()


def test_it_trains_and_burns_in():
    clips, flow = video()
    model = wake(build(COMPENSATED)).train()
    data = with_flow(flow)
    model.loss(clips, data)['decode.loss_ce'].backward()
    assert model.head_rnns['conv_seg'].cell.hidden_conv.weight.grad.any()
    # From the states that the first frames leave, and by their flow.
    whole = wake(build(COMPENSATED)).loss(clips, data)['decode.loss_ce']
    late = wake(build(COMPENSATED, train_cfg=dict(bptt=2)))
    late.training = True  # but no dropout, no statistics of the batch
    got = late.loss(clips, data)['decode.loss_ce']
    torch.testing.assert_close(got, whole)


@torch.no_grad()
def test_maps_of_zeros_begin_a_sequence():
    model = wake(build(COMPENSATED))
    clips, flow = video()
    want, states = model.step(clips[:, 0])
    zeros = {
        place: tuple(torch.zeros_like(part) for part in state)
        for place, state in states.items()
    }
    got, _ = model.step(clips[:, 0], zeros, flow[:, 1])
    torch.testing.assert_close(got, want)


def test_flow_that_is_missing_is_told_or_taken_for_none():
    clips, flow = video(2)
    model = build(COMPENSATED)
    with pytest.raises(ValueError, match='add augments'):
        model.predict(clips)
    with pytest.raises(ValueError, match='needs the optical flow'):
        model.step(clips[:, 1], model.step(clips[:, 0])[1])
    still = wake(build(COMPENSATED, on_missing_flow='still'))
    plain = wake(build(PLAIN))
    with torch.no_grad():
        want = plain.predict(clips)[0].seg_logits.data
        assert torch.equal(still.predict(clips)[0].seg_logits.data, want)
    data = with_flow(torch.cat([flow, flow]))
    del data[1].flow
    with pytest.raises(ValueError, match='1 of 2 clips of a batch have no fl'):
        model.predict(torch.cat([clips, clips]), data)


def test_flow_that_does_not_fit_is_refused():
    clips, flow = video(2)
    model = build(COMPENSATED)
    broken = flow.clone()
    broken[0, 1, 0, 3, 3] = float('nan')
    for bad, sentence in (
        (flow[..., :48], 'the flow is 64x48, the frames are 64x96'),
        (flow[:, :1], r'need \(1, 2, 3, h, w\)'),
        (flow[:, :, :2], r'need \(1, 2, 3, h, w\)'),
        (broken, 'not finite'),
    ):
        with pytest.raises(ValueError, match=sentence):
            model.predict(clips, with_flow(bad))


def test_settings_that_cannot_be_right_are_refused():
    with pytest.raises(ValueError, match='neither an RNN in the decode head'):
        build(RECURRENT, flow_compensated=True)
    slide = dict(mode='slide', crop_size=(32, 32), stride=(32, 32))
    with pytest.raises(ValueError, match="mode='whole', got 'slide'"):
        build(COMPENSATED, test_cfg=slide)
    with pytest.raises(ValueError, match="must be 'error' or 'still'"):
        build(COMPENSATED, on_missing_flow='ignore')


def test_the_preprocessor_pads_flow_with_the_frames():
    model = build(
        COMPENSATED,
        data_preprocessor=dict(type='ClipDataPreProcessor', size=(80, 96)),
    )
    clips, flow = video(2)
    reduced = torch.nn.functional.avg_pool2d(flow[0], 2)
    data = dict(inputs=[clips[0]], data_samples=with_flow([reduced]))
    padded = model.data_preprocessor(data, training=True)
    got = padded['data_samples'][0].flow
    assert padded['inputs'].shape[3:] == (80, 96)
    assert got.shape == (2, 3, 40, 48)
    torch.testing.assert_close(got[:, :, :32], reduced)
    assert not got[:, :2, 32:].any()
    assert (got[:, 2, 32:] == 1).all()


def test_mixed_clips_have_the_flow_of_what_they_show():
    clips, flow = video(2)
    clips, flows = torch.cat([clips, clips]), torch.cat([flow, flow * 0])
    data = with_flow(flows)
    mix = ClipCutMix(prob=1)
    box = torch.zeros(64, 96)
    box[:, :32] = 1
    mix.draw = lambda other: (box, box.bool())
    _, data = mix(clips, data)
    assert torch.equal(data[0].flow[..., :32], flows[1][..., :32])
    assert torch.equal(data[0].flow[..., 32:], flows[0][..., 32:])
    assert torch.equal(data[1].flow[..., :32], flows[0][..., :32])
