"""Losses that read the logits of a ref frame too."""

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import MODELS

from mmseg_video.flow.warp import warp
from mmseg_video.models.clip_losses import ref_flow
from tests.models import (
    CHANNELS,
    FRAMEWISE,
    NUM_CLASSES,
    RECURRENT,
    build,
    samples,
    wake,
)

SIZE = (64, 96)
CONSISTENCY = dict(consistency=dict(type='TemporalConsistencyLoss'))
FINAL_RNN = dict(type='ConvRNN', hidden_ratio=0.5)


def with_flow(num, dx=0.0, agreement=1.0, gaps=None, size=SIZE):
    """Key-frame samples with one flow everywhere."""
    torch.manual_seed(0)
    result = samples(num, size)
    for sample, gap in zip(result, gaps or [1] * num, strict=True):
        field = torch.zeros(3, *size)
        field[0], field[2] = dx, agreement
        sample.ref_flow = PixelData(data=field)
        sample.set_metainfo(dict(flow_gap=gap))
    return result


def loss(logits, data_samples):
    module = MODELS.build(CONSISTENCY['consistency'])
    return module(logits, data_samples)['loss_consistency']


def shifted(dx):
    """Logits (1, 2, C, 16, 24) whose ref frame is the key frame, moved."""
    torch.manual_seed(0)
    wide = torch.randn(1, NUM_CLASSES, 16, 40)
    key, ref = wide[..., 8:32], wide[..., 8 - dx : 32 - dx]
    return torch.stack([ref, key], dim=1)


class TestTemporalConsistencyLoss:
    @pytest.mark.parametrize('dx', [-3, 0, 2])
    def test_zero_where_the_prediction_moves_with_the_flow(self, dx):
        # The logits are at a quarter of the frames' size.
        data = with_flow(1, dx=4 * dx)
        inside = data[0].ref_flow.data[2]
        inside[:, :16] = inside[:, -16:] = 0  # what leaves the frame
        logits = shifted(dx)
        assert loss(logits, data) < 1e-10
        if dx:
            assert loss(logits, with_flow(1)) > 0.01
            assert loss(shifted(-dx), data) > 0.01

    @pytest.mark.parametrize(('dx', 'dy'), [(0, 3), (0, -2), (3, 2), (-2, 3)])
    def test_zero_along_any_direction(self, dx, dy):
        """x and y have scales of their own: logits (16, 24) of (64, 48)."""
        torch.manual_seed(0)
        wide = torch.randn(1, NUM_CLASSES, 32, 40)
        key = wide[..., 8:24, 8:32]
        ref = wide[..., 8 - dy : 24 - dy, 8 - dx : 32 - dx]
        logits = torch.stack([ref, key], dim=1)
        data = with_flow(1, dx=2 * dx, agreement=0, size=(64, 48))
        field = data[0].ref_flow.data
        field[1] = 4 * dy
        field[2, 16:-16, 8:-8] = 1  # what stays in the frame
        assert loss(logits, data) < 1e-10
        for axis in range(2):
            if field[axis].any():
                field[axis] *= -1
                assert loss(logits, data) > 0.01
                field[axis] *= -1

    def test_beyond_a_map_its_edge_goes_on(self):
        logits = torch.ones(1, 2, NUM_CLASSES, 16, 24)
        assert loss(logits, with_flow(1, dx=60)) < 1e-10

    def test_is_the_papers_sum(self):
        logits = torch.randn(2, 2, NUM_CLASSES, 16, 24)
        data = with_flow(2, agreement=0.5)
        want = 0.1 * (0.5 * (logits[:, 1] - logits[:, 0])).square().mean()
        torch.testing.assert_close(loss(logits, data), want)

    def test_what_disagrees_hardly_counts(self):
        logits = torch.randn(1, 2, NUM_CLASSES, 16, 24)
        data = with_flow(1)
        full = loss(logits, data)
        data[0].ref_flow.data[2, :, :48] = 0.1
        half = logits[..., 12:]
        want = 0.5 * loss(half, with_flow(1)) + 0.01 * 0.5 * loss(
            logits[..., :12], with_flow(1)
        )
        got = loss(logits, data)
        torch.testing.assert_close(got, want)
        assert got < 0.6 * full

    def test_gradient_reaches_both_frames(self):
        logits = torch.randn(1, 2, NUM_CLASSES, 16, 24, requires_grad=True)
        loss(logits, with_flow(1)).backward()
        ref, key = logits.grad.unbind(1)
        assert ref.abs().sum() > 0
        torch.testing.assert_close(ref, -key)

    def test_padding_does_not_count(self):
        data = with_flow(1, size=(48, 80))
        data[0].set_metainfo(dict(pad_shape=(64, 96)))
        flow, agreement = ref_flow(data, (16, 24))
        assert flow.shape == (1, 2, 16, 24)
        assert (agreement[0, 0, :12, :20] == 1).all()
        assert agreement.sum() == 12 * 20


def test_flow_is_scaled_to_the_maps():
    flow, _ = ref_flow(with_flow(1, dx=8), (16, 24))
    assert (flow[:, 0] == 2).all()
    maps = torch.arange(24.0).expand(1, 1, 16, 24)
    torch.testing.assert_close(
        warp(maps, flow, 'border')[..., :22], maps[..., 2:], atol=1e-4, rtol=0
    )
    torch.testing.assert_close(
        warp(maps, flow * 0, 'border'), maps, atol=1e-4, rtol=0
    )


VARIANTS = {
    'recurrent': {},
    'final RNN': dict(final_rnn=FINAL_RNN),
    'framewise': dict(neck=None),
    'two necks': dict(neck=[RECURRENT['neck']] * 2),
}


@pytest.mark.parametrize('name', VARIANTS)
class TestInTheSegmentor:
    def test_decodes_the_pair_that_the_samples_name(self, name):
        """Each sample's own ref frame, as the shorter clip predicts it."""
        model = wake(
            build(RECURRENT, clip_losses=CONSISTENCY, **VARIANTS[name])
        )
        clips = torch.randn(2, 4, 3, *SIZE)
        seen = []
        model.clip_losses['consistency'].register_forward_pre_hook(
            lambda _, args: seen.append(args[0])
        )
        with torch.no_grad():
            losses = model.loss(clips, with_flow(2, gaps=[1, 3]))
            want = {
                t: model.forward(clips[:, : t + 1], mode='tensor')
                for t in (0, 2, 3)
            }
        (logits,) = seen
        assert logits.shape[:3] == (2, 2, NUM_CLASSES)
        close = dict(rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(logits[:, 1], want[3], **close)
        torch.testing.assert_close(logits[0, 0], want[2][0], **close)
        torch.testing.assert_close(logits[1, 0], want[0][1], **close)
        assert losses['consistency.loss_consistency'] > 0

    def test_off_changes_nothing(self, name):
        variant = VARIANTS[name]
        on = wake(build(RECURRENT, clip_losses=CONSISTENCY, **variant))
        off = wake(build(RECURRENT, **variant))
        assert list(on.state_dict()) == list(off.state_dict())
        clips, data = torch.randn(2, 3, 3, *SIZE), samples(2, SIZE)
        plain = off.loss(clips, data)
        assert not any('consistency' in key for key in plain)
        # None takes a base config's entry away.
        none = wake(build(RECURRENT, clip_losses=dict(c=None), **variant))
        again = none.loss(clips, data)
        assert plain.keys() == again.keys()
        assert all(torch.equal(plain[k], again[k]) for k in plain)
        # On, the labelled loss is the same one.
        labels = [s.gt_sem_seg for s in data]
        data = with_flow(2)
        for sample, label in zip(data, labels, strict=True):
            sample.gt_sem_seg = label
        with_loss = on.loss(clips, data)
        torch.testing.assert_close(
            with_loss['decode.loss_ce'], plain['decode.loss_ce']
        )

    def test_gradient_reaches_all_frames(self, name):
        model = wake(
            build(RECURRENT, clip_losses=CONSISTENCY, **VARIANTS[name])
        )
        clips = torch.randn(1, 2, 3, *SIZE, requires_grad=True)
        losses = model.train().loss(clips, with_flow(1))
        losses['consistency.loss_consistency'].backward()
        assert (clips.grad.flatten(2).abs().sum(2) > 0).all()


def test_auxiliary_head_still_reads_the_key_frame():
    aux = dict(
        type='FCNHead',
        in_channels=CHANNELS[2],
        in_index=2,
        channels=8,
        num_classes=NUM_CLASSES,
    )
    clips, data = torch.randn(2, 3, 3, *SIZE), with_flow(2)
    on = build(RECURRENT, auxiliary_head=aux, clip_losses=CONSISTENCY)
    off = build(RECURRENT, auxiliary_head=aux)
    torch.testing.assert_close(
        on.loss(clips, data)['aux.loss_ce'],
        off.loss(clips, data)['aux.loss_ce'],
    )


def test_the_framewise_nets_checkpoint_is_a_baselines():
    """ETC's setting: the framewise net, in pairs of frames."""
    model = build(RECURRENT, neck=None, clip_losses=CONSISTENCY)
    baseline = build(FRAMEWISE, seed=1)
    assert list(model.state_dict()) == list(baseline.state_dict())
    baseline.load_state_dict(model.state_dict())
    frames = torch.randn(1, 3, *SIZE)
    with torch.no_grad():
        got = model.predict(frames)[0].seg_logits.data
        want = baseline.predict(frames)[0].seg_logits.data
    assert torch.equal(got, want)


def test_samples_without_flow_are_refused():
    model = build(RECURRENT, clip_losses=CONSISTENCY)
    data = samples(1, SIZE)
    data[0].set_metainfo(dict(img_path='a.png'))
    with pytest.raises(ValueError, match=r"'a\.png' lacks: add .*AddRefFlow"):
        model.loss(torch.randn(1, 3, 3, *SIZE), data)


def test_mixed_precision_moves_maps_as_far():
    torch.manual_seed(0)
    maps = torch.randn(1, 2, 4, 512).bfloat16()
    flow = torch.full((1, 2, 4, 512), 0.5)
    want = warp(maps.float(), flow, 'border')
    torch.testing.assert_close(warp(maps, flow, 'border'), want)
    with torch.autocast('cpu', torch.bfloat16):
        torch.testing.assert_close(warp(maps, flow, 'border'), want)


@pytest.mark.parametrize('train_cfg', [dict(bptt=2), dict(burn_in=2)])
def test_a_ref_frame_that_does_not_train_is_refused(train_cfg):
    model = build(
        RECURRENT, clip_losses=CONSISTENCY, train_cfg=train_cfg
    ).train()
    clips = torch.randn(2, 4, 3, *SIZE)
    with pytest.raises(ValueError, match=r'3 frames before .* last 2 frames'):
        model.loss(clips, with_flow(2, gaps=[1, 3]))
    model.loss(clips, with_flow(2))


def test_the_first_frame_of_a_clip_can_be_the_ref_frame():
    model = build(RECURRENT, clip_losses=CONSISTENCY)
    clips = torch.randn(1, 3, 3, *SIZE)
    model.loss(clips, with_flow(1, gaps=[2]))
    with pytest.raises(ValueError, match=r'3 frames before .* last 3 frames'):
        model.loss(clips, with_flow(1, gaps=[3]))


def test_a_head_of_several_maps_is_refused():
    model = build(RECURRENT, clip_losses=CONSISTENCY)
    model.decode_head.forward = lambda inputs: (inputs[0], inputs[1])
    with pytest.raises(ValueError, match='not one map of logits'):
        model.loss(torch.randn(1, 2, 3, *SIZE), with_flow(1))
