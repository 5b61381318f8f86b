"""What cannot be built is named with its place in the config."""

import pytest
from mmengine.runner import Runner
from mmseg.registry import DATASETS, MODELS
from torch import nn

from mmseg_video.engine.explain import explained
from tests.runs import config
from tests.test_engine.test_config_checks import training


def test_a_key_that_a_class_does_not_take():
    cfg = training(
        default_hooks=dict(logger=dict(type='LoggerHook', intervall=2))
    )
    text = "__init__() got an unexpected keyword argument 'intervall'"
    match = r"default_hooks\.logger \(LoggerHook\) takes no 'intervall'"
    with pytest.raises(ValueError, match=match), explained(cfg):
        raise TypeError(text)


def test_a_key_is_told_from_those_of_its_parents():
    cfg = training(
        default_hooks=dict(a=dict(type='CheckpointHook', intervall=2))
    )
    text = "__init__() got an unexpected keyword argument 'intervall'"
    match = 'no .intervall.; close to it are .*interval'
    with pytest.raises(ValueError, match=match), explained(cfg):
        raise TypeError(text)


def test_a_class_that_nobody_registered():
    cfg = training(default_hooks=dict(a=dict(type='LogerHook')))
    text = "'LogerHook is not in the mmseg::hook registry. Please ...'"
    match = r"hooks\.a\.type: there is no hook 'LogerHook'.*LoggerHook"
    with pytest.raises(ValueError, match=match), explained(cfg):
        raise KeyError(text)


@pytest.mark.parametrize(
    ('loop', 'lacks'),
    [
        (dict(type='EpochBasedTrainLoop'), 'max_epochs'),
        (dict(type='IterBasedTrainLoop', val_interval=2), 'max_iters'),
    ],
)
def test_a_key_that_a_class_needs(loop, lacks):
    # Of a parent of the class that takes MMEngine's name.
    text = f'{loop["type"]}.__init__() missing 1 required positional arg'
    cfg = training(val_cfg=dict(type='ValLoop'))
    cfg.train_cfg = loop
    # One that has it is not meant.
    cfg.model.loop = {**loop, lacks: 3}
    match = rf"train_cfg \({loop['type']}\) lacks '{lacks}'"
    with pytest.raises(ValueError, match=match), explained(cfg):
        raise TypeError(f"{text}ument: '{lacks}'")


def test_what_it_cannot_explain_stays():
    with pytest.raises(KeyError, match='other'), explained(training()):
        raise KeyError('other')
    with pytest.raises(TypeError, match='none'), explained(training()):
        raise TypeError("unexpected keyword argument 'none'")
    with pytest.raises(TypeError, match='mis'), explained(training()):
        raise TypeError("X.__init__() missing 1 required argument: 'a'")


@MODELS.register_module()
class Moody(nn.Module):
    """Raises what it is given."""

    def __init__(self, mood, inner=None):
        super().__init__()
        if inner is not None:
            MODELS.build(inner)
        raise mood


@pytest.mark.parametrize(
    ('mood', 'says'),
    [
        (ValueError('too much of it'), r'model\.neck \(Moody\): too much'),
        (AssertionError(), r'model\.neck \(Moody\): AssertionError$'),
        (KeyError('size'), r'model\.neck \(Moody\): KeyError: size$'),
        (TypeError('a b\nc'), r'model\.neck \(Moody\): TypeError: a b c$'),
        (AttributeError('no x'), 'AttributeError: no x$'),
    ],
)
def test_what_a_part_raises(mood, says):
    cfg = training()
    cfg.model = dict(type='Moody', neck=dict(type='Moody', mood=mood))
    with pytest.raises(ValueError, match=says), explained(cfg):
        MODELS.build(cfg.model.neck)


def test_the_innermost_part_that_is_of_the_config():
    cfg = training()
    inner = dict(type='Moody', mood=ValueError('it is too much'))
    cfg.model = dict(type='Moody', mood=None, inner=inner)
    with (
        pytest.raises(ValueError, match=r'model\.inner \(Moody\): it is'),
        explained(cfg),
    ):
        MODELS.build(cfg.model)
    cfg.model.inner = None
    with (
        pytest.raises(ValueError, match=r'model \(Moody\): it is'),
        explained(cfg),
    ):
        MODELS.build(dict(cfg.model, inner=inner))


def test_files_name_themselves_and_whoever_has_named_the_place():
    cfg = training(custom=1)
    cfg.model = dict(type='Moody', mood=FileNotFoundError('no file x'))
    with pytest.raises(FileNotFoundError, match='no file x'), explained(cfg):
        MODELS.build(cfg.model)
    cfg.model.mood = RuntimeError('model is wrong')
    with pytest.raises(RuntimeError, match=r'^model is wr'), explained(cfg):
        MODELS.build(cfg.model)
    with pytest.raises(RuntimeError, match=r'^not while'), explained(cfg):
        raise RuntimeError('not while it was built')


def test_two_parts_that_are_alike_are_told_apart():
    cfg = training()
    for split in ('train', 'val'):
        cfg[f'{split}_dataloader'] = dict(
            dataset=dict(type='CityscapesSequenceDataset', num_frames=0)
        )
    cfg.val_dataloader.dataset.frame_interval = 3
    with (
        pytest.raises(ValueError, match=r'val_dataloader\.dataset \(City'),
        explained(cfg),
    ):
        DATASETS.build(dict(cfg.val_dataloader.dataset, pipeline=[]))


def test_a_loader(root, tmp_path):
    cfg = config('unet', root, tmp_path)
    cfg.train_dataloader.collate_fn = dict(type='nobody')
    match = 'train_dataloader: TypeError: the first'
    with pytest.raises(ValueError, match=match), explained(cfg):
        Runner.from_cfg(cfg).train()
