"""The results of one benchmark over data sets and trainings, in one file."""

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from mmengine import Config

from ..datasets.street_scenes.writer import SETTINGS
from ..evaluation.protocol import Protocol
from ..evaluation.temporal_consistency import class_iou
from ..io.shipped import ROOT
from .costs import Costs, chosen_device
from .plan import Plan, make_plan
from .pooled import RESAMPLES, RunResults, pool
from .quickstart_report import read_scalars
from .spec import Entry, read_spec

SUBSETS = ('clean', 'degraded')
FIGURES = ('mIoU', 'mAcc', 'flicker_static', 'flicker', 'VC8', 'VC16')


@dataclass
class Part:
    """A spec on one data set.

    Args:
        data (str): What the test data is called.
        split (str): Its split.
        seed (int): Of the data set.
        plan (Plan): Its runs and tests.
    """

    data: str
    split: str
    seed: int
    plan: Plan


def gather(
    specs: Sequence[tuple[str, str, str]],
    runs: Sequence[Path],
    data_roots: Sequence[str],
    resamples: int = RESAMPLES,
    cfg_options: dict | None = None,
    data_seeds: Sequence[int] | None = None,
    over: Sequence[str] = (),
) -> dict:
    """What ``results.json`` of a benchmark has.

    Args:
        specs (Sequence[tuple]): (data, split, spec), the first one being the
            benchmark's own.
        runs (Sequence[Path]): Of each data set, the folder that
            ``tools/ablate.py --out`` was given.
        data_roots (Sequence[str]): And ``--data-root``.
        resamples (int): Of the bootstrap. Defaults to 1000.
        cfg_options (dict | None): And ``--cfg-options``.
        data_seeds (Sequence[int] | None): What each data set was drawn from.
            Defaults to None: read from the data roots, or numbered where
            these are not there.
        over (Sequence[str]): Entries that all streamed tests are compared
            with too, beside the baseline.

    Returns:
        dict: ``baseline``, ``data_seeds``, ``trainings`` (data seed ->
        training seeds), ``entries``,
        ``rows`` (one for each figure of each test: ``data``, ``split``,
        ``protocol``, ``entry``, ``subset``, ``figure``, and what
        :func:`pool` gives), ``per_class`` (streamed IoU),
        ``per_class_difference`` (to the baseline, of the runs of both),
        ``curves``, and ``over`` (entry -> rows of the differences to it).
        What is not done has no row.

    Raises:
        ValueError: If nothing is done, two data sets have one seed, or there
            is no entry that ``over`` names.
    """
    folders = list(zip(runs, data_roots, strict=True))
    seeds = data_seeds or [
        _data_seed(root, number) for number, (_, root) in enumerate(folders)
    ]
    if len({*seeds}) != len(folders) or len(seeds) != len(folders):
        raise ValueError(
            f'{len(folders)} folders of runs need as many data seeds, each '
            f'once: {list(seeds)}'
        )
    parts = []
    for data, split, spec in specs:
        for seed, (out, root) in zip(seeds, folders, strict=True):
            entries = read_spec(spec, data_root=root, overrides=cfg_options)
            plan = make_plan(entries, out)
            parts.append(Part(data, split, seed, plan))
    first = [part for part in parts if part.data == specs[0][0]]
    first = [part for part in first if part.split == specs[0][1]]
    spec = first[0].plan.spec
    for name in over:
        if name not in spec.entries:
            raise ValueError(
                f"{specs[0][2]} has no entry '{name}' to compare with"
            )
    rows, done = [], set()
    others: dict[str, list] = {name: [] for name in over}
    for data, split, _ in specs:
        own = [p for p in parts if (p.data, p.split) == (data, split)]
        where = dict(data=data, split=split)
        read = cache(RunResults.read)  # and what a bootstrap found of each
        for entry in own[0].plan.spec.rows:
            rows += [where | row for row in _rows(own, entry, resamples, read)]
            for name, found in others.items():
                if entry.name == name:
                    continue
                streamed = replace(
                    entry,
                    baseline=name,
                    protocols={
                        p: figures
                        for p, figures in entry.protocols.items()
                        if p.stream
                    },
                )
                found += [
                    where | row
                    for row in _rows(own, streamed, resamples, read)
                ]
        done |= {(part.seed, run.seed) for part in own for run in _done(part)}
    if not rows:
        raise ValueError(
            'no test is done in ' + ', '.join(map(str, runs)) + ': run '
            'tools/ablate.py there first'
        )
    costs = Costs(Path(runs[0]) / 'costs', spec.size, chosen_device())
    return dict(
        baseline=spec.baselines[0],
        data_seeds=sorted({data for data, _ in done}),
        trainings={
            str(data): sorted(seed for own, seed in done if own == data)
            for data in sorted({data for data, _ in done})
        },
        entries={
            name: _entry(first, entry, costs)
            for name, entry in spec.entries.items()
        },
        rows=rows,
        per_class=_per_class(first),
        per_class_difference=_per_class(first, over_baseline=True),
        curves=_curves(first),
        over=others,
    )


def _data_seed(root: str, number: int) -> int:
    """Of generated data what it was drawn from, else its number here."""
    path = Path(root, SETTINGS)
    return json.loads(path.read_text())['seed'] if path.is_file() else number


def choose(
    results: dict, data: str, split: str, names: Sequence[str], slowest: float
) -> str:
    """The entry that the rule makes the default: of those whose streamed
    frame takes at most ``slowest`` times the baseline's, the one that gains
    most streamed mIoU on clean frames; below a tenth of a point, the one
    with less static-label flicker. Both are differences to the baseline in
    the same runs, as not every entry may have been measured in all.

    Raises:
        ValueError: If none of them was measured.
    """
    found = {}
    for name in names:
        latency = results['entries'][name].get('latency_ratio')
        figures = {
            row['figure']: row['difference']
            for row in results['rows']
            if (row['data'], row['split']) == (data, split)
            and (row['entry'], row['protocol']) == (name, 'stream')
            and row['subset'] == 'clean'
        }
        if latency and latency <= slowest and 'mIoU' in figures:
            found[name] = figures
    if not found:
        raise ValueError(
            f'none of {", ".join(names)} has a streamed mIoU of clean frames '
            f'on {data} {split} and a latency of at most {slowest} times the '
            "baseline's"
        )
    best = max(figures['mIoU'] for figures in found.values())
    level = {n: f for n, f in found.items() if f['mIoU'] > best - 0.1}
    return min(level, key=lambda name: level[name]['flicker_static'])


def _done(part: Part) -> list:
    return [
        run for (run, _), stage in part.plan.tests.items() if stage.is_done
    ]


def _rows(
    parts: Sequence[Part],
    entry: Entry,
    resamples: int,
    read: Callable[[Path], RunResults],
) -> list[dict]:
    rows = []
    for protocol in entry.protocols:
        model = _results(parts, entry.name, protocol, read)
        base = _results(parts, entry.baseline or entry.name, protocol, read)
        for metric, by_run in model.items():
            theirs = base.get(metric, {})
            runs = by_run.keys() & theirs.keys()
            if not runs:
                continue
            pooled = pool(
                {run: theirs[run] for run in runs},
                {run: by_run[run] for run in runs},
                resamples if entry.baseline not in (None, entry.name) else 0,
            )
            rows += [
                dict(
                    protocol=protocol.name,
                    entry=entry.name,
                    **_named(name),
                    **{k: _rounded(v) for k, v in values.items()},
                )
                for name, values in pooled.items()
                if _named(name)['figure'] in FIGURES
            ]
    return rows


def _results(
    parts: Sequence[Part],
    name: str,
    protocol: Protocol,
    read: Callable[[Path], RunResults] = RunResults.read,
) -> dict[str, dict[tuple, RunResults]]:
    """Metric -> (data seed, training seed) -> what it kept."""
    found: dict = {}
    for part in parts:
        for run in part.plan.runs:
            stage = part.plan.tests.get((run, protocol))
            if run.entry.name != name or not stage or not stage.is_done:
                continue
            for path in stage.work_dir.glob('*.sequences.json'):
                results = read(path)
                metric = path.name.partition('.')[0]
                if results.figures():
                    key = part.seed, run.seed
                    found.setdefault(metric, {})[key] = results
    return found


def _named(figure: str) -> dict[str, str]:
    """'mIoU_clean' is the figure mIoU of the subset clean."""
    name, _, subset = figure.rpartition('_')
    if subset in SUBSETS:
        return dict(subset=subset, figure=name)
    return dict(subset='all', figure=figure)


def _rounded(value):
    if isinstance(value, dict):
        return {key: _rounded(own) for key, own in value.items()}
    return round(value, 3) if isinstance(value, float) else value


def _entry(parts: Sequence[Part], entry: Entry, costs: Costs) -> dict:
    """What an entry is, how long it was trained, and what it costs."""
    plans = [part.plan for part in parts]
    runs = [
        run
        for plan in plans
        for run in plan.runs
        if run.entry.name == entry.name
    ]
    marks = [run.training.read() for run in runs]
    seconds = [mark['seconds'] for mark in marks if mark.get('seconds')]
    said = dict(
        title=entry.title or entry.name.replace('_', ' '),
        config=_in_the_package(str(entry.config)),
        starts_from=_in_the_package(entry.start),
    )
    if not entry.checkpoint_of:
        said['iterations'] = runs[0].cfg.train_cfg.get('max_iters')
        if seconds:
            # Other work may have held the others up.
            said['seconds'] = round(min(seconds), 1)
    if entry.protocols:
        own, base = plans[0].models(entry)
        # What is measured takes frames of one size.
        same = base is None or _pipeline(own) == _pipeline(base)
        cost = costs.get(own, base) if same else {}
        for key, name in (
            ('parameters', 'parameters'),
            ('latency_ms', 'latency_ms'),
            ('ratio', 'latency_ratio'),
            ('latency_on', 'latency_on'),
        ):
            if cost.get(key) is not None:
                said[name] = _rounded(cost[key])
    return said


def _in_the_package(path: str | None) -> str | None:
    """A config or published weights, without the folder that it lies in."""
    inside = path and Path(path).is_relative_to(ROOT)
    return str(Path(path).relative_to(ROOT)) if inside else path


def _pipeline(cfg: Config) -> list[dict]:
    return cfg.test_dataloader.dataset.pipeline


def _per_class(
    parts: Sequence[Part], over_baseline: bool = False
) -> dict[str, dict[str, float]]:
    """Entry -> class -> streamed IoU, the mean over data sets of those over
    trainings; or how much more it is than the baseline's, run by run."""
    found = {}
    for entry in parts[0].plan.spec.rows:
        for protocol in entry.protocols:
            if not protocol.stream:
                continue
            ious = _class_ious(parts, entry.name, protocol)
            if over_baseline:
                base = entry.baseline or entry.name
                theirs = _class_ious(parts, base, protocol)
                ious = {
                    run: (classes, values - theirs[run][1])
                    for run, (classes, values) in ious.items()
                    if run in theirs
                }
            if ious:
                classes = next(iter(ious.values()))[0]
                mean = _mean_over_data({r: v for r, (_, v) in ious.items()})
                found[entry.name] = {
                    name: round(float(value), 2)
                    for name, value in zip(classes, mean, strict=True)
                    if value == value  # not of a class that never occurs
                }
    return found


def _mean_over_data(values: dict[tuple, np.ndarray]) -> np.ndarray:
    """The mean (C,) of each data set's own, without NaN."""
    of_data: dict = {}
    for (data, _), value in values.items():
        of_data.setdefault(data, []).append(value)
    with warnings.catch_warnings():  # of classes that never occur
        warnings.simplefilter('ignore', RuntimeWarning)
        means = [np.nanmean(own, axis=0) for own in of_data.values()]
        return np.nanmean(means, axis=0)


def _class_ious(
    parts: Sequence[Part], name: str, protocol: Protocol
) -> dict[tuple, tuple]:
    """(data seed, training seed) -> classes and their IoU in percent."""
    by_run = _results(parts, name, protocol).get('SequenceIoUMetric', {})
    return {
        run: (
            results.metric.dataset_meta['classes'],
            100 * class_iou(results.kept['counts'].sum(0)),
        )
        for run, results in by_run.items()
    }


def _curves(parts: Sequence[Part]) -> dict[str, dict[str, list]]:
    """Training -> its validation curve, of the first run that has one."""
    curves = {}
    for name, entry in parts[0].plan.spec.entries.items():
        for run in parts[0].plan.runs:
            if run.entry.name != name or entry.checkpoint_of:
                continue
            steps, values = read_scalars(run.folder / 'train', 'mIoU')
            if len(values) > 1:
                curve = dict(iterations=steps, val_mIoU=values)
                curves.setdefault(name, curve)
    return curves
