"""What an entry's config becomes, and what its hash depends on."""

from dataclasses import replace

import pytest
from mmengine import Config

from mmseg_video.experiments.resolve import (
    missing_files,
    resolve,
    training_key,
)
from mmseg_video.experiments.resolve import (
    test_key as hash_of_test,
)
from mmseg_video.experiments.spec import Entry
from tests.runs import CONFIGS, leaf

BASES = CONFIGS / '_base_'
RECIPES = BASES / 'recipes'
STREET = dict(
    data=BASES / 'datasets/street_scenes.py',
    schedule=BASES / 'schedules/schedule_street_finetune.py',
)
CAMVID = dict(
    data=BASES / 'datasets/camvid_sequence_bursts_t3.py',
    schedule=BASES / 'schedules/schedule_camvid_finetune.py',
)


def entry(name, **changes):
    config = leaf(f'{name}_cityscapes')
    return Entry(name, config, **{**STREET, **changes})


def lengths(cfg):
    return [
        cfg[f'{split}_dataloader'].dataset.num_frames
        for split in ('train', 'val', 'test')
    ]


def test_data_and_schedule_take_the_place_of_the_configs():
    cfg = resolve(entry('rnn_unet_joint'))
    street = Config.fromfile(CONFIGS / 'rnn_unet/rnn_unet_joint_street.py')
    cityscapes = Config.fromfile(
        CONFIGS / 'rnn_unet/rnn_unet_joint_cityscapes.py'
    )
    for key in ('train_dataloader', 'test_dataloader', 'test_evaluator'):
        assert cfg[key] == street[key]
    for key in ('optim_wrapper', 'param_scheduler', 'train_cfg'):
        assert cfg[key] == street[key]
    assert cfg.default_hooks == street.default_hooks
    assert cfg.custom_hooks == cityscapes.custom_hooks
    assert cfg.model == cityscapes.model


@pytest.mark.parametrize(
    ('name', 'num_frames'),
    [('unet', 1), ('rnn_unet_joint', 5), ('rnn_unet_t12', 12)],
)
def test_a_config_keeps_its_clips(name, num_frames):
    assert lengths(resolve(entry(name))) == [num_frames] * 3
    cfg = resolve(entry(name, **CAMVID, num_classes=11, keep=()))
    assert lengths(cfg) == [3] * 3


def test_the_interval_is_kept_too():
    cfg = resolve(entry('rnn_unet_interval3'))
    assert cfg.train_dataloader.dataset.frame_interval == 3
    assert cfg.train_dataloader.dataset.type == 'CityscapesSequenceDataset'


def test_nothing_of_the_other_data_stays():
    cfg = resolve(entry('rnn_unet_joint', **CAMVID, num_classes=11))
    dataset = cfg.train_dataloader.dataset
    assert dataset.data_prefix == dict(
        img_path='train', seg_map_path='trainannot'
    )
    assert cfg.model.decode_head.num_classes == 11


def test_overrides_come_in_turn_and_last():
    cfg = resolve(
        entry(
            'rnn_unet_joint',
            data_root='here',
            overrides=(
                {'model.neck.levels': [1], 'train_cfg': {'max_iters': 7}},
                {'model.neck.levels': [2], 'param_scheduler.1.end': 7},
            ),
        )
    )
    assert cfg.model.neck.levels == [2]
    assert cfg.train_cfg == dict(
        type='IterBasedTrainLoop', max_iters=7, val_interval=400
    )
    assert cfg.param_scheduler[1].end == 7
    assert cfg.test_dataloader.dataset.data_root == 'here'


def test_the_data_root_reaches_a_wrapped_data_set():
    cfg = resolve(entry('rnn_unet_pseudo', data=None, data_root='here'))
    assert cfg.train_dataloader.dataset.type == 'UnlabelledFrames'
    assert cfg.train_dataloader.dataset.dataset.data_root == 'here'
    assert 'data_root' not in cfg.train_dataloader.dataset
    assert 'here' in missing_files(cfg)


def test_overrides_that_do_not_fit():
    with pytest.raises(ValueError, match="entry 'unet': overrides do not fit"):
        resolve(entry('unet', overrides=({'param_scheduler.9.end': 1},)))


@pytest.mark.parametrize(
    ('overrides', 'says'),
    [
        ({'defualt_hooks': {}}, "no 'defualt_hooks'; close to it are defau"),
        ({'default_hooks': {True: None}}, 'the key True of default_hooks'),
        ({5: 1}, "has no '5'"),
        ({'train_cfg': None}, 'has no train_cfg'),
        ({'test_dataloader': None}, 'has no test_dataloader'),
        ({'train_cfg.max_iters': 0}, 'train_cfg.max_iters is 0, expected'),
        ({'param_scheduler': 5}, 'param_scheduler is 5, expected'),
        ({'model': 'unet'}, "model is 'unet', expected a dict"),
        ({'model.data_preprocessor': 5}, 'data_preprocessor is 5, expected'),
        ({'train_dataloader.dataset': 'x'}, "dataset is 'x', expected"),
        ({'optim_wrapper.optimizer.lr': 'abc'}, "lr is 'abc', expected"),
        ({'default_hooks.logger': 1}, 'default_hooks.logger is 1, expected'),
    ],
)
def test_what_no_training_can_go_by_is_refused_before_one(overrides, says):
    with pytest.raises(ValueError, match=r"^entry 'unet': ") as error:
        resolve(entry('unet', overrides=(overrides,)))
    assert says in str(error.value)
    assert '\n' not in str(error.value)


def test_overrides_may_say_nothing_and_have_numbers_for_keys():
    nothing = ('randomness', 'env_cfg', 'custom_hooks', 'param_scheduler')
    cfg = resolve(
        entry(
            'unet',
            overrides=(
                dict.fromkeys(nothing),
                {'default_hooks': {'speed': None, 'timer': None}},
                {'default_hooks.grow': {'type': 'GrowClipHook'}},
                {'default_hooks.grow.milestones': {}},
                {'default_hooks.grow': {'milestones': {4: 5}}},
            ),
        )
    )
    assert cfg.default_hooks.grow.milestones == {4: 5}
    assert 'speed' not in cfg.default_hooks
    assert cfg.default_hooks.timer is None
    # What a training reads.
    assert Config.fromstring(cfg.pretty_text, '.py').default_hooks == (
        cfg.default_hooks
    )
    assert cfg.randomness == {}


def test_a_test_alone_needs_nothing_of_a_training():
    wrong = {'train_cfg': None, 'optim_wrapper.optimizer.lr': -1}
    cfg = resolve(entry('unet', checkpoint_of='x', overrides=(wrong,)))
    assert cfg.train_cfg is None


def test_what_is_missing_is_named():
    weights = dict(type='Pretrained', checkpoint='no/such.pth')
    cfg = resolve(
        entry(
            'unet',
            data_root='no/data',
            overrides=({'model.backbone.init_cfg': weights},),
        )
    )
    assert set(missing_files(cfg)) == {'no/data', 'no/such.pth'}
    weights['checkpoint'] = 'torchvision://resnet18'
    cfg.model.backbone.init_cfg = weights
    assert set(missing_files(cfg)) == {'no/data'}


def test_a_hash_stands_for_the_training():
    def key(start=None, processes=1, amp=False, **overrides):
        cfg = resolve(entry('unet', overrides=(overrides,)))
        return training_key(cfg, start, processes, amp)

    same = {
        key(),
        key(**{'test_dataloader.batch_size': 3}),
        key(**{'model.test_cfg.streaming': True}),
        key(load_from='elsewhere', work_dir='elsewhere'),
    }
    assert len(same) == 1
    other = {
        key('weights'),
        key(processes=2),
        key(**{'randomness.seed': 1}),
        key(**{'model.decode_head.channels': 32}),
        key(**{'train_dataloader.dataset.data_root': 'elsewhere'}),
        key(custom_hooks=[dict(type='FreezeHook', modules=['backbone'])]),
        key(**{'default_hooks.speed.channels_last': True}),
        key(amp=True),
    }
    assert len(other | same) == 9


BURST, NOISE = dict(type='RandomBurst'), dict(type='NoiseFrames')


def test_a_hash_stands_for_the_test():
    def key(weights='weights', arguments=('--num-frames', '5'), **overrides):
        cfg = resolve(entry('unet', overrides=(overrides,)))
        return hash_of_test(cfg, weights, list(arguments))

    same = {
        key(),
        key(**{'train_cfg.max_iters': 3}),
        key(custom_hooks=[]),
    }
    assert len(same) == 1
    other = {
        key('others'),
        key(arguments=['--num-frames', '12']),
        key(arguments=['--num-frames', '5', '--amp']),
        key(arguments=[]),
        key(**{'model.test_cfg.streaming': True}),
        key(**{'test_dataloader.dataset.data_root': 'elsewhere'}),
        key(**{'tta_model.type': 'Other'}),
        key(**{'test_dataloader.dataset.augments': dict(a=BURST, b=NOISE)}),
        key(**{'test_dataloader.dataset.augments': dict(b=NOISE, a=BURST)}),
    }
    assert len(other | same) == 10


def test_a_test_alone_needs_no_more_than_it_reads():
    cfg = resolve(entry('unet', data_root='no/data'))
    weights = dict(type='Pretrained', checkpoint='no/such.pth')
    cfg.model.backbone.init_cfg = weights
    cfg.test_dataloader.dataset.data_root = str(CONFIGS)
    assert missing_files(cfg, trains=False) == []


def test_flow_stays_where_the_data_is_replaced():
    """It is what the model needs, whatever the data."""
    data = CONFIGS / '_base_/datasets/street_scenes.py'
    flow = entry('rnn_unet_gated_ema_flow', data=data)
    cfg = resolve(flow)
    for split in ('train', 'val', 'test'):
        augments = cfg[f'{split}_dataloader'].dataset.augments
        assert augments.flow.type == 'AddFlow'
    cfg = resolve(entry('rnn_unet_consistency', data=data))
    flow = cfg.train_dataloader.dataset.augments
    assert [t.type for t in flow.values()] == ['AddRefFlow']
    plain = resolve(entry('rnn_unet_gated_ema_only', data=data))
    assert 'augments' not in plain.test_dataloader.dataset


@pytest.mark.parametrize(
    ('base', 'recipe', 'like'),
    [
        ('rnn_unet_joint', 'gated_ema_flow', 'rnn_unet_gated_ema_flow'),
        ('rnn_unet_joint', 'burn_in', 'rnn_unet_burn_in'),
        ('rnn_unet_joint', 'pseudo_labels', 'rnn_unet_pseudo'),
        ('rnn_unet_joint', 'temporal_augmentation', 'rnn_unet_augmented'),
    ],
)
def test_a_recipe_makes_what_the_leaf_is(base, recipe, like):
    made = Entry(
        'x', leaf(f'{base}_street'), recipes=(RECIPES / f'{recipe}.py',)
    )
    want = Entry('y', leaf(f'{like}_street'))
    made, want = (dict(resolve(one)) for one in (made, want))
    # What the leaf needs to name things.
    assert made == {k: v for k, v in want.items() if k in made}
    assert set(want) - set(made) <= {'recipe', 'clips'}


def test_recipes_come_in_turn_before_the_overrides(tmp_path):
    own = tmp_path / 'own.py'
    own.write_text('recipe = dict(model=dict(filter=dict(weight=0.2)))')
    one = Entry(
        *('x', leaf('rnn_unet_joint_street')),
        recipes=(RECIPES / 'ema.py', own),
        overrides=({'model.filter.type': 'EMAFilter'},),
    )
    assert resolve(one).model.filter == dict(type='EMAFilter', weight=0.2)
    assert resolve(replace(one, recipes=(own, RECIPES / 'ema.py'))).model == {
        **resolve(one).model,
        'filter': dict(type='EMAFilter', weight=0.5),
    }
    own.write_text('model = dict()')
    with pytest.raises(ValueError, match='has no variable recipe'):
        resolve(one)
