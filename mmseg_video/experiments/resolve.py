"""The config that an entry stands for, and its hash."""

import copy
from pathlib import Path

from mmengine import Config

from ..datasets import sequence_config
from ..engine.config_checks import check_names, check_training
from ..engine.config_merge import merge
from ..engine.config_types import check_types
from ..engine.launch import leave_out_hooks, load_config, load_part
from .no_programs import refuse_programs
from .spec import Entry
from .store import hash_of

# What a schedule replaces; the hooks are replaced one by one.
SCHEDULE = ('optim_wrapper', 'param_scheduler', 'train_cfg', 'val_cfg')
SPLITS = ('train', 'val', 'test')
FLOWS = ('AddFlow', 'AddRefFlow')
# Set by whoever runs a config, or of no effect on the weights.
NOT_TRAINING = ('load_from', 'resume', 'work_dir', 'launcher')


def resolve(entry: Entry) -> Config:
    """The config of an entry: data and schedule replaced, recipes and then
    overrides merged.

    ``data`` and ``schedule`` take the place of those that the config
    inherits; model and hooks of its own stay. Its data sets keep the T and
    the interval of the config's own (``Entry.keep``), so that a diff in
    these keeps its meaning.

    Raises:
        ValueError: If something does not fit; the sentence names the entry.
    """
    where = f"entry '{entry.name}'"
    cfg = load_config(str(entry.config))
    if entry.data:
        _replace_data(cfg, load_part(str(entry.data)), entry.keep)
    if entry.schedule:
        _replace_schedule(cfg, load_part(str(entry.schedule)))
    for recipe in entry.recipes:
        _add_recipe(cfg, recipe)
    if entry.num_classes:
        _set_classes(cfg.model, entry.num_classes)
    for split in SPLITS:
        dataset = _dataset(cfg, split)
        if entry.data_root and 'data_root' in dataset:
            dataset.data_root = entry.data_root
    for overrides in entry.overrides:
        try:
            check_names(cfg, overrides, 'overrides:')
            refuse_programs(overrides)
            merge(cfg, overrides)
        except ValueError as error:
            raise ValueError(
                f'{where}: overrides do not fit {entry.config}: {error}'
            ) from None
    training = () if entry.checkpoint_of else ('train_dataloader', 'train_cfg')
    for key in ('test_dataloader', *training):
        if not cfg.get(key):
            raise ValueError(
                f'{where}: {entry.config} has no {key}: name data and '
                'schedule in the spec'
            )
    try:
        check_types(cfg)
        if training:
            check_training(cfg)
    except ValueError as error:
        raise ValueError(f'{where}: {error}') from None
    leave_out_hooks(cfg)
    cfg.randomness = cfg.get('randomness') or {}
    cfg.load_from = entry.load_from or cfg.get('load_from')
    return cfg


def framewise(cfg: Config) -> bool:
    """Whether the model reads the key frame of a clip alone."""
    kind = (cfg.model.get('data_preprocessor') or {}).get('type')
    return kind == 'KeyFrameDataPreProcessor'


def training_key(
    cfg: Config, start: str | None, processes: int = 1, amp: bool = False
) -> str:
    """A hash of all that decides the weights of a training.

    Args:
        cfg (Config): The config with its seed.
        start (str | None): The hash of the weights it starts from.
        processes (int): How many train it together: each takes a batch.
            Defaults to 1.
        amp (bool): Whether in mixed precision. Defaults to False.
    """
    settings = {
        key: value
        for key, value in cfg.to_dict().items()
        if key not in NOT_TRAINING and not key.startswith(('test_', 'tta_'))
    }
    settings['model'].pop('test_cfg', None)
    return hash_of(
        dict(settings=settings, start=start, processes=processes, amp=amp)
    )


def test_key(cfg: Config, weights: str, arguments: list[str]) -> str:
    """A hash of all that decides the figures of a test.

    Args:
        cfg (Config): The config.
        weights (str): The hash of the training that they come from.
        arguments (list[str]): Of ``tools/test.py``.
    """
    settings = {
        key: value
        for key, value in cfg.to_dict().items()
        if key.startswith(('test_', 'tta_')) or key == 'model'
    }
    return hash_of(
        dict(settings=settings, weights=weights, arguments=arguments)
    )


def missing_files(cfg: Config, trains: bool = True) -> list[str]:
    """Data folders and pretrained weights that a config names in vain.

    Args:
        cfg (Config): The config.
        trains (bool): Whether it is trained: a test reads neither the other
            splits nor pretrained weights. Defaults to True.
    """
    missing = []
    for split in SPLITS if trains else ('test',):
        dataset = _dataset(cfg, split)
        root = dataset.get('data_root')
        if root and '://' not in root and not Path(root).is_dir():
            missing.append(root)
    for path in _pretrained(cfg.model) if trains else ():
        if '://' not in path and not Path(path).is_file():
            missing.append(path)
    return missing


def _replace_data(cfg: Config, data: Config, keep: tuple[str, ...]) -> None:
    kept = {}
    for split in SPLITS:
        dataset = _dataset(cfg, split)
        kept[split] = {key: dataset[key] for key in keep if key in dataset}
        # Flow is the model's need, whatever the data.
        flow = {
            name: transform
            for name, transform in (dataset.get('augments') or {}).items()
            if transform and transform.get('type') in FLOWS
        }
        if flow:
            kept[split].setdefault('augments', {}).update(flow)
    for key, value in data.items():
        cfg[key] = copy.deepcopy(value)
    for split in SPLITS:
        if f'{split}_dataloader' in data:
            _dataset(cfg, split).update(kept[split])


def _replace_schedule(cfg: Config, schedule: Config) -> None:
    for key in SCHEDULE:
        if key in schedule:
            cfg[key] = copy.deepcopy(schedule[key])
    # Not by update(), which MMEngine makes a merge.
    for name, hook in schedule.get('default_hooks', {}).items():
        cfg.default_hooks[name] = copy.deepcopy(hook)


def _add_recipe(cfg: Config, path: Path) -> None:
    """Merge what the variable ``recipe`` of a file holds.

    Its ``dataloader`` is for all splits, and its ``dataset`` is put around
    the training's, as its ``dataset``.

    Raises:
        ValueError: If the file has no recipe, or it does not fit.
    """
    recipe = load_part(str(path)).get('recipe')
    if not isinstance(recipe, dict):
        raise ValueError(f"'{path}' has no variable recipe = dict(...)")
    recipe = copy.deepcopy(recipe.to_dict())
    shared, around = (
        recipe.pop('dataloader', None),
        recipe.pop('dataset', None),
    )
    parts = [{f'{split}_dataloader': shared} for split in SPLITS if shared]
    if around:
        clips = copy.deepcopy(cfg.train_dataloader.dataset)
        parts.append(
            dict(train_dataloader=dict(dataset={**around, 'dataset': clips}))
        )
    try:
        for part in (*parts, recipe):
            merge(cfg, part)
    except ValueError as error:
        raise ValueError(
            f"the recipe '{path}' does not fit: {error}"
        ) from None


def _set_classes(model: dict | list, num_classes: int) -> None:
    """Set every ``num_classes`` of a model's config."""
    values = model.values() if isinstance(model, dict) else model
    if isinstance(model, dict) and 'num_classes' in model:
        model['num_classes'] = num_classes
    for value in values:
        if isinstance(value, dict | list | tuple):
            _set_classes(value, num_classes)


def _pretrained(model: dict | list) -> list[str]:
    """Every checkpoint that an ``init_cfg`` of a model names."""
    values = model.values() if isinstance(model, dict) else model
    found = []
    if isinstance(model, dict) and model.get('type') == 'Pretrained':
        found.append(str(model.get('checkpoint')))
    for value in values:
        if isinstance(value, dict | list | tuple):
            found += _pretrained(value)
    return found


def _dataset(cfg: Config, split: str) -> dict:
    return sequence_config(
        (cfg.get(f'{split}_dataloader') or {}).get('dataset', {})
    )
