"""The model table: what every config costs, beside its framewise baseline."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from mmengine import Config
from tqdm import tqdm

from ..io.atomic import write_text
from ..io.json_files import read_object
from .costs import Costs, build, device_name, num_parameters
from .output import markdown_table, to_csv, to_json
from .zoo import Model, read_metafiles

# Column of the table -> key of a row.
COLUMNS = {
    'parameters (M)': 'parameters_m',
    'GFLOPs': 'gflops',
    'parameters ×': 'parameters_ratio',
    'GFLOPs ×': 'gflops_ratio',
    'latency ×': 'latency_ratio',
}


def write_model_table(
    root: Path,
    configs: Sequence[str],
    out: Path,
    size: tuple[int, int],
    device: torch.device,
    repeats: int,
    latency: bool = False,
    missing: bool = False,
) -> None:
    """Measure what was not, and write the table.

    The arguments are those of ``tools/model_table.py``.

    Raises:
        ValueError: If a config has no entry in a metafile, or the table that
            rows are missing in is another one.
        RuntimeError: If some configs failed: the others are in the table.
    """
    models = read_metafiles(root / 'configs')
    costs = Costs(out / 'done', size, device, repeats)
    there, timed_on = {}, device_name(device) * latency
    if missing:
        there, timed_on = _rows_of(out, size, timed_on)
    rows, failed = [], {}
    bar = tqdm(_select(configs, models, root), unit='config')
    for model in bar:
        bar.set_postfix_str(model.name)
        try:
            if _is_that(there.get(model.name), model):
                rows.append(there[model.name])
                continue
            rows.append(_measure(model, models, costs, latency, root))
        except Exception as error:  # whatever a config does: the rest goes on
            failed[model.name] = f'{type(error).__name__}: {error}'
    if rows:
        note = f'GFLOPs of one streamed frame of {size[0]}x{size[1]}'
        table = _markdown(rows, note, timed_on)
        _write(rows, table, out, size, timed_on)
        print(f'{table}\nwritten to {out}')
    for name, error in failed.items():
        print(f'failed: {name}: {error}', file=sys.stderr)
    if failed:
        raise RuntimeError(
            f'{len(failed)} of {len(rows) + len(failed)} configs failed, see '
            'above; the others are in the table'
        )


def _is_that(row: dict | None, model: Model) -> bool:
    """Whether a row is of the model that the config describes today: it has
    as many parameters."""
    if row is None:
        return False
    parameters = num_parameters(build(str(model.config), 'meta'))
    return abs(1e6 * row['parameters_m'] - parameters) < 1


def _rows_of(
    out: Path, size: tuple[int, int], timed_on: str
) -> tuple[dict[str, dict], str]:
    """Name -> row, of the table in a folder, and what its latencies are of."""
    path = out / 'model_table.json'
    if not path.is_file():
        raise ValueError(
            f"'{path}' is not there, so no rows of it are missing: leave "
            '--missing out'
        )
    table = read_object(path, 'leave --missing out')
    if list(size) != table['size']:
        raise ValueError(
            f"'{path}' is of frames of {'x'.join(map(str, table['size']))}, "
            f'not {size[0]}x{size[1]}: give --size as there, or another --out'
        )
    before = table.get('device', timed_on)
    if timed_on and before != timed_on:
        raise ValueError(
            f"the latencies in '{path}' are of {before}, this is {timed_on}: "
            'leave --latency out, or give another --out'
        )
    return {row['name']: row for row in table['models']}, before


def _select(
    paths: Sequence[str], models: dict[str, Model], root: Path
) -> list[Model]:
    if not paths:
        return [
            model
            for model in models.values()
            if 'decode_head' in Config.fromfile(model.config).model
        ]
    by_config = {model.config: model for model in models.values()}
    unknown = [p for p in paths if Path(p).resolve() not in by_config]
    if unknown:
        raise ValueError(
            f"'{unknown[0]}' has no entry in a metafile.yml under "
            f'{root / "configs"}: the table needs its framewise baseline'
        )
    return [by_config[Path(p).resolve()] for p in paths]


def _measure(
    model: Model,
    models: dict[str, Model],
    costs: Costs,
    latency: bool,
    root: Path,
) -> dict:
    """The row of one model."""
    cfg = Config.fromfile(model.config)
    base = None
    if model.baseline is not None:
        base = Config.fromfile(models[model.baseline].config)
    latency = latency and base is not None
    ours = costs.measure(cfg, base, latency)
    row = dict(
        name=model.name,
        config=model.config.relative_to(root.resolve()).as_posix(),
        collection=model.collection,
        baseline=model.baseline,
        parameters_m=ours['parameters'] / 1e6,
        gflops=ours['multiply_adds'] / 1e9,
    )
    if base is not None:
        theirs = costs.get(base)
        for name, key in (
            ('parameters_ratio', 'parameters'),
            ('gflops_ratio', 'multiply_adds'),
        ):
            row[name] = ours[key] / theirs[key]
    if latency:
        row['latency_ms'] = ours['latency_ms']
        row['latency_ratio'] = ours['ratio']
    return row


def _same_cost(rows: list[dict]) -> list[list[dict]]:
    """Rows of one system and baseline with the same figures, in lists."""
    groups = {}
    for row in rows:
        keys = (
            *('collection', 'baseline', 'parameters_m', 'gflops'),
            'latency_ratio',
        )
        groups.setdefault(tuple(map(row.get, keys)), []).append(row)
    # A system's groups one after the other, in the order of the systems.
    systems = list(dict.fromkeys(row['collection'] for row in rows))
    return sorted(
        groups.values(), key=lambda g: systems.index(g[0]['collection'])
    )


def _markdown(rows: list[dict], note: str, device: str) -> str:
    """The table: a block for each system, in it a row for each cost.

    Many configs differ only in how they are trained.
    """
    columns = {
        column: key
        for column, key in COLUMNS.items()
        if any(key in row for row in rows)
    }
    lines, collection = [], None
    for group in _same_cost(rows):
        # What the others are variants of has the shortest name.
        row, *others = sorted(group, key=lambda row: len(row['name']))
        if row['collection'] != collection:
            collection = row['collection']
            lines.append([f'**{collection}**', *[''] * len(columns)])
        links = [f'[{r["name"]}]({r["config"]})' for r in (row, *others)]
        lines.append([', '.join(links), *map(row.get, columns.values())])
    table = markdown_table(['config', *columns], lines)
    note += (
        "; ×: in units of the framewise baseline's; configs in one row cost "
        'the same'
    )
    if 'latency_ratio' in columns.values():
        note += f'; latency on {device}'
    return f'{table}\n{note}. Written by `tools/model_table.py`.\n'


def _write(
    rows: list[dict], table: str, out: Path, size: Sequence[int], device: str
) -> None:
    write_text(out / 'model_table.md', table)
    report = dict(size=size, torch=torch.__version__, models=rows)
    if device:
        report['device'] = device
    write_text(out / 'model_table.json', to_json(report))
    write_text(out / 'model_table.csv', to_csv(rows))


_ROW = re.compile(
    r'^(\| \[`(\w+)\.py`\]\(\2\.py\) \|.*\|) ([\d.]*) ?\| ([\d.]*) ?\|$',
    re.MULTILINE,
)


def fill_costs(text: str, rows: Mapping[str, dict]) -> str:
    """The page of a method, with parameters and GFLOPs in the last two columns
    of the rows that begin with a link to a config.

    Args:
        text (str): The page.
        rows (Mapping): Name of a config -> its row of the model table.
    """

    def fill(match: re.Match) -> str:
        begin, name, *there = match.groups()
        cells = there
        if name in rows:
            cells = [
                f'{rows[name][k]:.2f}' for k in ('parameters_m', 'gflops')
            ]
        return begin + ''.join(f' {cell} |' for cell in cells)

    return _ROW.sub(fill, text)
