"""States that are seen along the optical flow."""

import numpy as np
import pytest
import torch

from mmseg_video.datasets.degradations import NOISE_SIGMA, degrade
from mmseg_video.models import GatedEMACell, Motion
from mmseg_video.models.motion import move, resize
from tests.models import CHANNELS, FRAMEWISE, RECURRENT, build, samples, wake

AVERAGE = dict(cell=dict(type='GatedEMACell'), connection='standard')
MOVING = dict(
    FRAMEWISE,
    type='RecurrentUNet',
    data_preprocessor=dict(type='ClipDataPreProcessor'),
    head_rnns=dict(conv_seg=AVERAGE),
    motion=dict(),
)


def textured(height=64, width=96, seed=0):
    """A frame (1, 3, H, W), 0 to 255, that optical flow can follow."""
    torch.manual_seed(seed)
    coarse = torch.rand(1, 3, height // 4, width // 4)
    frame = torch.nn.functional.interpolate(
        coarse, (height, width), mode='bicubic'
    )
    return (255 * frame).clamp(0, 255)


def video(num_frames=4, step=3):
    """A clip (1, T, 3, H, W) that moves to the right."""
    frame = textured()
    return torch.stack(
        [frame.roll(step * t, dims=3) for t in range(num_frames)], dim=1
    )


@pytest.mark.parametrize('scale', [1, 2])
def test_a_state_is_read_where_its_place_was(scale):
    then = textured()
    now = then.roll(4, dims=3)
    flow = Motion()(now, then)
    assert flow.shape == (1, 2, 64, 96)
    inner = (..., slice(12, -12), slice(12, -12))
    assert (flow[:, 0][inner] + 4).abs().mean() < 0.3
    assert flow[:, 1][inner].abs().mean() < 0.3
    # At half of the size the motion is half as long.
    state = then[..., ::scale, ::scale]
    want = now[..., ::scale, ::scale]
    (moved,) = move((state,), flow)
    inner = (..., slice(8, -8), slice(8, -8))
    still = (state - want)[inner].abs().mean()
    assert (moved - want)[inner].abs().mean() < 0.15 * still


def test_all_maps_of_a_state_move_alike_and_keep_their_type():
    flow = torch.zeros(1, 2, 4, 6)
    flow[:, 0] = 2
    state = (
        torch.arange(24.0).view(1, 1, 4, 6),
        torch.ones(1, 2, 4, 6, dtype=torch.bfloat16),
    )
    first, second = move(state, flow)
    torch.testing.assert_close(first[..., :4], state[0][..., 2:])
    assert second.dtype == torch.bfloat16
    assert second.shape == (1, 2, 4, 6)
    assert (second[..., :4] == 1).all()
    # Nothing is known of what was outside of the frame before.
    assert (first[..., 4:] == 0).all()
    assert (second[..., 4:] == 0).all()


@pytest.mark.parametrize('kind', ['dropped', 'dark', 'noisy'])
@pytest.mark.parametrize('which', ['now', 'before'])
def test_the_flow_of_a_bad_frame_is_right_or_not_believed(kind, which):
    rng = np.random.default_rng(0)
    then = textured()
    now = then.roll(4, dims=3)
    good = Motion()(now, then)
    assert good.any()

    def bad(frame):
        image = frame[0].permute(1, 2, 0).to(torch.uint8).numpy()
        noise = rng.normal(0, NOISE_SIGMA, image.shape).astype(np.int16)
        image = degrade(image, kind, rng, noise)
        return torch.from_numpy(image).permute(2, 0, 1)[None].float()

    pair = (bad(now), then) if which == 'now' else (now, bad(then))
    assert Motion(max_error_ratio=None)(*pair).shape == good.shape
    flows = Motion()(torch.cat([pair[0], now]), torch.cat([pair[1], then]))
    if kind == 'dropped':
        assert not flows[0].any()
    elif flows[0].any():
        inner = (..., slice(12, -12), slice(12, -12))
        assert (flows[0, 0][inner] + 4).abs().mean() < 1
    # One of the batch says nothing of another.
    torch.testing.assert_close(flows[1:], good)


def test_noise_is_no_motion():
    """A warp between pixels smooths noise, which must not pass for having
    explained it."""
    rng = np.random.default_rng(0)
    frame = textured(256, 512)
    image = frame[0].permute(1, 2, 0).to(torch.uint8).numpy()
    noise = rng.normal(0, NOISE_SIGMA, image.shape).astype(np.int16)
    noisy = degrade(image, 'noisy', rng, noise)
    noisy = torch.from_numpy(noisy).permute(2, 0, 1)[None].float()
    assert Motion(max_error_ratio=None)(frame, noisy).any()
    assert not Motion()(frame, noisy).any()


@pytest.mark.parametrize(('contrast', 'bright'), [(1, 0), (0.3, 160)])
def test_a_right_flow_is_believed_in_fog_too(contrast, bright):
    then = textured() * contrast + bright
    now = then.roll(4, dims=3)
    flow = torch.zeros(1, 2, 64, 96)
    flow[:, 0] = -4
    assert Motion().explains(now, then, flow)
    assert not Motion().explains(now, then, -flow)


def test_states_of_other_frames_are_refused():
    model = build(MOVING)
    _, states = model.step(video()[:, 0])
    with pytest.raises(ValueError, match='reset_states'):
        model.step(video()[:, 1, ..., :64], states)
    with pytest.raises(ValueError, match='reset_states'):
        model._motion(video()[:, 1:, ..., :64], list(states))


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match='max_error_ratio must be above 0'):
        Motion(max_error_ratio=0)
    with pytest.raises(ValueError, match='min_size must be at least 1'):
        Motion(min_size=0)


@pytest.mark.parametrize(
    ('size', 'reduced'),
    [
        ((128, 256), (128, 256)),
        ((360, 480), (180, 240)),
        ((1024, 2050), (204, 410)),
    ],
)
def test_large_frames_are_reduced(size, reduced):
    assert Motion().reduce(torch.zeros(1, 3, *size)).shape[2:] == reduced


def test_states_move_by_the_flow_of_reduced_frames():
    motion = Motion(min_size=64)
    then = textured(128, 192)
    now = then.roll(8, dims=3)
    flow = motion(motion.reduce(now), motion.reduce(then))
    assert flow.shape == (1, 2, 64, 96)
    (moved,) = move((then,), flow)
    inner = (..., slice(24, -24), slice(24, -24))
    still = (then - now)[inner].abs().mean()
    assert (moved - now)[inner].abs().mean() < 0.2 * still


def test_flow_is_in_pixels_of_the_maps():
    flow = torch.ones(1, 2, 8, 8)
    got = resize(flow, (4, 2))
    assert got.shape == (1, 2, 4, 2)
    assert (got[:, 0] == 0.25).all()
    assert (got[:, 1] == 0.5).all()


def test_a_sequence_begins_without_flow():
    motion, clips = Motion(), video(3)
    flows = motion.of_clips(clips, None)
    assert flows[0] is None
    assert [f.shape for f in flows[1:]] == [(1, 2, 64, 96)] * 2
    # Carried on from a stream, the first frame has one too.
    carried = motion.of_clips(clips[:, 1:], clips[:, 0])
    torch.testing.assert_close(carried[0], flows[1])


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


@torch.no_grad()
def test_motion_keeps_the_average_of_a_moving_scene_sharp():
    """Logits that follow the scene, averaged: along the motion they stay as
    they are."""
    rnn = build(MOVING).head_rnns['conv_seg']
    rnn.cell.keep_conv.bias.fill_(2.0)  # keeps most of the past
    clips = video(5)
    logits = (clips[:, :, :1] - 128).repeat(1, 1, 5, 1, 1) / 64
    flows = Motion().of_clips(clips, None)

    def see(t, state):
        return move(state, flows[t])

    inner = (..., slice(16, -16), slice(16, -16))
    still, _ = rnn(logits)
    moved, _ = rnn(logits, see=see)
    error = [
        (out[:, -1] - logits[:, -1])[inner].abs().mean()
        for out in (still, moved)
    ]
    assert error[1] < 0.2 * error[0]


@torch.no_grad()
def test_it_changes_what_moves_and_nothing_else():
    model, plain = wake(build(MOVING)), wake(build(dict(MOVING, motion=None)))
    assert list(model.state_dict()) == list(plain.state_dict())
    assert model.state_sizes == [2, 1]
    still = video(step=0)
    torch.testing.assert_close(model._forward(still), plain._forward(still))
    moving = video()
    assert not torch.allclose(model._forward(moving), plain._forward(moving))
    # The first frame has no past.
    torch.testing.assert_close(
        model._forward(moving[:, :1]), plain._forward(moving[:, :1])
    )


def test_it_trains_and_burns_in():
    model = wake(build(MOVING)).train()
    labels = samples(1, (64, 96))
    model.loss(video(), labels)['decode.loss_ce'].backward()
    assert model.head_rnns['conv_seg'].cell.hidden_conv.weight.grad.any()
    # From the states, and the frame, that the first frames leave.
    whole = wake(build(MOVING)).loss(video(), labels)['decode.loss_ce']
    late = wake(build(dict(MOVING, train_cfg=dict(bptt=2))))
    late.training = True  # but no dropout, no statistics of the batch
    got = late.loss(video(), labels)['decode.loss_ce']
    torch.testing.assert_close(got, whole)


@torch.no_grad()
def test_maps_of_zeros_begin_a_sequence():
    model = wake(build(MOVING))
    frame = video()[:, 0]
    want, states = model.step(frame)
    zeros = tuple(tuple(torch.zeros_like(p) for p in s) for s in states)
    got, _ = model.step(frame, zeros)
    torch.testing.assert_close(got, want)


def test_without_an_rnn_in_the_head_nothing_could_move():
    cfg = dict(RECURRENT, neck=dict(type='ConvRNNNeck', in_channels=CHANNELS))
    with pytest.raises(ValueError, match='no RNN in the decode head'):
        build(dict(cfg, motion=dict()))


def test_it_is_not_exported():
    with pytest.raises(ValueError, match='motion cannot be exported'):
        build(MOVING).check_export()
