"""Frames on which the net does not run."""

import pytest
import torch

from mmseg_video.flow.previous import FlowToPrevious
from mmseg_video.models.decode_heads import at_own_size
from mmseg_video.models.propagation import propagate
from tests.frames import as_tensor, moving
from tests.models import FRAMEWISE, RECURRENT, build, samples, wake
from tests.test_models.test_filters import COMPENSATED, NORMALISED

GATED = dict(
    conv_seg=dict(
        cell=dict(type='GatedEMACell', keep=0.6), connection='standard'
    )
)
SYSTEMS = {
    'filter': COMPENSATED,
    'filter of probabilities': dict(
        COMPENSATED, filter=dict(type='EMAFilter', of='probabilities')
    ),
    'gated EMA': dict(
        RECURRENT,
        data_preprocessor=NORMALISED,
        head_rnns=GATED,
        flow_compensated=True,
    ),
    'filter of a gated EMA, and another RNN': dict(
        RECURRENT,
        data_preprocessor=NORMALISED,
        head_rnns=GATED,
        final_rnn=dict(hidden_ratio=0.5),
        filter=dict(type='EMAFilter', weight=0.3),
        flow_compensated=True,
    ),
}


def flow(dx=0.0, weight=1.0, size=(4, 6)):
    field = torch.zeros(1, 3, *size)
    field[:, 0], field[:, 2] = dx, weight
    return field


def test_the_average_moves_and_fades():
    total, count = torch.randn(1, 3, 4, 6), 1 + torch.rand(1, 1, 4, 6)
    weight = torch.rand(1, 1, 4, 6)
    got, (s, n) = propagate((total, count), flow(1, weight[:, 0]), 0.9)
    shifted = (total / count)[..., 1:]
    torch.testing.assert_close(got[..., :-1], shifted)
    torch.testing.assert_close(
        n[..., :-1], (0.9 * weight[..., :-1] * count[..., 1:])
    )
    torch.testing.assert_close(s / n, got)
    # Beyond the frame before its edge goes on, for next to nothing.
    torch.testing.assert_close(got[..., -1], (total / count)[..., -1])
    assert n[..., -1].max() < 1e-5


def test_in_place_nothing_moves():
    total, count = torch.randn(1, 3, 4, 6), torch.full((1, 1, 4, 6), 2.0)
    got, (s, n) = propagate((total, count), None, 0.5)
    torch.testing.assert_close(got, total / 2)
    torch.testing.assert_close((s, n), (total / 2, count / 2))


def test_an_answer_is_never_lost():
    state = (torch.full((1, 2, 4, 6), 3.0), torch.ones(1, 1, 4, 6))
    for _ in range(300):
        got, state = propagate(state, flow(weight=0.0), 0.1)
    torch.testing.assert_close(got, torch.full((1, 2, 4, 6), 3.0))


@pytest.mark.parametrize('system', SYSTEMS)
@torch.no_grad()
def test_a_stream_runs_the_net_on_every_third_frame(system):
    test_cfg = dict(mode='whole', streaming=True, every=3)
    model = wake(build(SYSTEMS[system], test_cfg=test_cfg))
    frames = moving(5, 2)
    fields = [f for _, f in FlowToPrevious().with_previous(frames)]
    fields = [torch.from_numpy(field)[None] for field in fields]
    runs, states = [], None
    model.backbone.register_forward_hook(lambda *args: runs.append(1))
    for t, (frame, field) in enumerate(zip(frames, fields, strict=True)):
        inputs = model.data_preprocessor(dict(inputs=[as_tensor(frame)]))
        (sample,) = samples(1, (64, 96))
        sample.flow = field
        (got,) = model.predict(inputs['inputs'], [sample])
        assert len(runs) == 1 + t // 3
        if t % 3:
            want, states = model.propagate(states, field, (64, 96))
        else:
            want, states = model.step(inputs['inputs'][:, 0], states, field)
            runs.pop()
        torch.testing.assert_close(got.seg_logits.data, want[0])
    # The state followed the frame.
    assert not torch.allclose(
        model.propagate(states, fields[1], (64, 96))[0],
        model.propagate(states, flow(size=(64, 96)), (64, 96))[0],
    )


@pytest.mark.parametrize('system', [*SYSTEMS, 'laterals'])
@torch.no_grad()
def test_on_a_frame_that_is_not_usable_nothing_moves(system):
    """Of a batch of two streams, one is held, as the data say."""
    test_cfg = dict(mode='whole', streaming=True)
    cfg = SYSTEMS.get(system, RECURRENT)
    model = wake(build(cfg, test_cfg=test_cfg))
    runs = []
    model.backbone.register_forward_hook(
        lambda module, args, _: runs.append(len(args[0]))
    )

    def predict(*held):
        data = samples(2, (64, 96))
        for sample, value in zip(data, held, strict=True):
            sample.set_metainfo(dict(held=value))
            if model.flow_compensated:
                sample.flow = flow(3)
        found = model.predict(torch.randn(2, 1, 3, 64, 96), data)
        return [sample.seg_logits.data for sample in found], [
            model.streams[i].states for i in range(2)
        ]

    predict(True, True)  # there is nothing to hold yet
    logits, states = predict(False, False)
    assert runs == [2, 2]
    held, kept = predict(True, False)
    assert runs == [2, 2, 1]
    torch.testing.assert_close(held[0], logits[0], rtol=0, atol=0)
    assert kept[0] is states[0]
    assert not torch.allclose(held[1], logits[1])
    assert predict(True, True)[1][0] is states[0]
    assert runs == [2, 2, 1]
    again, moved = predict(False, True)
    assert moved[1] is kept[1]
    assert not torch.allclose(again[0], logits[0])


@torch.no_grad()
def test_a_propagated_frame_is_the_last_one_warped():
    """What moves by 4 pixels is found 4 pixels on."""
    model = build(COMPENSATED)
    frame = as_tensor(moving(1)[0]) / 255
    first, states = model.step(frame)
    stride = 4
    for name in ('filter',):
        assert first.shape[-1] == stride * states[name][0].shape[-1]
    got, after = model.propagate(states, flow(-4, size=(64, 96)), (64, 96))
    torch.testing.assert_close(got[..., 8:-2], first[..., 4:-6])
    # Once more, and the next full frame counts more than it did.
    _, after = model.propagate(after, flow(-4, size=(64, 96)), (64, 96))
    assert after['filter'][1].max() < states['filter'][1].max()


@torch.no_grad()
def test_other_states_follow_the_flow_or_wait():
    model = wake(build(SYSTEMS['filter of a gated EMA, and another RNN']))
    _, states = model.step(torch.randn(1, 3, 64, 96))
    _, after = model.propagate(states, flow(8, size=(64, 96)), (64, 96))
    (hidden,), (moved,) = states['final_rnn'], after['final_rnn']
    torch.testing.assert_close(moved[..., :-2], hidden[..., 2:])
    assert after['neck.0.1'] is states['neck.0.1']


def test_what_cannot_propagate_is_refused():
    test_cfg = dict(mode='whole', streaming=True, every=2)
    model = build(RECURRENT, test_cfg=test_cfg)
    with pytest.raises(ValueError, match='every=2: RecurrentUNet keeps no av'):
        model.predict(torch.randn(1, 1, 3, 64, 96), samples(1, (64, 96)))
    in_part = dict(conv_seg=dict(GATED['conv_seg'], connection='residual'))
    assert not build(RECURRENT, head_rnns=in_part).can_propagate
    assert not hasattr(build(FRAMEWISE), 'can_propagate')
    model = build(COMPENSATED)
    _, states = model.step(torch.randn(1, 3, 64, 96))
    with pytest.raises(ValueError, match='needs the optical flow of each pro'):
        model.propagate(states, None, (64, 96))
    with pytest.raises(ValueError, match='the flow is 4x6, the frames are 64'):
        model.propagate(states, flow(), (64, 64))
    with pytest.raises(ValueError, match='they belong to another model'):
        model.propagate({'cell': ()}, flow(size=(64, 96)), (64, 96))


@torch.no_grad()
def test_a_state_answers_while_another_thread_runs_the_net():
    """It takes the head's logits before they are resized."""
    model = build(RECURRENT, filter=dict(type='EMAFilter'))
    _, states = model.step(torch.rand(1, 3, 64, 96))
    want, _ = model.propagate(states, None, (64, 96))
    assert want.shape[2:] == (64, 96)
    with at_own_size(model):
        got, _ = model.propagate(states, None, (64, 96))
        scores = states['filter'][0] / states['filter'][1]
        resized = model.resized(scores, (64, 96))
    assert torch.equal(got, want)
    assert torch.equal(resized, want)
