"""What MMEngine says of a part of a config, with the part's place."""

import contextlib
import inspect
import re
import traceback
from collections.abc import Iterator

import mmseg.registry
from mmengine import Config
from mmengine.registry import Registry

from ..datasets import sequence_config
from ..io.nearest import close_to
from .config_checks import KNOWN, dicts, unknown
from .config_types import LOADERS

_ARGUMENT = re.compile(r"unexpected keyword argument '(\w+)'")
_MISSING = re.compile(r'missing \d+ required \S+ arguments?: (.+)')
_REGISTRY = re.compile(r'(\S+) is not in the \w+::(.+?) registry')


# What a part raises that cannot be built. Those of files name them.
RAISED = (
    *(TypeError, ValueError, KeyError, AttributeError, AssertionError),
    *(IndexError, ImportError, RuntimeError, ZeroDivisionError),
)
# Of these, those whose text is a sentence.
SPOKEN = (ValueError, KeyError, AssertionError, RuntimeError)
# Functions that build -> which of their variables says what.
BUILDERS = dict(
    build_from_cfg='cfg', build_dataloader='dataloader', register_hook='hook'
)
# The runner's own -> what they make.
SECTIONS = dict(
    setup_env='env_cfg',
    set_randomness='randomness',
    build_optim_wrapper='optim_wrapper',
    build_param_scheduler='param_scheduler',
    scale_lr='auto_scale_lr',
)


@contextlib.contextmanager
def explained(cfg: Config) -> Iterator[None]:
    """Give what is raised by a part that cannot be built the part's place.

    Raises:
        ValueError: Of a key that a class does not take, or lacks, of a class
            that nobody registered, and whatever else a part raises.
    """
    try:
        yield
    except RAISED as error:
        text = str(error.args[0]) if error.args else ''
        better = _explain(cfg, text) or _of_a_part(cfg, error, text)
        if better is None:
            raise
        raise better from error


def _of_a_part(cfg: Config, error: Exception, text: str) -> ValueError | None:
    """The sentence with the innermost part of the config that was being
    built; None if none was."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    for frame in reversed(frames):
        function = frame.f_code.co_name
        part = frame.f_locals.get(BUILDERS.get(function))
        place = SECTIONS.get(function)
        if isinstance(part, dict):
            place = _place(cfg, part)
        else:
            part = {}
        if place is None:
            continue
        if place in text:
            return None
        text = ' '.join(text.split())
        if ' ' not in text or not isinstance(error, SPOKEN):
            text = f'{type(error).__name__}: {text}'.removesuffix(': ')
        kind = f' ({part["type"]})' if 'type' in part else ''
        return ValueError(f"'{cfg.filename}': {place}{kind}: {text}")
    return None


def _place(cfg: Config, part: dict) -> str | None:
    """Where a part stands, None if it is none of the config.

    Whoever builds it may have added settings, or taken some.
    """
    if 'type' not in part:
        return _loader(cfg, part)
    alike, best = [], (0, None)
    for place, node in _nodes(cfg):
        if node.get('type') != part['type']:
            continue
        alike.append(place)
        shared = node.keys() & part.keys()
        whole = shared in (node.keys(), part.keys())
        if whole and all(node[key] == part[key] for key in shared):
            best = max(best, (len(shared), place), key=lambda pair: pair[0])
    return alike[0] if len(alike) == 1 else best[1]


def _loader(cfg: Config, part: dict) -> str | None:
    """Which one it is, by its data."""
    for place in LOADERS:
        loader = cfg.get(place)
        if loader and 'dataset' in part:
            data = (
                sequence_config(each['dataset']) for each in (loader, part)
            )
            if next(data) == next(data):
                return place
    return None


def _nodes(cfg: Config) -> list[tuple[str, dict]]:
    """The dicts of what is read, each with its place."""
    return [
        pair
        for key, value in cfg.items()
        for pair in dicts(value, key)
        if key in KNOWN and not key.endswith('_pipeline')
    ]


def _explain(cfg: Config, text: str) -> ValueError | None:
    found = _nodes(cfg)
    if match := _REGISTRY.search(text):
        kind = match[1].strip('`\'"')
        for place, node in found:
            if node.get('type') == kind:
                registry = _registry(match[2].strip())
                if registry.get(kind) is None:
                    return unknown(f'{place}.type', kind, registry)
    if match := _MISSING.search(text):
        lacking = re.findall(r"'(\w+)'", match[1])
        for place, node in found:
            kind = _class(node.get('type'))
            named = any(
                f'{each.__name__}.__init__() missing' in text
                for each in getattr(kind, '__mro__', ())
            )
            if named and not set(lacking) & set(node):
                return ValueError(
                    f"'{cfg.filename}': {place} ({node['type']}) lacks "
                    + ' and '.join(f"'{name}'" for name in lacking)
                )
    if match := _ARGUMENT.search(text):
        key = match[1]
        for place, node in found:
            if key in node and 'type' in node:
                names = _parameters(node['type'])
                if names and key not in names:
                    return ValueError(
                        f"'{cfg.filename}': {place} ({node['type']}) takes "
                        f"no '{key}'{close_to(key, names)}"
                    )
    return None


def _registries() -> list[Registry]:
    return [
        value
        for value in vars(mmseg.registry).values()
        if isinstance(value, Registry)
    ]


def _registry(name: str) -> Registry:
    return next(r for r in _registries() if r.name == name)


def _class(kind) -> type | None:
    """The class that a config's ``type`` names."""
    if isinstance(kind, str):
        found = (r.module_dict.get(kind) for r in _registries())
        parents = (
            r.parent.module_dict.get(kind)
            for r in _registries()
            if r.parent is not None
        )
        kind = next((c for c in (*found, *parents) if c is not None), None)
    return kind if inspect.isclass(kind) else None


def _parameters(kind) -> list[str]:
    """What a class and those that it is made of take."""
    kind = _class(kind)
    if kind is None:
        return []
    return sorted(
        {
            name
            for each in kind.__mro__
            if '__init__' in vars(each) and each is not object
            for name in inspect.signature(each.__init__).parameters
        }
        - {'self', 'args', 'kwargs'}
    )
