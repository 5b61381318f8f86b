"""Settings merged into a config, whatever a YAML file has for keys."""

import copy

from mmengine import Config
from mmengine.config.config import DELETE_KEY


def merge(cfg: Config, options: dict) -> None:
    """Put settings into a config, as :meth:`Config.merge_from_dict` does.

    Beyond it, keys may be whole numbers, such as the milestones ``{16000: 8}``
    of a YAML file, an entry of a list may be anything, and where None stands
    is nothing. A key that is a path, ``a.b.0``, leads to its place; dicts are
    merged, unless they have ``_delete_=True``; entries of lists go by their
    numbers; what else there is takes the place of what was there.

    Args:
        cfg (Config): It gets the settings.
        options (dict): They stay as they are.

    Raises:
        ValueError: If a key is neither a name nor a whole number, an entry of
            a list is not there, or what is to get a key is no dict. The
            config is left as it was.
    """
    _check_keys(options, ())
    made = {
        key: _merged(value, cfg.get(key), (key,))
        for key, value in _nested(options).items()
    }
    for key, value in made.items():
        cfg[key] = value


def _check_keys(value, place: tuple) -> None:
    if isinstance(value, list | tuple):
        for i, item in enumerate(value):
            _check_keys(item, (*place, i))
    elif isinstance(value, dict):
        for key, item in value.items():
            number = isinstance(key, int) and not isinstance(key, bool)
            if not (key and isinstance(key, str)) and not (number and place):
                of = f' of {_name(place)}' if place else ''
                raise ValueError(
                    f'the key {key!r}{of} is neither a name nor a whole '
                    'number (YAML reads yes, no, on, off and null as values: '
                    'put such a name in quotes)'
                )
            _check_keys(item, (*place, key))


def _nested(options: dict) -> dict:
    """Keys that are paths, as dicts of dicts."""
    made = {}
    for key, value in options.items():
        *above, last = key.split('.')
        if not all((*above, last)):
            raise ValueError(f"'{key}': a name between its points is missing")
        node = made
        for part in above:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise ValueError(f"'{key}' leads into '{part}', which is set")
        node[last] = copy.deepcopy(value)
    return made


def _merged(value, there, place: tuple):
    """What comes to stand where ``there`` does, None if nothing."""
    if not isinstance(value, dict):
        return value
    value = dict(value)
    if value.pop(DELETE_KEY, False) or there is None:
        there = {}
    if isinstance(there, list):
        made = list(there)
        numbers = {_number(key, there, place): key for key in value}
        value = {number: value[key] for number, key in numbers.items()}
    elif isinstance(there, dict):
        made = dict(there)
    else:
        raise ValueError(
            f'{_name(place)} is {there!r}, which has no '
            f"'{next(iter(value), '')}'; a dict with _delete_=True takes its "
            'place'
        )
    for key, item in value.items():
        old = made[key] if isinstance(there, list) else there.get(key)
        made[key] = _merged(item, old, (*place, key))
    return made


def _number(key: str | int, there: list, place: tuple) -> int:
    """Of an entry of a list."""
    if not str(key).isdecimal() or int(key) >= len(there):
        raise ValueError(
            f'{_name(place)} is a list of {len(there)}: its entries have the '
            f"numbers from 0 on, and there is no '{key}'"
        )
    return int(key)


def _name(place: tuple) -> str:
    return '.'.join(map(str, place))
