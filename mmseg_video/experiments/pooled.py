"""Runs of several data sets and trainings as one result, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from mmseg.registry import METRICS

from ..evaluation.bootstrap import by_sequence
from ..evaluation.sequence_metric import SequenceMetric
from ..evaluation.sequence_results import read_results

RESAMPLES = 1000


@dataclass
class RunResults:
    """What a metric kept of a run's sequences, ready to be resampled.

    Args:
        metric (SequenceMetric): Summarises sequences.
        names (list[str]): Of the S sequences, sorted.
        kept (dict): Key -> array (S, ...), or a dict of such.
    """

    metric: SequenceMetric
    names: list[str]
    kept: dict
    # Those of weights that were asked for before: a baseline's are, again and
    # again.
    _known: dict = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def read(cls, path: Path) -> 'RunResults':
        """From a file that ``tools/test.py --sequences`` wrote."""
        classes, results = read_results(path)
        metric = METRICS.build(dict(type=path.name.partition('.')[0]))
        metric.dataset_meta = dict(classes=classes)
        named = by_sequence(results)
        names = sorted(named)
        return cls(metric, names, _stack([named[name] for name in names]))

    def figures(self, weights: np.ndarray | None = None) -> dict[str, float]:
        """Figures in percent, each sequence counted ``weights`` (S,) times.

        Empty where the sequences lack what the figures need.
        """
        if weights is None:
            weights = np.ones(len(self.names), int)
        key = weights.tobytes()
        if key not in self._known:
            self._known[key] = self._summarised(weights)
        return self._known[key]

    def _summarised(self, weights: np.ndarray) -> dict[str, float]:
        try:
            figures = self.metric.summarise([_sum(self.kept, weights)])
        except ValueError:
            return {}
        return {name: 100 * float(value) for name, value in figures.items()}


def pool(
    baseline: dict[tuple, RunResults],
    model: dict[tuple, RunResults],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, dict]:
    """Means over runs and their differences, with 95 % intervals.

    A paired bootstrap over data sets, trainings and sequences together: data
    sets are drawn with replacement, of each as many sequences and as many
    trainings as it has, the same ones for both models and the same sequences
    for all its trainings; the figures are computed for each training drawn
    and averaged, first over the trainings of a data set and then over data
    sets, so that each counts as much, however many trainings it has. (Efron
    and Tibshirani, "An introduction to the bootstrap", 1993, sections 8 and
    13.) With a single data set or training there is nothing to draw of its
    kind.

    Args:
        baseline, model (dict): (data seed, training seed) -> results of one
            metric on the same sequences.
        resamples (int): Draws. Defaults to 1000.
        seed (int): Defaults to 0.

    Returns:
        dict: Figure -> ``value``, ``sd`` (over runs, None of one),
        ``runs``, ``difference``, ``low``, ``high``, in percent, and ``each``:
        'DATA/TRAINING' (seeds) -> difference of that run.

    Raises:
        ValueError: If the two have other runs or other sequences.
    """
    if baseline.keys() != model.keys():
        raise ValueError(f'other runs: {sorted(baseline)} and {sorted(model)}')
    names = {}
    for key, results in model.items():
        of_data = names.setdefault(key[0], results.names)
        if not results.names == baseline[key].names == of_data:
            raise ValueError(
                'the models of one data set were tested on different '
                f'sequences: {len(baseline[key].names)} and '
                f'{len(results.names)}'
            )
    runs = sorted(model)
    ours = [model[run].figures() for run in runs]
    base = [baseline[run].figures() for run in runs]
    rng = np.random.default_rng(seed)
    draws = [
        _difference(baseline, model, _draw(runs, model, rng))
        for _ in range(resamples)
    ]
    pooled = {}
    # A data set without degraded frames has no figure of them.
    for name in dict.fromkeys(name for figures in ours for name in figures):
        both = {
            run: (own[name], other[name])
            for run, own, other in zip(runs, ours, base, strict=True)
            if name in own and name in other
        }
        if not both:
            continue
        values, theirs = np.array(list(both.values())).T
        shares = _shares(both)
        drawn = [draw[name] for draw in draws if name in draw]
        low, high = (
            np.nanpercentile(drawn, [2.5, 97.5]) if drawn else 2 * [None]
        )
        pooled[name] = dict(
            value=float(shares @ values),
            sd=float(values.std(ddof=1)) if len(both) > 1 else None,
            runs=len(both),
            difference=float(shares @ (values - theirs)),
            low=low,
            high=high,
            each={
                '/'.join(map(str, run)): own - other
                for run, (own, other) in both.items()
            },
        )
    return pooled


def _shares(runs: Sequence[tuple]) -> np.ndarray:
    """What each (data seed, training seed) counts in a mean over data sets."""
    data = [run[0] for run in runs]
    return np.array([1 / data.count(d) / len({*data}) for d in data])


def _draw(runs: Sequence[tuple], model: dict, rng) -> list[list[tuple]]:
    """Of each data set drawn its runs, with the weights of its sequences."""
    trainings: dict = {}
    for run in runs:
        trainings.setdefault(run[0], []).append(run)
    data = list(trainings)
    drawn = []
    for i in rng.integers(len(data), size=len(data)):
        own = trainings[data[i]]
        # All trainings of a data set are tested on the same sequences.
        count = len(model[own[0]].names)
        chosen = rng.integers(count, size=count)
        weights = np.bincount(chosen, minlength=count)
        drawn.append(
            [(own[j], weights) for j in rng.integers(len(own), size=len(own))]
        )
    return drawn


def _difference(baseline: dict, model: dict, drawn: list[list]) -> dict:
    """Figure -> mean over the data sets drawn of the mean difference."""
    means: dict[str, list] = {}
    for trainings in drawn:
        differences: dict[str, list] = {}
        for run, weights in trainings:
            theirs = baseline[run].figures(weights)
            for name, value in model[run].figures(weights).items():
                if name in theirs:
                    differences.setdefault(name, []).append(
                        value - theirs[name]
                    )
        for name, values in differences.items():
            means.setdefault(name, []).append(np.mean(values))
    return {name: float(np.mean(v)) for name, v in means.items()}


def _stack(results: list[dict]) -> dict:
    """Key -> array (S, ...) of the S sequences' numbers; no text."""
    first = results[0]
    stacked = {}
    for key, value in first.items():
        if not all(key in result for result in results):
            continue
        values = [result[key] for result in results]
        if isinstance(value, dict):
            stacked[key] = _stack(values)
        elif not isinstance(value, str):
            stacked[key] = np.array(values)
    return stacked


def _sum(kept: dict, weights: np.ndarray) -> dict:
    return {
        key: _sum(value, weights)
        if isinstance(value, dict)
        else np.tensordot(weights, value, 1)
        for key, value in kept.items()
    }
