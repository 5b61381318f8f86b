"""The one file of a benchmark's results, of runs made by hand."""

import numpy as np
import pytest
import yaml

from mmseg_video.evaluation.sequence_results import write_results
from mmseg_video.experiments import evidence
from mmseg_video.experiments.evidence import choose, gather
from mmseg_video.experiments.plan import make_plan
from mmseg_video.experiments.spec import read_spec
from mmseg_video.io.shipped import ROOT

SPEC = dict(
    seeds=[0, 1],
    sequences=True,
    baseline='base',
    protocols=dict(stream=['mIoU']),
    entries=dict(
        first=dict(config='configs/unet_street.py', protocols={}),
        base=dict(config='configs/unet_finetune_street.py', load_from='first'),
        past=dict(
            title='with a past',
            config='configs/rnn_unet_street.py',
            load_from='first',
        ),
        filtered=dict(
            config='configs/temporal_smoothing/ema_unet_street.py',
            checkpoint_of='base',
        ),
    ),
)
RIGHT = dict(base=0.6, past=0.7)


def finish(spec, out, root):
    """Mark trainings and tests as done, with figures of RIGHT."""
    plan = make_plan(read_spec(spec, data_root=root), out)
    for (run, _), stage in plan.tests.items():
        name = run.entry.name
        if name not in RIGHT:
            continue
        seconds = 10.0 + run.seed  # the least is said
        run.training.write(seconds=seconds, checkpoint='iter_1.pth')
        rng = np.random.default_rng(run.seed)
        results = []
        for i in range(4):
            hits = rng.binomial(500, RIGHT[name], 2)
            counts = np.array(
                [[hits[0], 500 - hits[0]], [500 - hits[1], hits[1]]]
            )
            results.append(
                dict(
                    sequence=f's{i}',
                    frames=2,
                    counts=counts,
                    degraded_counts=counts // 5,
                )
            )
        path = stage.work_dir / 'SequenceIoUMetric.sequences.json'
        path.parent.mkdir(parents=True, exist_ok=True)
        write_results(path, ('road', 'sky'), results)
        stage.marker.write(seconds=1.0, metrics=dict(mIoU=1.0))


@pytest.fixture
def benchmark(tmp_path):
    spec = tmp_path / 'spec.yml'
    spec.write_text(yaml.safe_dump(SPEC))
    outs = [tmp_path / f'seed{seed}' for seed in range(2)]
    for out in outs:
        finish(str(spec), out, str(tmp_path))
    return str(spec), outs, [str(tmp_path)] * 2


def test_rows_have_means_and_differences_of_what_is_done(benchmark):
    spec, outs, roots = benchmark
    results = gather([('made', 'test', spec)], outs, roots, resamples=100)
    assert results['baseline'] == 'base'
    assert results['data_seeds'] == [0, 1]
    assert results['trainings'] == {'0': [0, 1], '1': [0, 1]}
    assert {row['entry'] for row in results['rows']} == {'base', 'past'}
    (row,) = (
        row
        for row in results['rows']
        if (row['entry'], row['figure'], row['subset'])
        == ('past', 'mIoU', 'all')
    )
    assert row['runs'] == 4
    assert row['data'] == 'made'
    assert row['split'] == 'test'
    assert 0 < row['low'] <= row['difference'] <= row['high']
    subsets = {row['subset'] for row in results['rows']}
    assert subsets == {'all', 'clean', 'degraded'}
    base = [row for row in results['rows'] if row['entry'] == 'base']
    assert {(row['difference'], row['low']) for row in base} == {(0, None)}
    assert results['entries']['past']['title'] == 'with a past'
    assert results['entries']['past']['seconds'] == 10
    assert 'iterations' not in results['entries']['filtered']
    ious = results['per_class']['past']
    assert 0 < ious['sky'] < 100
    gained = results['per_class_difference']
    assert gained['past']['sky'] == pytest.approx(
        ious['sky'] - results['per_class']['base']['sky'], abs=0.02
    )
    assert gained['base'] == dict(road=0, sky=0)


def test_classes_are_compared_in_the_runs_of_both(benchmark):
    spec, outs, roots = benchmark

    def without_seed_0(name):
        plan = make_plan(read_spec(spec, data_root=roots[0]), outs[0])
        for (run, _), stage in plan.tests.items():
            if (run.entry.name, run.seed) == (name, 0):
                stage.marker.path.unlink()
        return gather([('made', 'test', spec)], outs[:1], roots[:1], 10)

    found = without_seed_0('past')
    gained = found['per_class_difference']['past']
    both = without_seed_0('base')
    for name, value in gained.items():
        ious = [both['per_class'][entry][name] for entry in ('past', 'base')]
        assert value == pytest.approx(ious[0] - ious[1], abs=0.02)
    # Of the baseline there was more, which is another mean.
    assert both['per_class']['base'] != found['per_class']['base']


def test_each_data_set_counts_as_much_for_a_class(benchmark):
    spec, outs, roots = benchmark
    plan = make_plan(read_spec(spec, data_root=roots[0]), outs[1])
    for (run, _), stage in plan.tests.items():
        if run.seed == 1:
            stage.marker.path.unlink(missing_ok=True)

    def ious(part):
        specs = [('made', 'test', spec)]
        return gather(specs, outs[part], roots[part], 10)['per_class']['past']

    both, two, one = ious(slice(2)), ious(slice(1)), ious(slice(1, 2))
    assert two != one
    for name, value in both.items():
        assert value == pytest.approx((two[name] + one[name]) / 2, abs=0.01)


def test_entries_are_compared_with_others_too(benchmark):
    spec, outs, roots = benchmark
    results = gather(
        [('data', 'test', spec)], outs, roots, resamples=20, over=['past']
    )
    (row,) = (
        row
        for row in results['over']['past']
        if (row['figure'], row['subset']) == ('mIoU', 'all')
    )
    assert row['entry'] == 'base'
    (gain,) = (
        row
        for row in results['rows']
        if (row['entry'], row['figure'], row['subset'])
        == ('past', 'mIoU', 'all')
    )
    assert row['difference'] == -gain['difference']
    assert row['low'] < row['difference'] < row['high'] < 0
    with pytest.raises(ValueError, match="no entry 'future' to compare"):
        gather([('data', 'test', spec)], outs, roots, 0, over=['future'])


def test_data_sets_are_told_apart_by_their_seeds(benchmark):
    spec, outs, roots = benchmark
    specs = [('data', 'test', spec)]
    results = gather(specs, outs, roots, 0, data_seeds=[4, 2])
    assert results['data_seeds'] == [2, 4]
    row = next(row for row in results['rows'] if row['entry'] == 'past')
    assert row['each'].keys() == {'2/0', '2/1', '4/0', '4/1'}
    for seeds in ([1, 1], [1]):
        with pytest.raises(ValueError, match='as many data seeds, each once'):
            gather(specs, outs, roots, 0, data_seeds=seeds)


def test_nothing_done_is_said(benchmark, tmp_path):
    spec, _, roots = benchmark
    with pytest.raises(ValueError, match='no test is done in'):
        gather([('made', 'test', spec)], [tmp_path / 'none'], roots[:1])


def figures(name, latency, miou, flicker):
    where = dict(data='d', split='val', protocol='stream', subset='clean')
    rows = [
        dict(where, figure='mIoU', difference=miou),
        dict(where, figure='flicker_static', difference=flicker),
        # What the rule does not read.
        dict(where, figure='mIoU', difference=99, subset='degraded'),
        dict(where, figure='mIoU', difference=99, split='test'),
    ]
    # The value is a mean over what runs the entry has: not comparable.
    rows = [dict(row, entry=name, value=100 * latency) for row in rows]
    return dict(latency_ratio=latency), rows


@pytest.mark.parametrize(
    ('systems', 'best'),
    [
        (dict(a=(1.0, 40.0, 5), b=(1.1, 41.0, 5)), 'b'),
        # Too slow.
        (dict(a=(1.0, 40.0, 5), b=(1.2, 41.0, 5)), 'a'),
        # Level: the steadier one.
        (dict(a=(1.0, 41.05, 5), b=(1.1, 41.0, 3)), 'b'),
        (dict(a=(1.0, 41.2, 5), b=(1.1, 41.0, 3)), 'a'),
        # Not measured.
        (dict(a=(1.0, 40.0, 5), b=(0, 41.0, 5)), 'a'),
    ],
)
def test_the_rule(systems, best):
    results = dict(entries={}, rows=[])
    for name, values in systems.items():
        entry, rows = figures(name, *values)
        results['entries'][name] = entry
        results['rows'] += rows
    assert choose(results, 'd', 'val', systems, 1.15) == best


def test_a_rule_without_figures_says_what_it_lacks():
    results = dict(entries=dict(a={}), rows=[])
    with pytest.raises(ValueError, match='none of a has a streamed mIoU'):
        choose(results, 'd', 'val', ['a'], 1.15)


def test_where_published_weights_lie_is_not_said():
    weights = ROOT / 'work_dirs/checkpoints/unet_street.pth'
    said = 'work_dirs/checkpoints/unet_street.pth'
    assert evidence._in_the_package(str(weights)) == said
    assert evidence._in_the_package('first') == 'first'
    assert evidence._in_the_package(None) is None
