"""Two models on the same video: figures, differences, and their intervals."""

from pathlib import Path

import numpy as np
from mmseg.registry import METRICS

from .figures import less_is_better
from .sequence_metric import SequenceMetric
from .sequence_results import read_results
from .temporal_consistency import class_iou

RESAMPLES = 1000


def compare(baseline: Path, model: Path, resamples: int = RESAMPLES) -> dict:
    """Figures with their intervals, and the IoU of each class.

    Args:
        baseline, model (Path): Where ``tools/test.py --sequences`` kept the
            results of each.
        resamples (int): Of the bootstrap. Defaults to 1000.
    """
    figures, classes = {}, {}
    for path in sorted(Path(baseline).glob('*.sequences.json')):
        names, base = read_results(path)
        _, ours = read_results(Path(model) / path.name)
        metric = METRICS.build(dict(type=path.name.partition('.')[0]))
        metric.dataset_meta = dict(classes=names)
        results = base, ours
        figures.update(bootstrap(metric, *results, resamples))
        if 'counts' in results[0][0]:
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
        return {}  # no figure, such as of no two neighbouring frames
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
    return 'better' if (low > 0) != less_is_better(name) else 'worse'
