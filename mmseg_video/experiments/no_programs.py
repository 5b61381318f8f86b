"""What a spec may set: values, and parts by the names of their classes.

A spec is data, and may be a stranger's. MMEngine takes whatever Python can
import for the ``type`` of a part, and calls it: ``os.system`` too.
"""

import importlib.util
import sys

import mmengine.registry
import mmseg.registry
from mmengine.registry import Registry

from ..engine.config_checks import dicts

PICKLES = ('.pkl', '.pickle')


def refuse_programs(overrides: dict) -> None:
    """Refuse settings that would run something that is no class of ours, of
    mmseg or of MMEngine.

    Args:
        overrides (dict): Of a spec.

    Raises:
        ValueError: With the key: modules to import, a type that is no
            registered class, or a pickle.
    """
    for place, node in dicts(overrides, ''):
        for key, value in node.items():
            here = f'{place}.{key}'.removeprefix('.')
            if here.split('.')[0] == 'custom_imports':
                raise ValueError(
                    f'{here}: a spec imports nothing, since it may be '
                    "anyone's: put it in the config"
                )
            if not isinstance(value, str):
                continue
            name = here.rpartition('.')[2]
            if name.endswith(('type', 'constructor')) and _is_foreign(value):
                raise ValueError(
                    f"{here}: a spec names registered classes, and '{value}' "
                    'is none: MMEngine would import and call it. Put it in '
                    'the config'
                )
            known = f'{value}.registry' in sys.modules
            if name in ('_scope_', 'default_scope') and not known:
                raise ValueError(f"{here}: there is no package '{value}'")
            if value.lower().endswith(PICKLES):
                raise ValueError(
                    f"{here}: '{value}' is a pickle, which runs what it says "
                    'when it is read: a spec names none'
                )


def _is_foreign(kind: str) -> bool:
    """Whether it is no registered class, but something of Python's."""
    if kind in _registered():
        return False
    scope, dot, name = kind.partition('.')
    if not dot:
        return importlib.util.find_spec(kind) is not None
    # With a scope, such as mmpretrain.TIMMBackbone; what a package has by
    # that name is not what its registries have.
    module = sys.modules.get(scope)
    known = f'{scope}.registry' in sys.modules
    return '.' in name or not known or hasattr(module, name)


def _registered() -> set[str]:
    return {
        name
        for module in (mmseg.registry, mmengine.registry)
        for registry in vars(module).values()
        if isinstance(registry, Registry)
        for name in registry.module_dict
    }
