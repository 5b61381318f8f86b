"""What a config says wrong is named with its place, before it is built."""

import re

import pytest
from mmengine import Config

from mmseg_video.engine.config_checks import (
    check_bases,
    check_flow_is_read,
    check_model,
    check_names,
    check_parts,
    check_training,
)
from mmseg_video.engine.config_types import check_types


def training(**changes):
    """As little as a training is checked by."""
    cfg = Config(
        dict(
            model=dict(
                type='EncoderDecoder',
                decode_head=dict(num_classes=19),
                auxiliary_head=dict(num_classes=2),
            ),
            train_cfg=dict(type='IterBasedTrainLoop', max_iters=4),
            train_dataloader=dict(
                batch_size=1,
                num_workers=0,
                dataset=dict(
                    type='CityscapesSequenceDataset', pipeline=[dict(type='X')]
                ),
            ),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
            param_scheduler=[dict(type='PolyLR', eta_min=0.0)],
            default_hooks=dict(checkpoint=dict(interval=2)),
            randomness=dict(seed=0),
            default_scope='mmseg',
        )
    )
    cfg.merge_from_dict(changes)
    return cfg


def write(folder, **texts):
    for name, text in texts.items():
        (folder / f'{name}.py').write_text(text)
    return folder / f'{next(iter(texts))}.py'


class TestBases:
    def test_a_loop_is_named_with_the_file_that_closes_it(self, tmp_path):
        path = write(
            tmp_path, a="_base_ = './b.py'\n", b="x = 1\n_base_ = ['a.py']\n"
        )
        with pytest.raises(ValueError, match=r"b\.py' leads back to '.*a\.py"):
            check_bases(path)

    def test_two_ways_to_one_base_are_no_loop(self, tmp_path):
        path = write(
            tmp_path,
            a="_base_ = ['b.py', 'c.py', 'mmseg::_base_/x.py']\n",
            b="_base_ = 'd.py'\n",
            c="_base_ = 'd.py'\n",
            d='x = 1\n',
        )
        check_bases(path)

    def test_what_is_wrong_far_below_is_named(self, tmp_path):
        path = write(tmp_path, a="_base_ = 'b.py'\n", b="_base_ = 'c.py'\n")
        with pytest.raises(FileNotFoundError, match=r"b\.py' names .*'c\.py'"):
            check_bases(path)
        write(tmp_path, c='x = 1\ny = (\n')
        with pytest.raises(ValueError, match=r"c\.py', line 2, is no Python"):
            check_bases(path)
        (tmp_path / 'c.py').write_bytes(b'\xff\xfe x')
        with pytest.raises(ValueError, match=r"c\.py' is no text"):
            check_bases(path)

    def test_bases_that_are_no_paths(self, tmp_path):
        for text in ('5', '[1]', "{'a': 1}"):
            path = write(tmp_path, a=f'_base_ = {text}\n')
            with pytest.raises(ValueError, match='a path or a list of paths'):
                check_bases(path)

    def test_bases_that_are_computed_are_left_to_mmengine(self, tmp_path):
        check_bases(write(tmp_path, a="_base_ = [str(1) + '.py']\n"))

    def test_other_formats_have_none(self, tmp_path):
        check_bases(tmp_path / 'none.json')


class TestNames:
    def test_a_key_that_is_nearly_one(self):
        cfg = training(defualt_hooks=1, own_variable=1)
        with pytest.raises(ValueError, match="'defualt_hooks'; did you mean"):
            check_names(cfg)
        check_names(training(own_variable=1, model_name=2))

    @pytest.mark.parametrize(
        'option', ['model.a', 'resume', 'own', 'val_cfg.type']
    )
    def test_options_of_what_is_there_or_is_read(self, option):
        check_names(training(own=1), {option: 1})

    def test_an_option_that_nobody_reads(self):
        with pytest.raises(ValueError, match="no 'modle'; close to it are"):
            check_names(training(), {'modle.a.b': 1})

    def test_whose_options_they_are(self):
        with pytest.raises(ValueError, match=r"^overrides 5: .* has no '5'"):
            check_names(training(), {5: 1}, 'overrides')

    def test_a_model_there_must_be(self):
        check_model(training())
        with pytest.raises(ValueError, match='has no model'):
            check_model(Config(dict(a=1)))


GOOD = {
    'train_cfg.max_iters': 1,
    'train_cfg.val_begin': 0,
    'train_dataloader.num_workers': 0,
    'default_hooks.checkpoint.interval': -1,
    'randomness.seed': None,
    'optim_wrapper.optimizer.lr': 0,
    'optim_wrapper.optimizer.type': 'AdamW',
}
BAD = {
    'default_hooks.checkpoint.max_keep_ckpts': (0, -2),
    'optim_wrapper.accumulative_counts': (0, 'a'),
    'train_cfg.max_iters': (0, 1.5, True, 'a', None),
    'train_cfg.max_epochs': (0,),
    'train_cfg.val_begin': (-1,),
    'train_cfg.val_interval': (0,),
    'train_dataloader.batch_size': (0, 10**12),
    'env_cfg.dist_cfg.timeout': ('a', 0, -1),
    'train_dataloader.num_workers': (-1,),
    'val_dataloader.batch_size': (0,),
    'val_dataloader.num_workers': (-1,),
    'test_dataloader.batch_size': (0,),
    'test_dataloader.num_workers': (-1,),
    'default_hooks.checkpoint.interval': (0, -2, '2'),
    'default_hooks.logger.interval': (0, -1),
    'default_scope': ('mmdet', None),
    'randomness.seed': (-1, 'a'),
    'optim_wrapper.optimizer.lr': (-1, 'a', float('inf'), True),
    'optim_wrapper.optimizer.weight_decay': (-1,),
    'optim_wrapper.paramwise_cfg.custom_keys.head.lr_mult': (-1,),
    'strategy': ('FSDPStrategy',),
    'runner_type': ('FlexibleRunner',),
    'model_wrapper_cfg.type': ('MMFullyShardedDataParallel',),
}


@pytest.mark.parametrize('place', GOOD)
def test_what_a_training_can_go_by(place):
    check_training(training(**{place: GOOD[place]}))


@pytest.mark.parametrize(
    ('place', 'value'), [(p, v) for p, values in BAD.items() for v in values]
)
def test_what_it_cannot(place, value):
    with pytest.raises(ValueError, match='expected') as error:
        check_training(training(**{place: value}))
    assert f'{place} is {value!r}, expected' in str(error.value)


@pytest.mark.parametrize(
    'lacking', ['val_dataloader', 'val_cfg', 'val_evaluator']
)
def test_half_a_validation(lacking):
    parts = dict(
        val_dataloader=dict(sampler=dict(type='A'), dataset=dict(type='B')),
        val_cfg=dict(type='ValLoop'),
        val_evaluator=dict(type='IoUMetric'),
    )
    check_training(training(**parts))
    with pytest.raises(ValueError, match=f'{lacking} is None, and others'):
        check_training(training(**{**parts, lacking: None}))


@pytest.mark.parametrize('value', [None, ...])
def test_a_part_that_nothing_can_be_done_without(value):
    cfg = training(**{'train_dataloader.sampler': dict(type='A')})
    parts = ('train_cfg', 'train_dataloader')
    check_parts(cfg, parts)
    cfg.pop('train_cfg')
    if value is not ...:
        cfg.train_cfg = value
    found = 'is not there' if value is ... else 'is None'
    with pytest.raises(ValueError, match=f'train_cfg {found}, and'):
        check_parts(cfg, parts)


def test_an_order_of_samples_there_must_be():
    cfg = training()
    with pytest.raises(ValueError, match=r'train_dataloader\.sampler is None'):
        check_parts(cfg, ['train_dataloader'])
    cfg.train_dataloader.batch_sampler = dict(type='A')
    check_parts(cfg, ['train_dataloader'])


def test_a_loop_needs_a_type():
    cfg = training()
    cfg.train_cfg = dict(max_iters=4)
    with pytest.raises(ValueError, match=r"train_cfg is .*type='IterBased"):
        check_training(cfg)
    cfg.train_cfg = dict(by_epoch=True, max_epochs=4)
    check_training(cfg)


def test_a_training_without_a_validation():
    cfg = training()
    cfg.model.type = 'EncoderDecoder'
    cfg.val_dataloader = cfg.test_dataloader = cfg.val_cfg = None
    check_training(cfg)


def test_a_rate_within_a_list_of_schedules():
    cfg = training(param_scheduler=[dict(eta_min=0), dict(eta_min='x')])
    with pytest.raises(ValueError, match=r"er\.1\.eta_min is 'x'"):
        check_training(cfg)


def test_an_optimizer_that_is_not_there_and_one_like_it():
    cfg = training(**{'optim_wrapper.optimizer.type': 'AdmW'})
    with pytest.raises(ValueError, match=r"no \w+ 'AdmW'; close to .*AdamW"):
        check_training(cfg)


@pytest.mark.parametrize('split', ['train', 'val'])
def test_an_empty_pipeline(split):
    cfg = training(**{f'{split}_dataloader.dataset.pipeline': []})
    with pytest.raises(ValueError, match=f'{split}_dataloader.*is .., expec'):
        check_training(cfg)


class TestClasses:
    def refuse(self, number, **changes):
        cfg = training(**{'model.decode_head.num_classes': 5, **changes})
        match = rf'decode_head\.num_classes is 5, .* have {number} classes'
        with pytest.raises(ValueError, match=match):
            check_training(cfg)

    def test_fewer_than_the_data_set_has(self):
        self.refuse(19)
        check_training(training(**{'model.decode_head.num_classes': 20}))

    def test_those_that_the_config_names_count(self):
        place = 'train_dataloader.dataset.metainfo.classes'
        self.refuse(6, **{place: list('abcdef')})
        check_training(
            training(
                **{place: list('abcde'), 'model.decode_head.num_classes': 5}
            )
        )

    def test_a_foreground_has_two(self):
        cfg = training(
            **{
                'train_dataloader.dataset.foreground': True,
                'model.decode_head.num_classes': 2,
            }
        )
        check_training(cfg)

    def test_wrapped_data_and_heads_in_a_list(self):
        cfg = training()
        cfg.train_dataloader.dataset = dict(
            type='UnlabelledFrames', dataset=cfg.train_dataloader.dataset
        )
        cfg.model = dict(decode_head=dict(decode_head=dict(num_classes=7)))
        with pytest.raises(
            ValueError, match=r'head\.decode_head\.num_classes'
        ):
            check_training(cfg)


FINE = {
    'work_dir': 'run',
    'load_from': None,
    'resume': True,
    'log_level': 'WARNING',
    'val_dataloader': None,
    'val_evaluator': [dict(type='A'), dict(type='B')],
    'default_hooks.checkpoint': None,
    'model.neck': dict(levels=[0, 1], in_channels=[[1, 2], 3]),
    'model.decode_head.in_index': 3,
    'train_pipeline': [dict(type='A', transforms=[[dict(type='B')]])],
    'train_dataloader.dataset.metainfo': dict(classes=['a'], palette=[[1]]),
    'default_hooks.grow': dict(type='GrowClipHook', milestones={4: 5}),
    'model.pretrained': None,
    'model.norm': [1, 'a'],
}


@pytest.mark.parametrize('place', FINE)
def test_things_that_are_as_they_should(place):
    check_types(training(**{place: FINE[place]}))


def test_a_window_that_slides_has_a_size_and_a_step():
    cfg = training()
    cfg.model.test_cfg = dict(mode='slide', crop_size=(8, 8), stride=(4, 4))
    check_types(cfg)
    for key in ('crop_size', 'stride'):
        cfg = training()
        cfg.model.test_cfg = dict(mode='slide', crop_size=8, stride=4)
        cfg.model.test_cfg.pop(key)
        with pytest.raises(ValueError, match=f'test_cfg.{key} is None, exp'):
            check_types(cfg)


def test_a_model_has_a_class():
    cfg = training()
    cfg.model.pop('type')
    with pytest.raises(ValueError, match=r'model is .*expected dict\(type='):
        check_types(cfg)


def test_a_schedule_that_begins_at_no_number():
    cfg = training(param_scheduler=[dict(type='A', begin='soon')])
    with pytest.raises(ValueError, match=r"er\.0\.begin is 'soon', expected"):
        check_types(cfg)


def test_schedules_of_several_optimizers():
    cfg = training()
    cfg.param_scheduler = dict(generator=[dict(type='PolyLR')])
    check_types(cfg)


NO_SUCH = {
    'model.backbone': 'ResNet',
    'model.data_preprocessor': 5,
    'model.test_cfg': 'whole',
    'env_cfg.dist_cfg': 'nccl',
    'optim_wrapper.optimizer': 'SGD',
    'optim_wrapper.clip_grad': 1.0,
    'model.backbone ': None,
    'model.test_cfg ': None,
    'model.test_cfg.mode': 'strip',
    'model.init_cfg': 5,
    'model.pretrained': 5,
    'custom_hooks.0  ': ([None], None),
    'optim_wrapper.optimizer ': None,
    'default_hooks.runtime_info': None,
    'train_cfg.type': None,
    'optim_wrapper.type': 5,
    'launcher': 'foo',
    'train_dataloader.dataset.augments': 5,
    'train_dataloader.dataset.metainfo': 'x',
    'work_dir': 5,
    'load_from': dict(a=1),
    'resume': 'perhaps',
    'log_level': 'LOUD',
    'experiment_name': 1,
    'model': 'unet',
    'model ': None,
    'train_cfg': [1],
    'val_cfg': 1,
    'train_dataloader': 'x',
    'default_hooks.logger': 'LoggerHook',
    'custom_hooks.0': ([1], 1),
    'custom_hooks': 'EMAHook',
    'param_scheduler.1': ([dict(type='A'), 0.1], 0.1),
    'val_evaluator': 'IoUMetric',
    'val_evaluator.iou_metrics.1': (dict(iou_metrics=['a', 1]), 1),
    'train_pipeline.0': ([None], None),
    'tta_pipeline.0.transforms.1.0': (
        [dict(type='A', transforms=[[], ['B']])],
        'B',
    ),
    'model.neck.levels.1': (dict(levels=[0, 'a']), 'a'),
    'model.decode_head.in_channels': 'a',
    'model.head.in_channels.0': (dict(in_channels=[{}]), {}),
    'model.decode_head.dropout': float('nan'),
    'model.decode_head.weights.1': (dict(weights=[1.0, float('nan')]), 'nan'),
    'custom_hooks.0 ': ([dict(interval=1)], dict(interval=1)),
}


@pytest.mark.parametrize('place', NO_SUCH)
def test_things_that_are_not(place):
    given = NO_SUCH[place]
    value, told = given if isinstance(given, tuple) else (given, given)
    place = place.strip()
    key = place
    if isinstance(given, tuple):
        # The place of the value that is set is above the one that is named.
        depth = 1 if isinstance(value, list) else 2
        if place.startswith('tta'):
            depth = 4
        key = '.'.join(place.split('.')[:-depth])
    cfg = training()
    cfg.merge_from_dict({key: value})
    with pytest.raises(ValueError, match='expected') as error:
        check_types(cfg)
    assert f'{place} is ' in str(error.value)
    assert str(told) in str(error.value)


@pytest.mark.parametrize(
    ('loader', 'place', 'value'),
    [
        (dict(batch_size=1), 'dataset', None),
        (dict(dataset='x'), 'dataset', 'x'),
        (dict(dataset=dict(dataset=[])), 'dataset.dataset', []),
        (dict(dataset={}, sampler='x'), 'sampler', 'x'),
    ],
)
@pytest.mark.parametrize('split', ['train', 'val', 'test'])
def test_what_is_in_a_loader(split, loader, place, value):
    cfg = training(val_dataloader=None)
    check_types(cfg)
    cfg[f'{split}_dataloader'] = loader
    match = re.escape(f'{split}_dataloader.{place} is {value!r}, expected')
    with pytest.raises(ValueError, match=match):
        check_types(cfg)


FLOW = 'test_dataloader.dataset.augments.flow'


def with_flow(**model):
    cfg = training(**{FLOW: dict(type='AddFlow')})
    cfg.model = model
    return cfg


@pytest.mark.parametrize(
    'model',
    [
        dict(type='EncoderDecoder'),
        dict(type='RecurrentUNet', filter=dict(type='EMAFilter')),
        dict(type='SteadySegmentor', flow_compensated=False),
    ],
)
def test_flow_that_no_model_reads_is_refused(model):
    with pytest.raises(ValueError, match=f'{FLOW} makes optical flow that'):
        check_flow_is_read(with_flow(**model))


@pytest.mark.parametrize(
    'model',
    [
        dict(type='RecurrentUNet', flow_compensated=True),
        dict(type='SteadySegmentor'),
        dict(type='NoModel'),  # refused by others
    ],
)
def test_flow_that_a_model_reads(model):
    check_flow_is_read(with_flow(**model))


def test_flow_that_is_left_out_again():
    cfg = with_flow(type='EncoderDecoder')
    cfg.test_dataloader.dataset.augments.flow = None
    check_flow_is_read(cfg)
