"""What kind of thing stands where in a config, in its lists too."""

import logging
import math
from collections.abc import Iterator

from mmengine import Config

from .config_checks import KNOWN, at, dicts, wrong

# Parts of a config that are dicts; where one may be left out it is None.
SECTIONS = (
    *('train_dataloader', 'val_dataloader', 'test_dataloader'),
    *('train_cfg', 'val_cfg', 'test_cfg', 'optim_wrapper', 'default_hooks'),
    *('env_cfg', 'log_processor', 'randomness', 'visualizer'),
    *('auto_scale_lr', 'custom_imports', 'data_preprocessor', 'tta_model'),
)
# What is a dict within them, where it is there; data are in each loader.
INNER = (
    *('model.backbone', 'model.data_preprocessor', 'model.train_cfg'),
    *('model.test_cfg', 'env_cfg.dist_cfg', 'env_cfg.mp_cfg'),
    *('optim_wrapper.optimizer', 'optim_wrapper.paramwise_cfg'),
    *('optim_wrapper.clip_grad', 'tta_model.tta_cfg'),
    *('train_dataloader.sampler', 'val_dataloader.sampler'),
    *('test_dataloader.sampler',),
)
# Of these, what may not be None where it is there.
NEEDED = (
    *('model.backbone', 'model.decode_head', 'model.data_preprocessor'),
    *('model.test_cfg', 'optim_wrapper.optimizer'),
    'default_hooks.runtime_info',
)
OF_DATA = ('augments', 'metainfo', 'backend_args')
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
# Keys of what is built in turn, or of one such.
PARTS = (
    *('pipeline', 'train_pipeline', 'test_pipeline', 'tta_pipeline'),
    *('transforms', 'custom_hooks', 'param_scheduler', 'vis_backends'),
    *('val_evaluator', 'test_evaluator', 'init_cfg'),
)
# Keys of numbers, or of lists of them.
NUMBERS = (
    *('in_channels', 'channels', 'in_index', 'out_indices', 'levels'),
    *('strides', 'dilations', 'num_classes', 'num_frames', 'milestones'),
    *('mean', 'std', 'scale', 'ratio_range', 'crop_size', 'betas'),
    *('begin', 'end', 'power', 'gamma', 'factor', 'start_factor'),
    *('end_factor', 'step_size', 'max_norm', 'loss_weight', 'momentum'),
    *('pad_val', 'seg_pad_val', 'size_divisor', 'stride', 'dropout_ratio'),
    *('class_weights', 'base_channels'),
)
NAMES = ('classes', 'iou_metrics')
# Single values -> whether one fits, and what is expected.
VALUES = {
    'work_dir': (lambda v: isinstance(v, str), 'a path'),
    'load_from': (
        lambda v: isinstance(v, str | None),
        'a path, an address or None',
    ),
    'resume': (lambda v: isinstance(v, bool | None), 'True or False'),
    'launcher': (
        lambda v: v in ('none', 'pytorch', 'slurm', 'mpi'),
        "'none', 'pytorch', 'slurm' or 'mpi'",
    ),
    'experiment_name': (lambda v: isinstance(v, str | None), 'a name'),
    'log_level': (
        lambda v: isinstance(getattr(logging, str(v), v), int),
        "'DEBUG', 'INFO', 'WARNING' or 'ERROR'",
    ),
}
_NO_TYPE = int | float | dict | list | None
PART, NUMBER, NAME = "dict(type='...', ...)", 'a number', 'a name'


def check_types(cfg: Config) -> None:
    """Refuse a string, a number or a dict where something else belongs, and
    numbers that are none (NaN).

    Raises:
        ValueError: With the place in the config, what stands there, and what
            is expected.
    """
    there = [key for key in KNOWN if key in cfg]
    for key in ('model', *SECTIONS):
        fits = dict if key == 'model' else dict | None
        if key in there and not isinstance(cfg[key], fits):
            raise wrong(cfg, key, cfg[key], 'a dict')
    for place in INNER:
        value, _ = at(cfg, place)
        if not isinstance(value, dict | None):
            raise wrong(cfg, place, value, 'a dict')
    for place in NEEDED:
        value, there_is = at(cfg, place)
        if there_is and value is None:
            raise wrong(cfg, place, value, 'a dict')
    _check_model(cfg)
    for key in LOADERS:
        loader = cfg.get(key)
        if loader is not None:
            _check_dataset(cfg, f'{key}.dataset', loader.get('dataset'))
    for key, (fits, expected) in VALUES.items():
        if key in there and not fits(cfg[key]):
            raise wrong(cfg, key, cfg[key], expected)
    for name, hook in (cfg.get('default_hooks') or {}).items():
        if hook is not None and not isinstance(hook, dict):
            raise wrong(cfg, f'default_hooks.{name}', hook, f'{PART} or None')
    for top in there:
        _check(cfg, top, top, cfg[top])
        for place, node in dicts(cfg[top], top):
            for key, value in node.items():
                _check(cfg, key, f'{place}.{key}', value)


def _check_model(cfg: Config) -> None:
    """It has a class, and all that its way to predict asks for."""
    model = cfg.get('model')
    if not model:
        return
    if 'type' not in model:
        raise wrong(cfg, 'model', model, PART)
    test_cfg = model.get('test_cfg') or {}
    if 'mode' not in test_cfg:
        return
    if test_cfg['mode'] not in ('whole', 'slide'):
        raise wrong(
            cfg, 'model.test_cfg.mode', test_cfg['mode'], "'whole' or 'slide'"
        )
    for key in ('crop_size', 'stride'):
        if test_cfg['mode'] == 'slide' and not test_cfg.get(key):
            raise wrong(
                *(cfg, f'model.test_cfg.{key}', test_cfg.get(key)),
                "two numbers, which mode='slide' needs",
            )


def _check_dataset(cfg: Config, place: str, dataset) -> None:
    """It and what it wraps are dicts."""
    if not isinstance(dataset, dict):
        raise wrong(cfg, place, dataset, PART)
    for key in OF_DATA:
        if not isinstance(dataset.get(key), dict | None):
            raise wrong(cfg, f'{place}.{key}', dataset[key], 'a dict')
    if 'dataset' in dataset:
        _check_dataset(cfg, f'{place}.dataset', dataset['dataset'])


def _check(cfg: Config, key: str, place: str, value) -> None:
    for here, leaf in _leaves(value, place):
        if isinstance(leaf, float) and math.isnan(leaf):
            raise wrong(cfg, here, leaf, 'a number')
        inside = here != place  # of a list
        if key in PARTS and _is_no_part(leaf, inside):
            raise wrong(cfg, here, leaf, PART)
        if (
            key in NUMBERS
            and isinstance(leaf, str | dict)
            and (inside or isinstance(leaf, str))
        ):
            raise wrong(cfg, here, leaf, NUMBER)
        if key == 'type' and isinstance(leaf, _NO_TYPE):
            raise wrong(cfg, here, leaf, 'the name of a class')
        if key == 'pretrained' and type(leaf) in (int, float, list):
            raise wrong(cfg, here, leaf, 'a path, a name or None')
        if key in NAMES and inside and not isinstance(leaf, str):
            raise wrong(cfg, here, leaf, NAME)


def _is_no_part(leaf, inside: bool) -> bool:
    if leaf is None:
        return inside  # a config has no such part, but a list has no gaps
    if isinstance(leaf, dict):
        # Beside lists there are dicts of lists: one for each optimiser.
        return inside and 'type' not in leaf
    return isinstance(leaf, str | int | float)


def _leaves(value, place: str) -> Iterator[tuple[str, object]]:
    """What stands in a list, in lists within it too; else the value."""
    if isinstance(value, list | tuple):
        for i, each in enumerate(value):
            yield from _leaves(each, f'{place}.{i}')
    else:
        yield place, value
