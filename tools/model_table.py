"""The model table: what every config costs, beside its framewise baseline.

    python tools/model_table.py --readme README.md            # all configs
    python tools/model_table.py configs/lstm_icnet/*.py --latency

Parameters, GFLOPs of one streamed frame (a multiplication with its addition
counts once) and, with --latency, the time of a streamed frame in units of the
baseline's: medians of repeats in turn. The framewise baseline is what the
config's metafile.yml names. Weights are random: costs only.

Every figure is kept under --out, and not measured again until the model
changes. A config that fails is reported at the end.
"""

import argparse
import csv
import hashlib
import io
import json
import sys
from pathlib import Path

import torch
from mmengine import Config
from tqdm import tqdm

from mmseg_video.engine.arguments import at_least
from mmseg_video.engine.atomic_backend import AtomicLocalBackend
from mmseg_video.engine.launch import cli
from mmseg_video.experiments.costs import (
    build,
    interleaved,
    multiply_adds,
    num_parameters,
    streamer,
)
from mmseg_video.experiments.zoo import read_metafiles

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = '<!-- model table: begin -->', '<!-- model table: end -->'
# What of a model's config a streamed frame does not meet.
TRAINING = (
    *('train_cfg', 'loss_decode', 'clip_losses', 'init_cfg', 'pretrained'),
    *('batch_augments', 'clip_augments'),
)
# Column of the table -> key of a row.
COLUMNS = {
    'parameters (M)': 'parameters_m',
    'GFLOPs': 'gflops',
    'parameters ×': 'parameters_ratio',
    'GFLOPs ×': 'gflops_ratio',
    'latency ×': 'latency_ratio',
}


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('configs', nargs='*', help='instead of all')
    parser.add_argument(
        '--size', type=at_least(1), nargs=2, default=(512, 1024)
    )
    parser.add_argument(
        '--latency', action='store_true', help='measure it too: minutes'
    )
    parser.add_argument('--repeats', type=at_least(1), default=5)
    parser.add_argument('--device', help='for --latency; default: the GPU')
    parser.add_argument(
        '--out',
        default='work_dirs/model_table',
        help='folder of the table (.md, .csv, .json) and of what is done',
    )
    parser.add_argument(
        '--readme',
        metavar='FILE',
        help=f"also write the table between its '{BEGIN}' and '{END}'",
    )
    return parser.parse_args()


def select(paths, models):
    """The models of these configs, or all that segment.

    Raises:
        ValueError: If a config has no entry in a metafile.
    """
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
            f'{ROOT / "configs"}: the table needs its framewise baseline'
        )
    return [by_config[Path(p).resolve()] for p in paths]


def cached(folder, what, measure):
    """``measure()``, or what it gave before for the same ``what``."""
    what = json.dumps(what, sort_keys=True, default=str)
    name = hashlib.sha256(what.encode()).hexdigest()[:16]
    path = Path(folder, 'done', f'{name}.json')
    if path.exists():
        return json.loads(path.read_text())['result']
    result = measure()
    text = json.dumps(dict(what=json.loads(what), result=result), indent=1)
    AtomicLocalBackend().put_text(text, path)
    return result


def as_tested(cfg):
    """A model's config without what only a training has: many configs differ
    in nothing else, and are measured once."""
    if isinstance(cfg, dict):
        return {
            key: as_tested(value)
            for key, value in cfg.items()
            if key not in TRAINING
        }
    return [as_tested(v) for v in cfg] if isinstance(cfg, list) else cfg


def count(path, size):
    parameters = num_parameters(build(path, 'meta'))
    return dict(parameters=parameters, multiply_adds=multiply_adds(path, size))


def time_beside(path, baseline, size, repeats, device):
    """Seconds of a streamed frame of a model and of its framewise baseline."""
    device = torch.device(device)
    frame = torch.randn(1, 3, *size, device=device)
    return interleaved(
        dict(
            framewise=streamer(build(baseline, device), frame),
            recurrent=streamer(build(path, device), frame),
        ),
        repeats,
        device,
        warmup=1,
    )


def measure(model, models, args):
    """The row of one model."""
    size = tuple(args.size)

    def what(model):
        cfg = Config.fromfile(model.config).model.to_dict()
        return dict(model=as_tested(cfg), size=size)

    def cost(model):
        return cached(
            args.out, what(model), lambda: count(str(model.config), size)
        )

    ours = cost(model)
    row = dict(
        name=model.name,
        config=model.config.relative_to(ROOT).as_posix(),
        collection=model.collection,
        baseline=model.baseline,
        parameters_m=ours['parameters'] / 1e6,
        gflops=ours['multiply_adds'] / 1e9,
    )
    if model.baseline is None:
        return row
    baseline = models[model.baseline]
    base = cost(baseline)
    row['parameters_ratio'] = ours['parameters'] / base['parameters']
    row['gflops_ratio'] = ours['multiply_adds'] / base['multiply_adds']
    if args.latency:
        device = args.device
        seconds = cached(
            args.out,
            dict(
                recurrent=what(model),
                framewise=what(baseline),
                repeats=args.repeats,
                device=device_name(device),
                torch=torch.__version__,
            ),
            lambda: time_beside(
                *(str(model.config), str(baseline.config)),
                *(size, args.repeats, device),
            ),
        )
        row['latency_ms'] = seconds['recurrent'] * 1e3
        row['latency_ratio'] = seconds['recurrent'] / seconds['framewise']
    return row


def device_name(device):
    if torch.device(device).type == 'cuda':
        return torch.cuda.get_device_name(device)
    return f'CPU, {torch.get_num_threads()} threads'


def same_cost(rows):
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


def markdown(rows, args):
    """The table: a block for each system, in it a row for each cost.

    Many configs differ only in how they are trained.
    """
    columns = {
        column: key
        for column, key in COLUMNS.items()
        if any(key in row for row in rows)
    }
    lines = [
        '| config | ' + ' | '.join(columns) + ' |',
        '|---' * (len(columns) + 1) + '|',
    ]
    collection = None
    for group in same_cost(rows):
        # What the others are variants of has the shortest name.
        row, *others = sorted(group, key=lambda row: len(row['name']))
        if row['collection'] != collection:
            collection = row['collection']
            lines.append(f'| **{collection}** |' + ' |' * len(columns))
        links = [f'[{r["name"]}]({r["config"]})' for r in (row, *others)]
        cells = [
            f'{row[key]:.2f}' if key in row else '' for key in columns.values()
        ]
        lines.append('| ' + ' | '.join([', '.join(links), *cells]) + ' |')
    note = (
        f'GFLOPs of one streamed frame of {args.size[0]}x{args.size[1]}; ×: '
        "in units of the framewise baseline's; configs in one row cost the "
        'same'
    )
    if 'latency_ratio' in columns.values():
        note += f'; latency on {device_name(args.device)}'
    note += '. Written by `tools/model_table.py`.'
    return '\n'.join([*lines, '', note])


def around_the_table(path):
    """A README up to the first mark, and from the second on.

    Raises:
        ValueError: If it lacks them.
    """
    head, begin, rest = Path(path).read_text(encoding='utf-8').partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(
            f"'{path}' has no place for the table: add the lines '{BEGIN}' "
            f"and '{END}'"
        )
    return head + begin, end + tail


def write_table(rows, args):
    write, out = AtomicLocalBackend().put_text, Path(args.out)
    table = markdown(rows, args)
    write(table + '\n', out / 'model_table.md')
    report = dict(size=list(args.size), torch=torch.__version__, models=rows)
    if args.latency:
        report['device'] = device_name(args.device)
    write(json.dumps(report, indent=1), out / 'model_table.json')
    file = io.StringIO()
    fields = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(file, fields, lineterminator='\n')
    writer.writeheader()
    writer.writerows(rows)
    write(file.getvalue(), out / 'model_table.csv')
    return table


@cli
def main():
    args = parse_args()
    args.device = args.device or (
        'cuda' if torch.cuda.is_available() else 'cpu'
    )
    models = read_metafiles(ROOT / 'configs')
    if args.readme:
        around_the_table(args.readme)  # refuse before the work, not after
    rows, failed = [], {}
    bar = tqdm(select(args.configs, models), unit='config')
    for model in bar:
        bar.set_postfix_str(model.name)
        try:
            rows.append(measure(model, models, args))
        except Exception as error:  # whatever a config does: the rest goes on
            failed[model.name] = f'{type(error).__name__}: {error}'
    if rows:
        table = write_table(rows, args)
        print(table)
        print(f'written to {args.out}')
        if args.readme:
            head, tail = around_the_table(args.readme)
            text = f'{head}\n\n{table}\n\n{tail}'
            AtomicLocalBackend().put_text(text, args.readme)
    for name, error in failed.items():
        print(f'failed: {name}: {error}', file=sys.stderr)
    if failed:
        raise RuntimeError(
            f'{len(failed)} of {len(rows) + len(failed)} configs failed, see '
            'above; the others are in the table'
        )


if __name__ == '__main__':
    main()
