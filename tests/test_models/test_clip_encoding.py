"""Which frames train, and that what saves memory changes no gradient."""

import pytest
import torch
from mmengine.logging import MessageHub

from mmseg_video.models import clip_encoding
from mmseg_video.models.clip_encoding import (
    keep_statistics,
    split_clip,
    split_trained,
)
from mmseg_video.models.time_axis import KEY_FRAME, fold
from tests.models import NORM, RECURRENT, build, samples, wake

SIZE = (64, 64)
# Batch norm sees other batches where frames are encoded in pieces.
GROUP_NORM = dict(
    backbone=dict(RECURRENT['backbone'], norm_cfg=NORM),
    decode_head=dict(RECURRENT['decode_head'], dropout_ratio=0),
)
FINAL_RNN = dict(type='ConvRNN', hidden_ratio=0.5)
GATED = dict(cell=dict(type='GatedEMACell', keep=0.5), connection='standard')
SPLIT = dict(connection='split', hidden_ratio=0.5)
# RNNs in the decode head -> changes of the model that have them.
IN_HEAD = {
    'gated EMA': dict(neck=None, head_rnns=dict(conv_seg=GATED)),
    'flow': dict(
        neck=None, head_rnns=dict(conv_seg=GATED), flow_compensated=True
    ),
    'laterals and gated EMA': dict(head_rnns=dict(conv_seg=GATED)),
    'split joins': dict(
        head_rnns={'joins.2': SPLIT, 'joins.1': SPLIT, 'joins.0': SPLIT}
    ),
}


def model(train_cfg=None, **changes):
    changes = {**GROUP_NORM, **changes}
    return wake(build(RECURRENT, train_cfg=train_cfg, **changes)).train()


def batch(num_frames):
    torch.manual_seed(0)
    clips, labels = torch.randn(2, num_frames, 3, *SIZE), samples(2, SIZE)
    for sample in labels:
        sample.flow = 3 * torch.rand(num_frames, 3, 8, 8)
    return clips, labels


def gradients(net, clips, labels, **kwargs):
    losses = net.loss(clips, labels)
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    return {name: p.grad for name, p in net.named_parameters()}


@pytest.fixture
def iteration():
    """Sets the iteration that draws are made from."""
    hub = MessageHub.get_current_instance()
    yield lambda i: hub.update_info('iter', i)
    hub.update_info('iter', 0)


def frames(parts):
    return [list(range(part.start, part.stop)) for part in parts]


def test_burn_in_draws_how_many_frames_come_before(iteration):
    drawn = set()
    for i in range(60):
        iteration(i)
        before, trained = split_clip(12, dict(burn_in=7))
        assert frames([trained]) == [[7, 8, 9, 10, 11]]
        ran = [frame for chunk in frames(before) for frame in chunk]
        assert ran == list(range(7 - len(ran), 7))
        assert all(len(chunk) <= 5 for chunk in frames(before))
        again = split_clip(12, dict(burn_in=7))[0]
        assert frames(again) == frames(before)
        drawn.add(len(ran))
    assert drawn == set(range(8))


def test_bptt_carries_the_state_of_the_frames_before():
    before, trained = split_clip(12, dict(bptt=5))
    assert frames(before) == [[0, 1, 2, 3, 4], [5, 6]]
    assert frames([trained]) == [[7, 8, 9, 10, 11]]
    for train_cfg in (dict(bptt=12), dict(bptt=30), dict(), None):
        before, trained = split_clip(12, train_cfg)
        assert not before
        assert frames([trained]) == [list(range(12))]


@pytest.mark.parametrize('final_rnn', [None, FINAL_RNN])
def test_bptt_has_the_gradient_of_a_detached_run(final_rnn):
    clips, labels = batch(6)
    got = gradients(model(dict(bptt=2), final_rnn=final_rnn), clips, labels)

    net, states = model(final_rnn=final_rnn), None
    for t in range(4):
        _, states = net.step(clips[:, t], states)
    states = {
        place: tuple(part.detach() for part in state)
        for place, state in states.items()
    }
    losses, _ = net._run(
        *(clips[:, 4:], states, None, KEY_FRAME),
        lambda levels: net.decode_head.loss(fold(levels), labels, None),
    )
    losses['loss_ce'].backward()
    assert any(g.any() for g in got.values())
    for name, parameter in net.named_parameters():
        torch.testing.assert_close(
            got[name], parameter.grad, rtol=1e-3, atol=1e-6, msg=name
        )


def test_bptt_differs_from_the_clip_without_its_past():
    clips, labels = batch(6)
    carried = model(dict(bptt=2)).loss(clips, labels)['decode.loss_ce']
    whole = model().loss(clips, labels)['decode.loss_ce']
    short = model().loss(clips[:, 4:], labels)['decode.loss_ce']
    torch.testing.assert_close(carried, whole)
    assert not torch.isclose(carried, short)


def test_burn_in_is_running_the_frames_beforehand(iteration):
    clips, _ = batch(7)
    net = model(dict(burn_in=4))
    for i in range(10):
        iteration(i)
        before, trained = split_clip(7, net.train_cfg)
        got, flow, states = net._burn_in(clips, None)
        assert torch.equal(got, clips[:, trained])
        assert flow is None
        want = None
        for t in [t for chunk in frames(before) for t in chunk]:
            with torch.no_grad():
                _, want = net.step(clips[:, t], want)
        assert (states is None) == (want is None)
        for place, (ours,) in (states or {}).items():
            assert not ours.requires_grad
            torch.testing.assert_close(ours, want[place][0])


def test_every_parameter_trains_after_a_burn_in(iteration):
    iteration(3)
    clips, labels = batch(4)
    net = model(dict(burn_in=3))
    assert split_clip(4, net.train_cfg)[0]
    for name, grad in gradients(net, clips, labels).items():
        assert grad is not None, name
        assert grad.any(), name


def test_frames_that_only_give_a_state_leave_batch_norm_alone():
    clips, labels = batch(6)
    norm = dict(backbone=RECURRENT['backbone'])
    long, short = model(dict(bptt=2), **norm), model(**norm)
    long.loss(clips, labels)
    short.loss(clips[:, 4:], labels)
    for name, value in short.backbone.state_dict().items():
        assert torch.equal(long.backbone.state_dict()[name], value), name


@pytest.mark.parametrize('ref_grad', [True, False])
@pytest.mark.parametrize('size', [1, 2])
def test_recomputed_activations_give_the_same_gradients(size, ref_grad):
    clips, labels = batch(5)
    want = gradients(model(dict(ref_grad=ref_grad)), clips, labels)
    train_cfg = dict(checkpoint_frames=size, ref_grad=ref_grad)
    got = gradients(model(train_cfg), clips, labels)
    for name, grad in want.items():
        torch.testing.assert_close(
            got[name], grad, rtol=1e-3, atol=1e-6, msg=name
        )


@pytest.mark.parametrize('kind', IN_HEAD)
def test_a_recomputed_decoder_gives_the_same_gradients(kind):
    clips, labels = batch(4)
    want = gradients(model(**IN_HEAD[kind]), clips, labels)
    for size in (1, 3):
        net = model(dict(checkpoint_frames=size), **IN_HEAD[kind])
        got = gradients(net, clips, labels)
        for name, grad in want.items():
            assert grad.any(), name
            torch.testing.assert_close(
                got[name], grad, rtol=1e-3, atol=1e-6, msg=name
            )


def test_which_frames_leave_only_states():
    for train_cfg, chunks, rest in (
        (dict(checkpoint_frames=2), [[0, 1], [2, 3]], [4]),
        (dict(checkpoint_frames=3), [[0, 1, 2]], [3, 4]),
        (dict(checkpoint_frames=5), [], [0, 1, 2, 3, 4]),
        (dict(ref_grad='states'), [[0, 1, 2, 3]], [4]),
        (dict(ref_grad='states', checkpoint_frames=3), [[0, 1, 2], [3]], [4]),
        (dict(ref_grad=False, checkpoint_frames=2), [], [0, 1, 2, 3, 4]),
        (None, [], [0, 1, 2, 3, 4]),
    ):
        before, trained = split_trained(5, train_cfg)
        assert frames(before) == chunks, train_cfg
        assert frames([trained]) == [rest], train_cfg
    assert split_trained(1, dict(ref_grad='states')) == ([], slice(0, 1))


@pytest.mark.parametrize('size', [None, 1])
@pytest.mark.parametrize('kind', IN_HEAD)
def test_states_alone_train_on_ref_frames(kind, size):
    """The loss is the same, and no gradient reaches a ref frame."""
    clips, labels = batch(4)
    clips.requires_grad_()
    train_cfg = dict(ref_grad='states', checkpoint_frames=size)
    net = model(train_cfg, **IN_HEAD[kind])
    want = model(**IN_HEAD[kind]).loss(clips, labels)['decode.loss_ce']
    torch.testing.assert_close(net.loss(clips, labels)['decode.loss_ce'], want)
    clips.grad = None
    got = gradients(net, clips, labels)
    by_frame = clips.grad.flatten(2).abs().sum(2)
    assert (by_frame[:, :-1] == 0).all()
    assert (by_frame[:, -1] > 0).all()
    assert all(grad.any() for grad in got.values())


def test_states_alone_have_the_gradient_of_detached_logits():
    """The gated EMA by hand: logits of ref frames without a gradient."""
    clips, labels = batch(4)
    kind = IN_HEAD['gated EMA']
    got = gradients(model(dict(ref_grad='states'), **kind), clips, labels)
    net = model(**kind)
    rnn = net.head_rnns.by_place['conv_seg']

    def cut(module, args, kwargs):
        logits = args[0]
        cut = torch.cat([logits[:, :-1].detach(), logits[:, -1:]], dim=1)
        return (cut, *args[1:]), kwargs

    rnn.register_forward_pre_hook(cut, with_kwargs=True)
    for name, grad in gradients(net, clips, labels).items():
        torch.testing.assert_close(
            got[name], grad, rtol=1e-3, atol=1e-6, msg=name
        )


def test_states_alone_are_ref_grad_false_where_only_necks_recur():
    clips, labels = batch(4)
    want = gradients(model(dict(ref_grad=False)), clips, labels)
    got = gradients(model(dict(ref_grad='states')), clips, labels)
    for name, grad in want.items():
        torch.testing.assert_close(
            got[name], grad, rtol=1e-3, atol=1e-6, msg=name
        )


def test_validation_losses_have_no_gradient():
    clips, labels = batch(3)
    for train_cfg in (dict(ref_grad='states'), dict(checkpoint_frames=1)):
        net = model(train_cfg, **IN_HEAD['laterals and gated EMA'])
        with torch.no_grad():
            loss = net.loss(clips, labels)['decode.loss_ce']
        assert not loss.requires_grad
        assert torch.is_grad_enabled()


def test_an_error_leaves_gradients_on():
    clips, labels = batch(3)
    net = model(dict(ref_grad='states'), **IN_HEAD['flow'])
    for sample in labels:
        del sample.flow
    with pytest.raises(ValueError, match='needs the optical flow'):
        net.loss(clips, labels)
    assert torch.is_grad_enabled()
    assert torch.is_autocast_cache_enabled()
    rnn = net.head_rnns.by_place['conv_seg']
    assert not rnn._forward_hooks
    assert not rnn._forward_pre_hooks


PARTS = [
    dict(),
    dict(ref_grad=False),
    dict(ref_grad='states'),
    dict(bptt=1),
    dict(bptt=2),
    dict(burn_in=2),
    dict(checkpoint_frames=1),
    dict(ref_grad=False, checkpoint_frames=1),
    dict(burn_in=2, bptt=1, ref_grad='states'),
]


@pytest.mark.parametrize('train_cfg', PARTS, ids=str)
def test_mixed_precision_trains_what_full_precision_trains(
    train_cfg, iteration
):
    """A weight that autocast rounded without a gradient is not kept."""
    iteration(3)
    clips, labels = batch(4)
    changes = IN_HEAD['laterals and gated EMA']
    want = gradients(model(train_cfg, **changes), clips, labels)
    net = model(train_cfg, **changes)
    with torch.autocast('cpu', torch.bfloat16):
        losses = net.loss(clips, labels)
    losses['decode.loss_ce'].backward()
    for name, parameter in net.named_parameters():
        assert want[name].any(), name
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name


@pytest.mark.parametrize('train_cfg', PARTS, ids=str)
def test_autocast_keeps_no_weight_that_it_rounds_without_a_gradient(
    train_cfg, iteration
):
    """Whatever the installed PyTorch makes of those that it keeps."""
    iteration(3)
    clips, labels = batch(4)
    net = model(train_cfg, **IN_HEAD['laterals and gated EMA'])
    ran = []
    for module in net.modules():
        if not isinstance(module, torch.nn.Conv2d):
            continue
        module.register_forward_pre_hook(
            lambda *_: ran.append(
                (torch.is_grad_enabled(), torch.is_autocast_cache_enabled())
            )
        )
    with torch.autocast('cpu', torch.bfloat16):
        net.loss(clips, labels)
    assert (True, True) in ran
    assert (False, True) not in ran
    assert torch.is_autocast_cache_enabled()
    some_without = not set(train_cfg) <= {'checkpoint_frames'}
    assert ((False, False) in ran) == some_without


def test_recomputation_counts_a_batch_once(monkeypatch):
    """Against the same pieces, whose activations are kept."""
    clips, labels = batch(4)
    norm = dict(backbone=RECURRENT['backbone'])
    plain, recomputed = (
        model(dict(checkpoint_frames=2), **norm) for _ in range(2)
    )
    got = gradients(recomputed, clips, labels)
    monkeypatch.setattr(
        clip_encoding, 'checkpoint', lambda f, *args, **_: f(*args)
    )
    want = gradients(plain, clips, labels)
    for name, grad in want.items():
        torch.testing.assert_close(got[name], grad, msg=name)
    for name, value in plain.state_dict().items():
        assert torch.equal(recomputed.state_dict()[name], value), name


def kept_activations(net, clips, labels):
    """Numbers of elements that the loss keeps for its gradient."""
    total = 0

    def pack(tensor):
        nonlocal total
        total += tensor.numel()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        net.loss(clips, labels)
    return total


def test_fewer_activations_are_kept():
    clips, labels = batch(6)
    plain = kept_activations(model(), clips, labels)
    net = model(dict(checkpoint_frames=1))
    assert kept_activations(net, clips, labels) < 0.6 * plain


@pytest.mark.parametrize(
    'train_cfg', [dict(checkpoint_frames=1), dict(ref_grad='states')]
)
def test_a_gated_ema_keeps_little_more_than_a_still(train_cfg):
    clips, labels = batch(6)
    kind = IN_HEAD['gated EMA']
    plain = kept_activations(model(**kind), clips, labels)
    still = kept_activations(model(**kind), clips[:, -1:], labels)
    less = kept_activations(model(train_cfg, **kind), clips, labels)
    assert plain > 4 * still
    assert less < 1.5 * still


def test_evaluation_knows_none_of_it(iteration):
    clips, labels = batch(6)
    train_cfg = dict(burn_in=2, bptt=1, checkpoint_frames=1)
    want = model().eval().loss(clips, labels)['decode.loss_ce']
    for i in range(6):  # a burn-in would draw other numbers of frames
        iteration(i)
        got = model(train_cfg).eval().loss(clips, labels)['decode.loss_ce']
        assert torch.equal(got, want)


def test_statistics_are_kept_and_let_go():
    norm = torch.nn.BatchNorm2d(3)
    x = torch.randn(4, 3, 5, 5)
    before = {k: v.clone() for k, v in norm.state_dict().items()}
    with keep_statistics(norm):
        inside = norm(x)
    for name, value in before.items():
        assert torch.equal(norm.state_dict()[name], value)
    assert torch.equal(norm(x), inside)
    assert not torch.equal(norm.running_mean, before['running_mean'])


@pytest.mark.parametrize(
    ('train_cfg', 'sentence'),
    [
        (dict(bptt=0), r'train_cfg\.bptt is a number of frames >= 1, got 0'),
        (dict(burn_in=-1), r'train_cfg\.burn_in .* >= 0, got -1'),
        (dict(checkpoint_frames='all'), r"checkpoint_frames .* got 'all'"),
        (dict(ref_grad='state'), r"True, False or 'states', got 'state'"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(train_cfg, sentence):
    with pytest.raises(ValueError, match=sentence):
        build(RECURRENT, train_cfg=train_cfg)


def test_a_burn_in_that_leaves_no_frame_is_refused():
    clips, labels = batch(3)
    with pytest.raises(ValueError, match=r'num_frames .* to 4 or more'):
        model(dict(burn_in=3)).loss(clips, labels)


def test_a_loss_over_time_needs_the_gradient_of_a_ref_frame():
    consistency = dict(type='TemporalConsistencyLoss')
    with pytest.raises(ValueError, match=r"'states' leaves .* ref_grad=False"):
        model(dict(ref_grad='states'), clip_losses=dict(time=consistency))


def test_an_unknown_key_is_refused():
    with pytest.raises(ValueError, match=r"no key 'burnin': it has burn_in"):
        build(RECURRENT, train_cfg=dict(burnin=7))
