"""Freezing, growing clips and weighted samples, in trainings."""

import shutil
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmseg_video.engine import GrowClipHook
from tests.runs import config

# What one step changes: other tensors get no gradient yet, since the last
# norm of each residual block starts at zero.
AWAKE = [
    'backbone.conv1.weight',
    'backbone.bn1.running_mean',
    'decode_head.joins.0.0.conv.weight',
    'decode_head.conv_seg.bias',
]


class Watch(Hook):
    """What each iteration sees, and leaves in the model."""

    def __init__(self):
        self.seen, self.weights = {}, {}

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.seen[runner.iter] = [
            (len(clip), sample.sequence, sample.frame_id)
            for clip, sample in zip(
                data_batch['inputs'], data_batch['data_samples'], strict=True
            )
        ]

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=0):
        self.weights[runner.iter] = {
            k: v.clone() for k, v in runner.model.state_dict().items()
        }


def train(root, work_dir, hooks, max_iters=6, **changes):
    """A training of clips of T=2 that validates nothing."""
    cfg = config(
        'rnn_unet_joint',
        root,
        work_dir,
        **{
            'train_cfg.max_iters': max_iters,
            'train_cfg.val_interval': 100,
            'default_hooks.checkpoint.interval': 100,
            'train_dataloader.dataset.num_frames': 2,
            # Weight decay and momentum must leave alone what is frozen.
            'optim_wrapper.optimizer.weight_decay': 0.1,
            **changes,
        },
    )
    cfg.val_dataloader = cfg.val_evaluator = cfg.val_cfg = None
    cfg.visualizer.vis_backends = []
    cfg.custom_hooks = []
    cfg.default_hooks.update(hooks)
    runner = Runner.from_cfg(cfg)
    watch = Watch()
    runner.register_hook(watch, priority='LOW')
    runner.train()
    return runner, watch


def grow(milestones):
    return dict(grow=dict(type='GrowClipHook', milestones=milestones))


def lengths(watch):
    return {i: {t for t, _, _ in clips} for i, clips in watch.seen.items()}


def order(watch):
    return {i: [c[1:] for c in clips] for i, clips in watch.seen.items()}


LOADER = {
    'train_dataloader.num_workers': 2,
    'train_dataloader.persistent_workers': True,
}


@pytest.fixture(scope='module')
def grown(root, tmp_path_factory):
    """Of T=2, then 3, then 5, with two workers that load ahead."""
    work_dir = tmp_path_factory.mktemp('grown')
    save = {'default_hooks.checkpoint.interval': 5}
    hooks = grow({2: 3, 4: 5})
    return work_dir, *train(root, work_dir, hooks, **save, **LOADER)


def test_workers_see_the_growth_at_the_very_iteration(grown):
    _, runner, watch = grown
    want = {0: {2}, 1: {2}, 2: {3}, 3: {3}, 4: {5}, 5: {5}}
    assert lengths(watch) == want
    logged = runner.message_hub.get_scalar('train/num_frames').data[0]
    assert list(logged) == [2, 2, 3, 3, 5, 5]


def test_growth_does_not_change_which_samples_are_seen(grown, root, tmp_path):
    watch = grown[2]
    plain = train(root, tmp_path, {})[1]
    assert order(watch) == order(plain)


def test_a_resumed_training_has_the_clips_it_would_have_had(
    grown, root, tmp_path
):
    work_dir, _, watch = grown
    shutil.copy(work_dir / 'iter_5.pth', tmp_path / 'iter_5.pth')
    resumed = train(
        *(root, tmp_path, grow({2: 3, 4: 5})),
        resume=True,
        load_from=str(tmp_path / 'iter_5.pth'),
        **LOADER,
    )[1]
    assert lengths(resumed) == {5: {5}}
    assert order(resumed) == {5: order(watch)[5]}


def test_milestones_may_come_as_text():
    hook = GrowClipHook({'40': 12, '5': 8})
    assert [hook.num_frames(i, 5) for i in (0, 4, 5, 39, 40, 99)] == [
        *(5, 5, 8, 8, 12, 12)
    ]


@pytest.mark.parametrize('milestones', [{'soon': 8}, {5: '8x'}, {-1: 8}])
def test_milestones_are_numbers(milestones):
    with pytest.raises(ValueError, match='iterations done -> T'):
        GrowClipHook(milestones)


@pytest.mark.parametrize(
    ('milestones', 'changes', 'error', 'sentence'),
    [
        (
            {2: 21},
            {},
            ValueError,
            'T=21 .* needs 20 frames before .* has 19: let T grow to 20',
        ),
        (
            {2: 8},
            {'train_dataloader.dataset.frame_interval': 3},
            ValueError,
            'T=8 with frame_interval=3 needs 21 .* grow to 7 at most',
        ),
        ({2: 13}, {}, FileNotFoundError, 'that are not there, such as'),
        ({2: 5, 4: 3}, {}, ValueError, 'its lengths are 2 -> 5 -> 3'),
    ],
)
def test_a_growth_that_cannot_be_is_refused(
    root, milestones, changes, error, sentence
):
    cfg = config('rnn_unet_joint', root, 'none')
    cfg.train_dataloader.dataset.num_frames = 2
    cfg.merge_from_dict(changes)
    loop = SimpleNamespace(replace_dataloader=None)
    runner = SimpleNamespace(cfg=cfg, train_loop=loop, max_iters=10)
    with pytest.raises(error, match=sentence):
        GrowClipHook(milestones).before_run(runner)


def test_a_data_set_inside_a_wrapper_is_looked_at(root):
    cfg = config('rnn_unet_mean_teacher', root, 'none')
    assert cfg.train_dataloader.dataset.type == 'UnlabelledFrames'
    loop = SimpleNamespace(replace_dataloader=None)
    runner = SimpleNamespace(cfg=cfg, train_loop=loop, max_iters=10)
    GrowClipHook({2: 8}).before_run(runner)
    with pytest.raises(ValueError, match='let T grow to 20'):
        GrowClipHook({2: 21}).before_run(runner)


def test_it_is_refused_before_the_training_begins(root, tmp_path):
    with pytest.raises(ValueError, match='T=21'):
        train(root, tmp_path, grow({2: 21}))
    assert not list(tmp_path.glob('*/vis_data/scalars.json'))


def test_a_loop_of_another_kind_cannot_grow():
    runner = SimpleNamespace(train_loop=SimpleNamespace())
    with pytest.raises(RuntimeError, match='needs a loop whose'):
        GrowClipHook({2: 5}).before_run(runner)


def test_what_is_frozen_stays_bit_for_bit_and_then_trains(root, tmp_path):
    freeze = dict(freeze=dict(type='FreezeHook', num_iters=2))
    runner, watch = train(root, tmp_path, freeze, max_iters=3)
    first, second, third = (watch.weights[i] for i in range(3))
    frozen = [k for k in first if not k.startswith('neck')]
    assert any('running_mean' in k for k in frozen)
    for key in frozen:
        assert torch.equal(first[key], second[key]), key
    assert not torch.equal(
        first['neck.rnns.3.proj.weight'], second['neck.rnns.3.proj.weight']
    )
    for key in AWAKE:
        assert not torch.equal(second[key], third[key]), key
    assert all(p.requires_grad for p in runner.model.parameters())


def test_a_training_resumed_while_frozen_goes_on_as_it_was(root, tmp_path):
    freeze = dict(freeze=dict(type='FreezeHook', num_iters=2))
    whole = train(root, tmp_path / 'whole', freeze, max_iters=3)[1]
    save = {'default_hooks.checkpoint.interval': 1}
    part = train(root, tmp_path / 'part', freeze, max_iters=1, **save)[1]
    resumed = train(
        *(root, tmp_path / 'part', freeze),
        max_iters=3,
        resume=True,
        load_from=str(tmp_path / 'part/iter_1.pth'),
    )[1]
    assert order(part)[0] == order(whole)[0]
    assert order(resumed) == {i: order(whole)[i] for i in (1, 2)}
    for key, value in part.weights[0].items():
        if not key.startswith('neck'):
            assert torch.equal(resumed.weights[1][key], value), key
    for key in AWAKE:
        assert not torch.equal(
            resumed.weights[2][key], part.weights[0][key]
        ), key


@pytest.mark.parametrize(
    ('modules', 'sentence'),
    [
        (['encoder'], 'has no encoder; it has .*backbone'),
        (['backbone', 'neck', 'decode_head'], 'nothing .* to train'),
    ],
)
def test_what_cannot_be_frozen_is_named(root, tmp_path, modules, sentence):
    freeze = dict(type='FreezeHook', num_iters=2, modules=modules)
    with pytest.raises(ValueError, match=sentence):
        train(root, tmp_path, dict(freeze=freeze))


def test_statistics_of_batch_norm_can_be_kept(root, tmp_path):
    norm_eval = dict(norm_eval=dict(type='NormEvalHook'))
    watch = train(root, tmp_path, norm_eval, max_iters=2)[1]
    first, second = watch.weights[0], watch.weights[1]
    for key, value in first.items():
        kept = 'running_' in key or 'num_batches' in key
        assert torch.equal(second[key], value) == kept, key


def test_label_weights_need_a_loss_that_reads_them(root, tmp_path):
    hook = dict(weight=dict(type='LabelWeightHook'))
    with pytest.raises(ValueError, match='SampleWeightedLoss'):
        train(root, tmp_path, hook)


def test_label_weights_do_not_survive_mixing(root, tmp_path):
    cfg = config('rnn_unet_pseudo', root, tmp_path)
    cfg.train_dataloader.dataset = cfg.train_dataloader.dataset.dataset
    cfg.model.data_preprocessor.batch_augments = dict(
        mix=dict(type='ClipCutMix')
    )
    with pytest.raises(ValueError, match='batch_augments mixes samples'):
        Runner.from_cfg(cfg).train()
