import pytest
import torch
from mmengine.optim import build_optim_wrapper

from mmseg_video.engine.hooks import report_checkpoint
from tests.models import NUM_CLASSES, RECURRENT, build, samples
from tests.test_models.test_clip_losses import with_flow

SIZE = (64, 96)
WRAPPER = dict(
    constructor='AdversarialOptimWrapperConstructor',
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01),
    discriminator=dict(optimizer=dict(type='Adam', lr=1e-3)),
    paramwise_cfg=dict(custom_keys=dict(rnn=dict(lr_mult=5.0))),
)


def adversarial(num_decoded=1, **changes):
    loss = dict(
        type='AdversarialLoss',
        num_classes=NUM_CLASSES,
        num_decoded=num_decoded,
        discriminator=dict(channels=[8, 16]),
    )
    return build(RECURRENT, clip_losses=dict(adversarial=loss), **changes)


def data(num=2):
    torch.manual_seed(0)
    return torch.randn(num, 3, 3, *SIZE), with_flow(num)


def touched(model):
    """Beginnings of the names of parameters that have a gradient."""
    return {
        name.split('.')[0]
        for name, p in model.named_parameters()
        if p.grad is not None and p.grad.any()
    }


@pytest.mark.parametrize('num_decoded', [1, 2])
def test_gradients_do_not_reach_the_other_side(num_decoded):
    model = adversarial(num_decoded).train()
    clips, labelled = data()
    losses = model.loss(clips, labelled)
    segmentor = {'backbone', 'neck', 'decode_head'}
    for name, want in {
        'decode.loss_ce': segmentor,
        'adversarial.loss_adversarial': segmentor,
        'adversarial.loss_discriminator': {'clip_losses'},
    }.items():
        model.zero_grad()
        losses[name].backward(retain_graph=True)
        assert touched(model) == want


def test_label_maps_need_no_flow():
    model = adversarial(1)
    losses = model.loss(torch.randn(2, 3, 3, *SIZE), samples(2, SIZE))
    assert losses['adversarial.loss_discriminator'] > 0
    with pytest.raises(ValueError, match='AddRefFlow'):
        adversarial(2).loss(torch.randn(2, 3, 3, *SIZE), samples(2, SIZE))
    with pytest.raises(ValueError, match='num_decoded must be 1 or 2'):
        adversarial(3)


def test_another_number_of_classes_is_refused():
    loss = dict(adversarial=dict(type='AdversarialLoss'))
    model = build(RECURRENT, clip_losses=loss)
    with pytest.raises(ValueError, match=f'19, .* gives {NUM_CLASSES}: set'):
        model.loss(*data())


def test_one_logit_is_seen_as_two_classes():
    loss = dict(type='AdversarialLoss', num_classes=2)
    module = build(RECURRENT, clip_losses=dict(adversarial=loss)).clip_losses[
        'adversarial'
    ]
    labelled = with_flow(1)
    labelled[0].gt_sem_seg.data %= 2
    one = torch.randn(1, 1, 1, 16, 24)
    two = torch.cat([torch.zeros_like(one), one], dim=2)
    want = module(two, labelled)
    assert module(one, labelled) == want
    module.num_classes = 1
    with pytest.raises(ValueError, match='set num_classes=2'):
        module(one, labelled)


def test_what_is_not_labelled_is_left_out():
    module = adversarial(2).clip_losses['adversarial']
    logits = torch.randn(1, 2, NUM_CLASSES, 16, 24)
    labelled = with_flow(1)
    labelled[0].gt_sem_seg.data[:, :32] = 255
    labelled[0].ref_flow.data[2, :, :48] = 0.2
    seen = []
    module.discriminator.register_forward_pre_hook(
        lambda _, args: seen.append(args[0])
    )
    module(logits, labelled)
    assert len(seen) == 3
    for maps in seen:
        assert maps.shape == (1, 2 * NUM_CLASSES, 16, 24)
        hidden = torch.zeros(16, 24, dtype=torch.bool)
        hidden[:8] = hidden[:, :12] = True
        assert (maps[..., hidden] == 0).all()
        # Probabilities of two frames.
        torch.testing.assert_close(
            maps[..., ~hidden].sum(1), torch.full((1, 8 * 12), 2.0)
        )


def test_the_discriminator_learns_on_a_toy():
    module = adversarial(1).clip_losses['adversarial']
    torch.manual_seed(0)
    logits, labelled = torch.randn(2, 1, NUM_CLASSES, 16, 24), samples(2, SIZE)
    for sample in labelled:
        sample.gt_sem_seg.data[:] = torch.arange(96) // 20  # stripes
    optimizer = torch.optim.Adam(module.parameters(), lr=2e-3)
    falls = []
    for _ in range(40):
        losses = module(logits, labelled)
        optimizer.zero_grad()
        losses['loss_discriminator'].backward()
        optimizer.step()
        falls.append(float(losses['loss_discriminator']))
    assert falls[0] == pytest.approx(0.69, abs=0.1)
    assert falls[-1] < 0.2
    # What it tells apart is what the segmentor is then told.
    assert losses['loss_adversarial'] > 0.01 * 1.5


class TestOptimisers:
    def test_both_step_and_only_their_own(self):
        model = adversarial().train()
        wrappers = build_optim_wrapper(model, WRAPPER)
        assert set(wrappers.keys()) == {'segmentor', 'discriminator'}
        own = {
            name: {
                id(p) for g in w.optimizer.param_groups for p in g['params']
            }
            for name, w in wrappers.items()
        }
        assert not own['segmentor'] & own['discriminator']
        assert len(own['segmentor'] | own['discriminator']) == len(
            list(model.parameters())
        )
        ids = {id(p) for p in model.clip_losses.parameters()}
        assert own['discriminator'] == ids
        # paramwise_cfg still reaches the recurrent modules.
        optimizer = wrappers['segmentor'].optimizer
        rates = {g['lr'] for g in optimizer.param_groups}
        assert rates == {0.01, 0.05}
        before = {k: v.clone() for k, v in model.named_parameters()}
        clips, labelled = data()
        batch = dict(inputs=[c.byte() for c in clips], data_samples=labelled)
        logs = model.train_step(batch, wrappers)
        assert 'adversarial.loss_discriminator' in logs
        moved = {
            name.split('.')[0]
            for name, p in model.named_parameters()
            if not torch.equal(p, before[name])
        }
        assert moved == {'backbone', 'neck', 'decode_head', 'clip_losses'}
        assert all(p.grad is None for p in model.parameters())

    def test_gradients_accumulate_in_both(self):
        model = adversarial().train()
        cfg = dict(WRAPPER, accumulative_counts=2)
        wrappers = build_optim_wrapper(model, cfg)
        wrappers.initialize_count_status(model, 0, 4)
        score = model.clip_losses['adversarial'].discriminator.score.weight
        seen = [score.detach().clone()]
        for _ in range(2):
            clips, labelled = data()
            batch = dict(
                inputs=[c.byte() for c in clips], data_samples=labelled
            )
            model.train_step(batch, wrappers)
            seen.append(score.detach().clone())
        assert torch.equal(seen[0], seen[1])
        assert not torch.equal(seen[1], seen[2])

    def test_states_come_back(self):
        model = adversarial().train()
        wrappers = build_optim_wrapper(model, WRAPPER)
        clips, labelled = data()
        batch = dict(inputs=[c.byte() for c in clips], data_samples=labelled)
        model.train_step(batch, wrappers)
        state = wrappers.state_dict()
        again = build_optim_wrapper(adversarial(), WRAPPER)
        again.load_state_dict(state)
        moments = again['discriminator'].optimizer.state_dict()['state']
        assert moments[0]['exp_avg'].any()

    @pytest.mark.parametrize(
        ('change', 'sentence'),
        [
            (dict(discriminator=None), 'needs discriminator='),
            (dict(clip_losses={}), 'the model has no discriminator'),
        ],
    )
    def test_bad_configs(self, change, sentence):
        losses = {k: v for k, v in change.items() if k == 'clip_losses'}
        model = build(RECURRENT, **losses) if losses else adversarial()
        cfg = {k: v for k, v in {**WRAPPER, **change}.items() if v is not None}
        cfg.pop('clip_losses', None)
        with pytest.raises(ValueError, match=sentence):
            build_optim_wrapper(model, cfg)

    def test_a_loss_scale_is_refused(self):
        wrappers = build_optim_wrapper(adversarial(), WRAPPER)
        first = wrappers['segmentor']
        first.loss_scaler = object()
        with pytest.raises(ValueError, match='Bfloat16OptimWrapper'):
            type(wrappers)(segmentor=first)

    def test_bfloat16(self):
        model = adversarial(2).train()
        cfg = dict(WRAPPER, type='Bfloat16OptimWrapper')
        clips, labelled = data()
        batch = dict(inputs=[c.byte() for c in clips], data_samples=labelled)
        logs = model.train_step(batch, build_optim_wrapper(model, cfg))
        assert logs['loss'].isfinite()


def test_a_test_needs_no_discriminator():
    model = adversarial()
    plain = build(RECURRENT)
    only = model.training_only
    text = report_checkpoint(model, plain.state_dict(), 'x', only)
    assert 'not in the checkpoint: clip_losses' in text
    # Nor does a model without one mind it.
    text = report_checkpoint(plain, model.state_dict(), 'x', ())
    assert 'unused: clip_losses' in text
    weights = plain.state_dict()
    weights.pop('decode_head.conv_seg.bias')
    with pytest.raises(RuntimeError, match='random initialisation'):
        report_checkpoint(model, weights, 'x', only)
