"""Two models on the same video: figures, differences, and their intervals."""

import json
import pickle
from pathlib import Path

import numpy as np
from mmseg.registry import METRICS

from ..engine.atomic_backend import AtomicLocalBackend
from ..evaluation import SequenceMetric
from ..evaluation.temporal_consistency import class_iou

RESAMPLES = 1000
# Less of it is better; of all else, more.
LESS_IS_BETTER = ('flicker', 'flicker_compensated', 'flicker_static')


def compare(baseline: Path, model: Path, resamples: int = RESAMPLES) -> dict:
    """Figures with their intervals, and the IoU of each class.

    Args:
        baseline, model (Path): Where ``tools/test.py --sequences`` kept the
            results of each.
        resamples (int): Of the bootstrap. Defaults to 1000.
    """
    figures, classes = {}, {}
    for path in sorted(Path(baseline).glob('*.pkl')):
        base = pickle.loads(path.read_bytes())
        ours = pickle.loads((Path(model) / path.name).read_bytes())
        metric = METRICS.build(dict(type=path.stem))
        metric.dataset_meta = base['dataset_meta']
        results = base['results'], ours['results']
        figures.update(bootstrap(metric, *results, resamples))
        if 'counts' in results[0][0]:
            names = metric.dataset_meta['classes']
            ious = zip(*map(per_class, results), strict=True)
            classes = dict(
                zip(names, [list(map(float, i)) for i in ious], strict=True)
            )
    return dict(figures=figures, classes=classes)


def bootstrap(
    metric: SequenceMetric,
    baseline: list[dict],
    model: list[dict],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, dict]:
    """Differences of a metric's figures, with 95 % intervals.

    Sequences are drawn with replacement, the same ones for both models
    (paired), and the figures computed anew from each draw (Efron and
    Tibshirani, "An introduction to the bootstrap", 1993, section 13).

    Args:
        metric (SequenceMetric): Summarises sequences.
        baseline, model (list[dict]): The sequences' results of each.
        resamples (int): Draws. Defaults to 1000.
        seed (int): Defaults to 0.

    Returns:
        dict: Figure -> ``baseline``, ``model``, ``difference``, ``low`` and
        ``high`` (of the difference), in percent.

    Raises:
        ValueError: If the two were not tested on the same sequences.
    """
    baseline, model = by_sequence(baseline), by_sequence(model)
    if baseline.keys() != model.keys():
        raise ValueError(
            'the two models were tested on different sequences: '
            f'{len(baseline)} and {len(model)}'
        )
    names = sorted(baseline)
    pairs = [(baseline[name], model[name]) for name in names]
    whole = difference(metric, pairs)
    rng = np.random.default_rng(seed)
    draws = {figure: [] for figure in whole}
    for _ in range(resamples if len(pairs) > 1 else 0):
        chosen = rng.integers(len(pairs), size=len(pairs))
        for figure, values in difference(
            metric, [pairs[i] for i in chosen]
        ).items():
            draws[figure].append(values['difference'])
    for figure, values in whole.items():
        low, high = np.nan, np.nan
        if draws[figure]:
            low, high = np.nanpercentile(draws[figure], [2.5, 97.5])
        values.update(low=float(low), high=float(high))
    return whole


def by_sequence(results: list[dict]) -> dict[str, dict]:
    """Sequence -> its result; each must be there once."""
    named = {result['sequence']: result for result in results}
    if len(named) < len(results):
        raise ValueError(
            'a sequence was tested in several pieces: test with --stream'
        )
    return named


def difference(metric: SequenceMetric, pairs: list[tuple]) -> dict:
    """Figure -> baseline, model and difference, in percent."""
    try:
        base = metric.summarise([b for b, _ in pairs])
        ours = metric.summarise([m for _, m in pairs])
    except ValueError:
        return {}  # nothing to judge, such as no two neighbouring frames
    return {
        name: dict(
            baseline=100 * float(base[name]),
            model=100 * float(ours[name]),
            difference=100 * float(ours[name] - base[name]),
        )
        for name in base
        if name in ours
    }


def per_class(results: list[dict]) -> np.ndarray:
    """IoU of each class in percent, NaN for one that does not occur."""
    return 100 * class_iou(sum(result['counts'] for result in results))


def significance(name: str, values: dict) -> str:
    """'better', 'worse', or 'not sure' where the interval holds 0."""
    low, high = values['low'], values['high']
    if not (low > 0 or high < 0):
        return 'not sure'
    return 'better' if (low > 0) != (name in LESS_IS_BETTER) else 'worse'


def interval(values: dict) -> str:
    """The 95 % interval in words, '' where there is none."""
    low, high = values.get('low', np.nan), values.get('high', np.nan)
    return f'{low:+.2f} to {high:+.2f}' if np.isfinite(low) else ''


def as_json(report: dict) -> str:
    """What is no number becomes null: JSON has no NaN."""
    plain = json.loads(json.dumps(report), parse_constant=lambda _: None)
    return json.dumps(plain, indent=1)


def as_markdown(report: dict) -> str:
    """The report as two tables: figures, and IoU of each class."""
    lines = [
        '| | baseline | model | difference | 95 % interval | |',
        '|---|---|---|---|---|---|',
    ]
    for name, v in report['figures'].items():
        word = significance(name, v) if interval(v) else ''
        lines.append(
            f'| {name} | {v["baseline"]:.2f} | {v["model"]:.2f} | '
            f'{v["difference"]:+.2f} | {interval(v)} | {word} |'
        )
    lines += [
        '',
        '| class | baseline | model | difference |',
        '|---|---|---|---|',
    ]
    for name, (base, ours) in report['classes'].items():
        if np.isfinite([base, ours]).any():
            lines.append(
                f'| {name} | {base:.2f} | {ours:.2f} | {ours - base:+.2f} |'
            )
    names = dict(framewise='baseline', recurrent='model')
    lines += [''] * bool(report.get('models'))
    for key, (config, checkpoint) in report.get('models', {}).items():
        lines.append(f'- {names[key]}: `{config}`, `{checkpoint}`')
    return '\n'.join(lines) + '\n'


def draw(report: dict, path: Path) -> None:
    """A PNG: differences with intervals, and IoU by class."""
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(
        1, 2, figsize=(11, 4.4), dpi=110, width_ratios=(1, 1.2)
    )
    judged = {
        name: v for name, v in report['figures'].items() if interval(v)
    } or {name: v for name, v in report['figures'].items() if 'low' in v}
    colours = {'better': '#2a9d54', 'worse': '#c8423b', 'not sure': '#888888'}
    for y, (name, v) in enumerate(judged.items()):
        colour = colours[significance(name, v)]
        left.plot([v['low'], v['high']], [y, y], '-', color=colour, lw=2)
        left.plot(v['difference'], y, 'o', color=colour)
    left.axvline(0, color='black', lw=0.8)
    left.set_yticks(range(len(judged)), list(judged))
    left.invert_yaxis()
    left.set_title('model minus baseline, 95 % interval')
    left.set_xlabel('points')
    left.grid(axis='x', alpha=0.3)
    classes = {
        name: v
        for name, v in report['classes'].items()
        if np.isfinite(v).any()
    }
    y = np.arange(len(classes))
    for i, model in enumerate(('baseline', 'model')):
        values = [v[i] for v in classes.values()]
        right.barh(y + 0.38 * (i - 0.5), values, 0.38, label=model)
    right.set_yticks(y, list(classes))
    right.invert_yaxis()
    right.set_xlabel('IoU, %')
    right.legend(frameon=False)
    right.grid(axis='x', alpha=0.3)
    figure.tight_layout()
    temporary = path.with_name(f'.{path.name}')
    figure.savefig(temporary, format='png')
    plt.close(figure)
    temporary.replace(path)


def draw_degraded(reports: dict[float, dict], folder: Path) -> None:
    """degraded.json and .png: figures against the part of degraded frames."""
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    names = [
        name
        for name in ('mIoU', 'TC_VSPW', 'flicker', 'flicker_static')
        if all(name in r['figures'] for r in reports.values())
    ]
    figure, axes = plt.subplots(
        1, len(names), figsize=(4 * len(names), 3.4), dpi=110, squeeze=False
    )
    x = [100 * part for part in reports]
    for axis, name in zip(axes[0], names, strict=True):
        for key in ('baseline', 'model'):
            y = [r['figures'][name][key] for r in reports.values()]
            axis.plot(x, y, 'o-', label=key)
        axis.set_title(name)
        axis.set_xlabel('degraded frames, %')
        axis.grid(alpha=0.3)
        axis.legend(frameon=False)
    figure.tight_layout()
    temporary = folder / '.degraded.png'
    figure.savefig(temporary, format='png')
    plt.close(figure)
    temporary.replace(folder / 'degraded.png')
    text = as_json({str(p): r['figures'] for p, r in reports.items()})
    AtomicLocalBackend().put_text(text, folder / 'degraded.json')


def write_robustness(reports: dict[str, dict[int, dict]], folder: Path) -> str:
    """robustness.md, .json and .png: mIoU against the strength.

    Args:
        reports (dict): Corruption -> severity (0: none) -> report.
        folder (Path): Where to write.

    Returns:
        str: The Markdown.
    """
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    # Flicker as such where there are no labels to tell what moves.
    calm = 'flicker_static'
    if any(
        calm not in report['figures']
        for by_severity in reports.values()
        for report in by_severity.values()
    ):
        calm = 'flicker'
    lines = [
        '| corruption | strength | baseline mIoU | model | difference | '
        f'95 % interval | {calm} | model |',
        '|---|---|---|---|---|---|---|---|',
    ]
    figure, axes = plt.subplots(
        2, 3, figsize=(10, 5.6), dpi=110, sharex=True, sharey=True
    )
    for axis, (kind, by_severity) in zip(
        axes.flat, reports.items(), strict=True
    ):
        for key in ('baseline', 'model'):
            y = [r['figures']['mIoU'][key] for r in by_severity.values()]
            axis.plot(list(by_severity), y, 'o-', label=key)
        axis.set_title(kind)
        axis.set_xticks(list(by_severity))
        axis.grid(alpha=0.3)
        for severity, report in by_severity.items():
            v = report['figures']['mIoU']
            f = report['figures'].get(calm)  # clips have none
            changing = f'{f["baseline"]:.2f} | {f["model"]:.2f}' if f else '|'
            lines.append(
                f'| {kind} | {severity} | {v["baseline"]:.2f} | '
                f'{v["model"]:.2f} | {v["difference"]:+.2f} | '
                f'{interval(v)} | {changing} |'
            )
    axes[0, 0].legend(frameon=False)
    axes[0, 0].set_ylabel('mIoU')
    axes[1, 0].set_ylabel('mIoU')
    for axis in axes[1]:
        axis.set_xlabel('strength')
    figure.tight_layout()
    temporary = folder / '.robustness.png'
    figure.savefig(temporary, format='png')
    plt.close(figure)
    temporary.replace(folder / 'robustness.png')
    text = '\n'.join(lines) + '\n'
    write = AtomicLocalBackend().put_text
    write(text, folder / 'robustness.md')
    figures = {
        kind: {str(n): r['figures'] for n, r in by_severity.items()}
        for kind, by_severity in reports.items()
    }
    write(as_json(figures), folder / 'robustness.json')
    return text


def write_report(report: dict, folder: Path) -> str:
    """comparison.json, .md and .png in ``folder``; returns the Markdown."""
    write = AtomicLocalBackend().put_text
    text = as_markdown(report)
    write(as_json(report), folder / 'comparison.json')
    write(text, folder / 'comparison.md')
    draw(report, folder / 'comparison.png')
    return text
