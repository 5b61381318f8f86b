"""What is compared with what: a YAML file, read and checked."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml
from mmengine import Config

from ..engine.published import weights_of
from ..evaluation.figures import check_figures
from ..evaluation.protocol import Protocol
from ..io.shipped import (
    ROOT,
    find_config,
    find_spec,
    shipped,
)

SIZE = (512, 1024)
LARGEST = 100_000  # values of a spec; aliases of aliases make any number
# May stand at the top, for all entries, and in an entry, for that one.
SHARED = (
    *('data', 'schedule', 'data_root', 'num_classes', 'keep', 'seeds'),
    *('amp', 'protocols', 'recipes', 'overrides', 'baseline', 'sequences'),
)
TOP = (*SHARED, 'size', 'entries')
ENTRY = (*SHARED, 'title', 'config', 'load_from', 'checkpoint_of')
# Keys of texts, and whether there must be one.
TEXTS = dict.fromkeys(
    ('data', 'schedule', 'data_root', 'load_from', 'checkpoint_of')
    + ('baseline', 'title'),
    False,
) | {'config': True}
RECIPES = 'configs/_base_/recipes'


@dataclass(frozen=True)
class Entry:
    """One of the systems that an ablation compares.

    Args:
        name (str): Of its folder and its row.
        config (Path): Its config.
        data (Path | None): A base file whose settings replace the config's,
            and which may hold others. Defaults to None, the config's own.
        schedule (Path | None): Likewise for optimiser, schedule and length.
        data_root (str | None): The data's folder. Defaults to the data's.
        num_classes (int | None): Of every head. Defaults to the config's.
        keep (tuple[str, ...]): What its data sets keep of the config's own
            where ``data`` replaces them. Defaults to T and the interval.
        seeds (tuple[int, ...]): One training each. Defaults to (0,).
        amp (bool): Whether it is trained and tested in mixed precision.
            Defaults to False.
        protocols (dict[Protocol, tuple[str, ...]]): How it is tested, and
            the figures that are reported, the first being the one that is
            plotted. Without any it has no row: others start from it.
        load_from (str | None): What it starts from: an entry, a checkpoint, or
            the name of a config with published weights. A checkpoint's
            ``{seed}`` stands for the run's. Defaults to the config's own.
        checkpoint_of (str | None): The checkpoint, or the entry whose
            checkpoint it tests: it has no training. Defaults to None.
        recipes (tuple[Path, ...]): Files whose ``recipe`` is merged into the
            config, in turn. Defaults to none.
        overrides (tuple[dict, ...]): Merged after them, in turn.
        baseline (str | None): The entry that it is compared with. Defaults
            to None; itself is none either.
        sequences (bool): Whether its tests keep the results of each
            sequence, for a bootstrap. Defaults to False.
        title (str | None): What a reader sees in place of its name. Defaults
            to None.
    """

    name: str
    config: Path
    data: Path | None = None
    schedule: Path | None = None
    data_root: str | None = None
    num_classes: int | None = None
    keep: tuple[str, ...] = ('num_frames', 'frame_interval')
    seeds: tuple[int, ...] = (0,)
    amp: bool = False
    protocols: dict[Protocol, tuple[str, ...]] = field(default_factory=dict)
    load_from: str | None = None
    checkpoint_of: str | None = None
    recipes: tuple[Path, ...] = ()
    overrides: tuple[dict, ...] = ()
    baseline: str | None = None
    sequences: bool = False
    title: str | None = None

    @property
    def start(self) -> str | None:
        """Of which entry or file it takes the weights."""
        return self.checkpoint_of or self.load_from

    @property
    def key_of_start(self) -> str:
        """The key of the spec that says so."""
        return 'checkpoint_of' if self.checkpoint_of else 'load_from'

    def of_seed(self, seed: int) -> 'Entry':
        """The entry, its start being the checkpoint of that seed."""
        if '{seed}' not in (self.start or ''):
            return self
        path = self.start.replace('{seed}', str(seed))
        return replace(self, **{self.key_of_start: path})


@dataclass(frozen=True)
class Spec:
    """An ablation.

    Args:
        name (str): Of its folder.
        entries (dict[str, Entry]): In the order of the rows.
        size (tuple[int, int]): Height and width of the frame whose latency
            is measured. Defaults to (512, 1024).
    """

    name: str
    entries: dict[str, Entry] = field(default_factory=dict)
    size: tuple[int, int] = SIZE

    @property
    def rows(self) -> list[Entry]:
        """The entries that are tested."""
        return [entry for entry in self.entries.values() if entry.protocols]

    @property
    def baselines(self) -> list[str]:
        """The entries that others are compared with."""
        return list(dict.fromkeys(e.baseline for e in self.rows if e.baseline))

    def with_starts(self, names: Iterable[str]) -> list[str]:
        """These entries and all that they start from, in the spec's order.

        Raises:
            ValueError: If there is no such entry.
        """
        wanted, todo = set(), list(names)
        while todo:
            name = todo.pop()
            if name not in self.entries:
                raise ValueError(
                    f"no entry '{name}': choose of {', '.join(self.entries)}"
                )
            wanted.add(name)
            if self.entries[name].start in self.entries:
                todo.append(self.entries[name].start)
        return [name for name in self.entries if name in wanted]


def read_spec(path: str | Path, folder: str = '', **shared) -> Spec:
    """The ablation that a YAML file describes.

    Args:
        path (str | Path): The file, or the name of one of
            ``configs/ablations``. It may inherit from others (``_base_``), as
            configs do.
        folder (str): Where paths in it begin. Defaults to the current one.
            What is not there and begins with ``configs/`` is the package's.
        **shared: Replaces what the file says for all entries, such as
            ``data_root``; None leaves it, ``overrides`` come last.

    Raises:
        FileNotFoundError: If there is no such file, or a file that it names.
        ValueError: If a key, an entry's name or a value is not as it must
            be; the sentence has the allowed ones.
    """
    path = Path(find_spec(path))
    _refuse_duplicates(path)
    try:
        # Values alone: a spec names no modules to import and no variables.
        content = Config.fromfile(
            path,
            use_predefined_variables=False,
            import_custom_modules=False,
            use_environment_variables=False,
        ).to_dict()
    except Exception as error:  # what it makes of bases that do not fit
        why = error.args[0] if error.args else type(error).__name__
        raise ValueError(f'{path}: {why}') from error
    if not isinstance(content.get('entries'), dict):
        raise ValueError(f'{path}: entries: NAME: {{config: ...}} is missing')
    options = shared.pop('overrides', None)
    content.update({k: v for k, v in shared.items() if v is not None})
    defaults = {k: content[k] for k in SHARED if k in content}
    try:
        entries = {
            str(name): _entry(str(name), own, defaults, options, folder)
            for name, own in content['entries'].items()
        }
        spec = Spec(
            path.stem,
            {name: _with_weights(e, entries) for name, e in entries.items()},
            _size(content.get('size', SIZE)),
        )
        _check(spec)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None
    return spec


def _entry(
    name: str, own, defaults: dict, options: dict | None, folder: str
) -> Entry:
    where = f"entry '{name}'"
    if not re.fullmatch(r'[\w+.-]*\w[\w+.-]*', name):
        raise ValueError(
            f'{where}: a name is made of letters, digits and _ + . -'
        )
    if not isinstance(own, dict) or 'config' not in own:
        raise ValueError(f'{where}: config: PATH is missing')
    _check_keys(where, own, ENTRY)
    values = {**defaults, **own}
    for key, needed in TEXTS.items():
        value = values.get(key)
        if not isinstance(value, str if needed else str | None):
            raise ValueError(
                f'{where}: {key}: a text, not {value!r} (put it in quotes)'
            )
    for key in ('config', 'data', 'schedule'):
        if values.get(key) is not None:
            values[key] = _file(where, key, folder, values[key])
    values['recipes'] = tuple(
        _recipe(where, folder, recipe)
        for asked in (defaults.get('recipes'), own.get('recipes'))
        for recipe in _names(f'{where}: recipes', asked)
    )
    overrides = [defaults.get('overrides'), own.get('overrides'), options]
    for each in overrides:
        if not isinstance(each, dict | None):
            raise ValueError(f'{where}: overrides: KEY: VALUE, not {each}')
    values['overrides'] = tuple(each for each in overrides if each)
    if 'seeds' in values:
        values['seeds'] = _seeds(where, values['seeds'])
    if values.get('num_classes') is not None:
        _integers(f'{where}: num_classes', [values['num_classes']], 1)
    for key in ('amp', 'sequences'):
        if not isinstance(values.get(key, False), bool):
            raise ValueError(
                f'{where}: {key}: true or false, not {values[key]}'
            )
    if 'keep' in values:
        values['keep'] = tuple(_names(f'{where}: keep', values['keep']))
    asked = values.get('protocols') or {}
    if not isinstance(asked, dict) or not all(
        isinstance(name, str)
        and isinstance(metrics, list)
        and metrics
        and all(isinstance(metric, str) for metric in metrics)
        for name, metrics in asked.items()
    ):
        raise ValueError(
            f'{where}: protocols: NAME: [METRIC, ...], such as t5: [mIoU], '
            f'not {asked}'
        )
    for metrics in asked.values():
        check_figures(metrics)
    values['protocols'] = {
        Protocol.parse(name): tuple(metrics) for name, metrics in asked.items()
    }
    return Entry(name, **values)


def _with_weights(entry: Entry, entries: dict[str, Entry]) -> Entry:
    """The path of published weights for the name of their config."""
    start = entry.start
    if not start or start in entries:
        return entry
    try:
        weights = weights_of(start)
    except FileNotFoundError as error:
        raise ValueError(f"entry '{entry.name}': {error}") from None
    return replace(entry, **{entry.key_of_start: weights})


def _check(spec: Spec) -> None:
    entries = spec.entries
    for name, entry in entries.items():
        where = f"entry '{name}'"
        if entry.load_from and entry.checkpoint_of:
            raise ValueError(
                f'{where}: load_from and checkpoint_of do not go together: it '
                'either trains from weights or tests them'
            )
        start = entries.get(entry.start)
        named = start or not entry.start or _is_path(entry.start)
        if not named and not _exists(entry.start):
            raise ValueError(
                f"{where}: {entry.key_of_start} '{entry.start}' is neither a "
                f'file nor an entry: choose of {", ".join(entries)}'
            )
        if start and not set(entry.seeds) <= set(start.seeds):
            raise ValueError(
                f"{where}: seeds {list(entry.seeds)}, but '{start.name}', "
                f'where it starts, has only {list(start.seeds)}'
            )
        if start and start.checkpoint_of:
            raise ValueError(
                f"{where}: '{start.name}' has no training to start from: name "
                f"'{start.checkpoint_of}'"
            )
    for name in entries:
        _refuse_cycle(entries, name)
    tested = [entry.name for entry in spec.rows]
    for name in spec.baselines:
        if name not in tested:
            raise ValueError(
                f"baseline '{name}' is no entry with protocols: choose of "
                f'{", ".join(tested)}'
            )


def _is_path(start: str) -> bool:
    """Whether it names a file, there or not, and no entry: whether it is
    there is seen when the runs are made."""
    return '{seed}' in start or start.endswith('.pth') or '/' in start


def _exists(checkpoint: str) -> bool:
    return '://' in checkpoint or Path(checkpoint).is_file()


def _refuse_cycle(entries: dict[str, Entry], name: str) -> None:
    way = [name]
    while (start := entries[way[-1]].start) in entries:
        way.append(start)
        if start == name:
            raise ValueError(
                f'load_from goes in a circle: {" <- ".join(way)}; one of them '
                'must start from a file or from nothing'
            )
        if start in way[:-1]:
            return  # the circle is further on, and found from there


def _check_keys(where: str, values: dict, allowed: tuple) -> None:
    for key in values:
        if key not in allowed:
            raise ValueError(
                f"{where}: unknown key '{key}': choose of {', '.join(allowed)}"
            )


def _file(where: str, key: str, folder: str, path: str) -> Path:
    if Path(folder, path).is_file():
        return Path(folder, path)
    if found := shipped(path):
        return found
    if key == 'config':
        try:
            return Path(find_config(path))
        except FileNotFoundError as error:
            raise FileNotFoundError(f'{where}: {error}') from None
    raise FileNotFoundError(
        f"{where}: no {key} '{path}': paths are relative to "
        + (folder or 'the current folder')
    )


def _names(what: str, values) -> list[str]:
    values = values or []
    if not isinstance(values, list) or not all(
        isinstance(value, str) for value in values
    ):
        raise ValueError(f'{what}: [NAME, ...], not {values}')
    return values


def _recipe(where: str, folder: str, name: str) -> Path:
    path = name if name.endswith('.py') else f'{RECIPES}/{name}.py'
    if Path(folder, path).is_file():
        return Path(folder, path)
    if found := shipped(path):
        return found
    known = sorted(path.stem for path in (ROOT / RECIPES).glob('*.py'))
    raise FileNotFoundError(
        f"{where}: no recipe '{name}': name a .py file, or choose of "
        + ', '.join(known)
    )


def _integers(what: str, values, minimum: int) -> tuple[int, ...]:
    good = isinstance(values, list | tuple) and all(
        isinstance(value, int)
        and not isinstance(value, bool)
        and value >= minimum
        for value in values
    )
    if not good or not values:
        raise ValueError(
            f'{what} must be a list of integers >= {minimum}, not {values}'
        )
    return tuple(values)


def _seeds(where: str, values) -> tuple[int, ...]:
    seeds = _integers(f'{where}: seeds', values, 0)
    if len(set(seeds)) < len(seeds):
        raise ValueError(f'{where}: seeds {list(seeds)}: each once')
    return seeds


def _size(values) -> tuple[int, int]:
    size = _integers('size', values, 32)
    if len(size) != 2:
        raise ValueError(f'size: [HEIGHT, WIDTH], not {values}')
    return size


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML, which makes plain values and runs nothing, where a key that
    stands twice is an error."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1 and key != '<<':
                raise ValueError(
                    f"'{key}' stands twice in the mapping from line "
                    f'{node.start_mark.line + 1} on: every name once'
                )
        return super().construct_mapping(node, deep)


def _refuse_duplicates(path: Path, above: tuple[Path, ...] = ()) -> None:
    if path.resolve() in above:
        raise ValueError(
            f"the _base_ of '{above[-1]}' leads back to '{path}': take it out"
        )
    if not path.is_file():
        raise FileNotFoundError(f"no spec '{path}'")
    if path.suffix not in ('.yml', '.yaml'):
        raise ValueError(f"'{path}' is no spec (.yml)")
    try:
        content = yaml.load(path.read_text(), _StrictLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1
        raise ValueError(
            f'{path} is no YAML: line {line}: {error.problem}'
        ) from None
    except (ValueError, yaml.YAMLError) as error:
        text = ' '.join(str(error).split())  # of lines
        raise ValueError(f'{path}: {text}') from None
    if _is_larger(content, LARGEST):
        raise ValueError(
            f'{path}: with its aliases (*) written out it has more than '
            f'{LARGEST} values, which no spec has'
        )
    if not isinstance(content, dict):
        raise ValueError(f'{path}: entries: NAME: {{config: ...}} is missing')
    _check_keys(f'{path}', content, (*TOP, '_base_'))
    bases = content.get('_base_', [])
    bases = [bases] if isinstance(bases, str) else bases
    for base in _names(f'{path}: _base_', bases):
        _refuse_duplicates(path.parent / base, (*above, path.resolve()))


def _is_larger(content, number: int) -> bool:
    """Whether there are more values than ``number``, with repetitions."""
    left = [content]
    for _ in range(number):
        if not left:
            return False
        value = left.pop()
        if isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list):
            left += value
    return bool(left)
