"""What a config says wrong, with its place, before anything is built."""

import ast
import difflib
import inspect
import math
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mmengine import Config
from mmengine.registry import Registry
from mmseg.registry import DATASETS, MODELS, OPTIMIZERS

from ..datasets import sequence_config
from ..io.nearest import close_to

# What the runner and the tools read; all else are variables of a config.
KNOWN = (
    *('model', 'work_dir', 'data_preprocessor', 'load_from', 'resume'),
    *('train_dataloader', 'val_dataloader', 'test_dataloader'),
    *('train_cfg', 'val_cfg', 'test_cfg', 'val_evaluator', 'test_evaluator'),
    *('optim_wrapper', 'param_scheduler', 'auto_scale_lr', 'compile'),
    *('default_hooks', 'custom_hooks', 'custom_imports', 'default_scope'),
    *('launcher', 'env_cfg', 'log_processor', 'log_level', 'randomness'),
    *('visualizer', 'experiment_name', 'tta_model', 'tta_pipeline'),
    *('train_pipeline', 'test_pipeline'),  # of every config of mmseg
)


def check_bases(path: str | os.PathLike) -> None:
    """Refuse a config whose file, or one of its ``_base_`` files, is no
    Python, is missing, or leads back to itself.

    Raises:
        FileNotFoundError: With the file that names the missing one.
        ValueError: With the file, and the line.
    """
    _check_file(Path(path), ())


def _check_file(path: Path, above: tuple[Path, ...]) -> None:
    if path.suffix != '.py':
        return
    real = path.resolve()
    if real in above:
        raise ValueError(
            f"the _base_ of '{above[-1]}' leads back to '{path}': take it out"
        )
    try:
        tree = ast.parse(path.read_text())
    except SyntaxError as error:
        raise ValueError(
            f"'{path}', line {error.lineno}, is no Python: {error.msg}"
        ) from None
    except (UnicodeDecodeError, ValueError) as error:
        raise ValueError(f"'{path}' is no text: {error}") from None
    for base in _bases(tree, path):
        if base.startswith('mmseg_video::'):
            # MMEngine knows the packages that it looks into.
            raise ValueError(
                f"'{path}' names the _base_ '{base}', but MMEngine finds no "
                "configs of mmseg_video by '::': copy them by mmseg-video "
                f"configs --copy configs, keep '{path.name}' in that folder, "
                f"and name '{base.partition('::')[2]}'"
            )
        if '::' in base:  # of another package
            continue
        file = path.parent / base
        if not file.is_file():
            raise FileNotFoundError(
                f"'{path}' names the _base_ '{base}', which does not exist"
            )
        _check_file(file, (*above, real))


def _bases(tree: ast.Module, path: Path) -> list[str]:
    """What stands as ``_base_``, where it can be read without running."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and '_base_' in (
            getattr(target, 'id', None) for target in node.targets
        ):
            try:
                value = ast.literal_eval(node.value)
            except ValueError:
                return []
            values = [value] if isinstance(value, str) else value
            if not isinstance(values, list | tuple) or not all(
                isinstance(v, str) for v in values
            ):
                raise ValueError(
                    f"'{path}': _base_ is {value!r}, expected a path or a "
                    'list of paths'
                )
            return list(values)
    return []


def check_model(cfg: Config) -> None:
    """Refuse a config that others inherit, and that describes no model.

    Raises:
        ValueError: With its path.
    """
    if 'model' not in cfg:
        raise ValueError(
            f"'{cfg.filename}' has no model: it is no config of a whole "
            'training'
        )


def check_flow_is_read(cfg: Config) -> None:
    """Refuse optical flow that the data makes and no model reads.

    Raises:
        ValueError: With its place.
    """
    kind = cfg.model.get('type')
    model = MODELS.get(kind) if isinstance(kind, str) else None
    if model is None:
        return
    asked = inspect.signature(model).parameters.get('flow_compensated')
    compensates = asked is not None and asked.default
    if cfg.model.get('flow_compensated', compensates):
        return
    for split in ('train', 'val', 'test'):
        dataset = sequence_config(
            (cfg.get(f'{split}_dataloader') or {}).get('dataset') or {}
        )
        for name, step in (dataset.get('augments') or {}).items():
            if step and step.get('type') == 'AddFlow':
                raise ValueError(
                    f"'{cfg.filename}': {split}_dataloader.dataset.augments."
                    f'{name} makes optical flow that the model does not read: '
                    'set model.flow_compensated=True, or '
                    f'augments.{name}=None'
                )


def check_names(
    cfg: Config, options: dict | None = None, what: str = '--cfg-options'
) -> None:
    """Refuse top-level keys that nobody reads, and that look like others.

    A config may have variables of its own; one that is nearly a key of the
    runner is a typing error. An option must name a key that is there, or one
    that is read.

    Args:
        cfg (Config): The config, without the options.
        options (dict | None): What will be merged. Defaults to None.
        what (str): The options' name, for the sentence. Defaults to
            '--cfg-options'.

    Raises:
        ValueError: With the key, and what may have been meant.
    """
    file = cfg.filename
    for key in cfg:
        close = difflib.get_close_matches(key, KNOWN, 1, 0.85)
        if key not in KNOWN and close:
            raise ValueError(
                f"'{file}': nothing reads '{key}'; did you mean '{close[0]}'?"
            )
    for option in options or {}:
        key = str(option).partition('.')[0]
        if key not in cfg and key not in KNOWN:
            raise ValueError(
                f"{what} {option}: '{file}' has no '{key}'"
                f'{close_to(key, [*KNOWN, *cfg])}'
            )


def _whole(least: int, most: float = math.inf) -> tuple[Callable, str]:
    def fits(value) -> bool:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole and least <= value <= most

    upto = f' and <= {most}' if most < math.inf else ''
    return fits, f'a whole number >= {least}{upto}'


def _interval(value) -> bool:
    return value == -1 or _whole(1)[0](value)


def _rate(value) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and value >= 0


# What a training, or a test, cannot do without.
OF_TRAININGS = ('train_dataloader', 'train_cfg', 'optim_wrapper')
OF_VALIDATIONS = ('val_dataloader', 'val_cfg', 'val_evaluator')
OF_TESTS = ('test_dataloader', 'test_cfg', 'test_evaluator')
MOST = 10_000  # samples of a batch, and workers
# Place -> whether a value fits, and what is expected. The places are those of
# numbers; what else a class wants is the class's own to check.
RULES = {
    'train_cfg.max_iters': _whole(1),
    'train_cfg.max_epochs': _whole(1),
    'train_cfg.val_interval': _whole(1),
    'train_cfg.val_begin': _whole(0),
    'train_dataloader.batch_size': _whole(1, MOST),
    'train_dataloader.num_workers': _whole(0, MOST),
    'val_dataloader.batch_size': _whole(1, MOST),
    'val_dataloader.num_workers': _whole(0, MOST),
    'test_dataloader.batch_size': _whole(1, MOST),
    'test_dataloader.num_workers': _whole(0, MOST),
    'default_hooks.checkpoint.interval': (
        _interval,
        'a whole number >= 1, or -1 for never',
    ),
    'default_hooks.checkpoint.max_keep_ckpts': (
        _interval,
        'a whole number >= 1, or -1 for all',
    ),
    'default_hooks.logger.interval': _whole(1),
    'optim_wrapper.accumulative_counts': _whole(1),
    'default_scope': (lambda value: value == 'mmseg', "'mmseg'"),
    'env_cfg.dist_cfg.timeout': (
        lambda value: _rate(value) and value > 0,
        'a number of seconds > 0',
    ),
    'randomness.seed': (
        lambda value: value is None or _whole(0)[0](value),
        'a whole number >= 0, or None',
    ),
}
RATES = ('lr', 'weight_decay', 'lr_mult', 'decay_mult', 'eta_min')


def check_parts(cfg: Config, parts: Sequence[str]) -> None:
    """Refuse a config that lacks one of its top-level parts, or whose loader
    does not say in which order it gives samples.

    Raises:
        ValueError: With the part.
    """
    for key in parts:
        if cfg.get(key) is None:
            found = 'is None' if key in cfg else 'is not there'
            raise ValueError(
                f"'{cfg.filename}': {key} {found}, and nothing can be done "
                'without it: it is a dict, see the configs in _base_'
            )
        loader = cfg[key] if key.endswith('dataloader') else dict(sampler=1)
        if not (loader.get('sampler') or loader.get('batch_sampler')):
            raise wrong(
                *(cfg, f'{key}.sampler', None),
                "dict(type='DefaultSampler', shuffle=...) or another one",
            )


def check_training(cfg: Config) -> None:
    """Refuse what a training cannot go by.

    Raises:
        ValueError: With the place in the config, what stands there, and what
            is expected.
    """
    for place, (fits, expected) in RULES.items():
        value, there = at(cfg, place)
        if there and not fits(value):
            raise wrong(cfg, place, value, expected)
    for part in ('optim_wrapper', 'param_scheduler'):
        for place, node in dicts(cfg.get(part) or {}, part):
            for key in node.keys() & set(RATES):
                if not _rate(node[key]):
                    raise wrong(
                        *(cfg, f'{place}.{key}', node[key]),
                        'a number >= 0',
                    )
    loop = cfg.get('train_cfg')
    if loop is not None and not {'type', 'by_epoch'} & set(loop):
        expected = "type='IterBasedTrainLoop' or 'EpochBasedTrainLoop' in it"
        raise wrong(cfg, 'train_cfg', loop, expected)
    place = 'optim_wrapper.optimizer.type'
    kind, there = at(cfg, place)
    if there and isinstance(kind, str) and OPTIMIZERS.get(kind) is None:
        raise unknown(place, kind, OPTIMIZERS)
    _check_sharding(cfg)
    check_flow_is_read(cfg)
    for split in ('train', 'val'):
        _check_classes(cfg, split)
        pipeline, there = at(cfg, f'{split}_dataloader.dataset.pipeline')
        if there and not pipeline:
            place = f'{split}_dataloader.dataset.pipeline'
            raise wrong(cfg, place, pipeline, 'transforms, packing last')

    there = [cfg.get(key) is not None for key in OF_VALIDATIONS]
    if any(there) and not all(there):
        lacking = OF_VALIDATIONS[there.index(False)]
        raise ValueError(
            f"'{cfg.filename}': {lacking} is None, and others of "
            f'{", ".join(OF_VALIDATIONS)} are not: a training validates with '
            'all of them, or with none'
        )


def _check_sharding(cfg: Config) -> None:
    """Refuse what shards weights: checkpoints here are those of whole ones."""
    wrapper = (cfg.get('model_wrapper_cfg') or {}).get('type')
    sharded = wrapper is not None and 'FullySharded' in str(wrapper)
    for key in ('strategy', 'runner_type'):
        if cfg.get(key) is not None:
            raise wrong(cfg, key, cfg[key], _NO_SHARDS)
    if sharded:
        raise wrong(cfg, 'model_wrapper_cfg.type', wrapper, _NO_SHARDS)


_NO_SHARDS = (
    'none: trainings here keep whole weights in each process, and resume from '
    'them exactly; for a model that does not fit shard it in a loop of your '
    "own, see 'Sharded weights' of the long clips page, or lower its memory "
    'by train_cfg.checkpoint_frames'
)


def _check_classes(cfg: Config, split: str) -> None:
    """Refuse heads with fewer classes than the data have."""
    dataset = sequence_config(
        (cfg.get(f'{split}_dataloader') or {}).get('dataset') or {}
    )
    kind = dataset.get('type')
    known = DATASETS.get(kind) if isinstance(kind, str) else None
    classes = (dataset.get('metainfo') or {}).get('classes')
    classes = classes or getattr(known, 'METAINFO', {}).get('classes')
    number = 2 if dataset.get('foreground') else len(classes or ())
    for place, node in dicts(cfg.model, 'model'):
        own = node.get('num_classes')
        # An auxiliary head of the edges, and the like, has its own.
        if not place.endswith('decode_head') or not isinstance(own, int):
            continue
        if own < number:
            raise ValueError(
                f"'{cfg.filename}': {place}.num_classes is {own}, the labels "
                f'of {split}_dataloader.dataset ({kind}) have {number} '
                'classes: make them agree'
            )


def at(cfg: Config, place: str) -> tuple[object, bool]:
    """What stands at a place, and whether anything does."""
    node = cfg
    for key in place.split('.'):
        if not isinstance(node, dict | Config) or key not in node:
            return None, False
        node = node[key]
    return node, True


def dicts(node, place: str) -> Iterator[tuple[str, dict]]:
    """Every dict below a node, with its place."""
    if isinstance(node, dict):
        yield place, node
        for key, value in node.items():
            yield from dicts(value, f'{place}.{key}')
    elif isinstance(node, list | tuple):
        for i, value in enumerate(node):
            yield from dicts(value, f'{place}.{i}')


def wrong(cfg: Config, place: str, value, expected: str) -> ValueError:
    return ValueError(
        f"'{cfg.filename}': {place} is {value!r}, expected {expected}"
    )


def unknown(place: str, kind: str, registry: Registry) -> ValueError:
    names = set(registry.module_dict)
    while registry.parent is not None:
        registry = registry.parent
        names |= set(registry.module_dict)
    return ValueError(
        f"{place}: there is no {registry.name} '{kind}'"
        f'{close_to(kind, sorted(names))}. Is its module in custom_imports?'
    )
