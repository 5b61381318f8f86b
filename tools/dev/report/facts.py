"""Numbers of the committed results that are not the benchmarks', by name.

- ``steady.NET.SETTING.FIGURE``: a figure of a steadied net (s0, s1, weak,
  street); ``steady.NET.SETTING.gain``: its mIoU less that of the net alone,
  ``gain_second_half``, ``gain_clean``: of a part of the frames, ``cut``: of
  its flicker, in percent of it; ``steady.NET.A-B.mIoU``: the
  difference of two settings; NET ``worst``, ``best``: of CamVid's;
  with ``_degraded``: where a fifth of the frames are degraded.
- ``sweep.ROW.NET``: a gain of a setting around the default, from the page of
  the sweep.
- ``ablation.SPEC.ENTRY.PROTOCOL.METRIC``: a mean over seeds;
  ``...METRIC.difference``: to the table's baseline, paired by seed;
  ``ablation.SPEC.A-B.PROTOCOL.METRIC``: the difference of two means.
- ``parameters.SPEC.ENTRY``: of a net.
- ``gpu.STAGE.(CASE).COLUMN``: of tools/gpu_day.sh.
- ``robustness.DATA.KIND.STRENGTH.FIGURE``: a difference, DATA is camvid or
  street; ``...FIGURE.low``, ``high``: its interval.
- ``reliability.TOTAL``, ``settings``: of tools/dev/chaos.py.
- ``zoo.families``, ``zoo.builds``, ``zoo.steady``, ``zoo.exports``: of
  tools/dev/check_zoo.py.
- ``street.ENTRY.SUBSET.SEED``: the difference in mIoU, bursts, streamed, on
  one data set, a mean over its trainings; ENTRY 'A/B': to B;
- ``camvid_gpu.SEED.val``, ``test``: mIoU of a framewise net.
"""

from statistics import fmean

from .sources import ReportError, Results, column

NETS = ('s0', 's1', 'weak')
# Of the steady filters' settings, as their JSON holds them; the default first.
_DEFAULT = dict(
    weight=0.1,
    of='probabilities',
    flow='dis',
    preset='medium',
    min_size=None,
    max_error_ratio=None,
    photometric_scale=None,
    noise_scale=4.0,
    blur=1,
    every=1,
    look_ahead=None,
    scale=1.0,
    min_contrast=0,
)
_ALONE = {**_DEFAULT, 'weight': 1.0, 'flow': None}
_ALONE |= dict(of='logits', noise_scale=None, blur=5)
SETTINGS = {
    'alone': _ALONE,
    'place': {**_ALONE, 'weight': 0.5},
    'default': _DEFAULT,
    'default_hold': {**_DEFAULT, 'min_contrast': 10},
    'lag5': {**_DEFAULT, 'look_ahead': 5},
    'offline': {**_DEFAULT, 'look_ahead': 24},
    **{f'every{k}': {**_DEFAULT, 'every': k} for k in (2, 3, 5, 10)},
    'every2_hold': {**_DEFAULT, 'every': 2, 'min_contrast': 10},
    **{f'held{k}': {**_ALONE, 'every': k} for k in (2, 3, 5, 10)},
    **{
        f'warped{k}': {**_ALONE, 'flow': 'dis', 'every': k}
        for k in (2, 3, 5, 10)
    },
    **{
        f'scale{int(1000 * s)}': {**_ALONE, 'scale': s}
        for s in (0.875, 0.75, 0.625, 0.5)
    },
}


def fact(results: Results, name: str) -> float:
    """The number of this name, see above.

    Raises:
        ReportError: If there is none.
    """
    kind, *parts = _split(name)
    try:
        return float(_KINDS[kind](results, *parts))
    except (KeyError, IndexError, TypeError, StopIteration) as error:
        raise ReportError(
            f"there is no fact '{name}' ({type(error).__name__}: {error}); "
            'tools/dev/report/facts.py says which there are'
        ) from error


def _split(name: str) -> list[str]:
    """At the dots; what is in parentheses, which may hold some, is whole."""
    parts, depth = [''], 0
    for character in name:
        depth += (character == '(') - (character == ')')
        if character == '.' and not depth:
            parts.append('')
        elif character not in '()':
            parts[-1] += character
    return parts


def steady_figures(results: Results, net: str, setting: str) -> dict:
    """The figures of a steadied net."""
    net, _, degraded = net.partition('_')
    data = f'camvid_val{"_degrade0.2" if degraded else ""}'
    folder = 'street_test/unet_street' if net == 'street' else f'{data}/{net}'
    folder = results.root / 'steady' / folder
    wanted = SETTINGS[setting]
    for path in sorted(folder.glob('*.json')):
        report = results.json(str(path.relative_to(results.root)))
        found = dict(min_contrast=0) | report.get('setting', {})
        if all(k in found and found[k] == v for k, v in wanted.items()):
            return report['figures']
    raise KeyError(f'no setting {setting} of {net} in {folder.name}')


def _steady(results: Results, net: str, setting: str, figure: str) -> float:
    which, _, degraded = net.partition('_')
    if which in ('worst', 'best'):
        nets = [f'{n}_degraded' if degraded else n for n in NETS]
        values = [_steady(results, n, setting, figure) for n in nets]
        larger_is_better = figure != 'cut'
        return (max if (which == 'best') == larger_is_better else min)(values)
    setting, _, other = setting.partition('-')
    figures = steady_figures(results, net, setting)
    if other:
        return figures[figure] - steady_figures(results, net, other)[figure]
    if figure in figures:
        return figures[figure]
    alone = steady_figures(results, net, 'alone')
    if figure == 'gain':
        return figures['mIoU'] - alone['mIoU']
    if figure.startswith('gain_'):
        part = figure.replace('gain', 'mIoU')
        return figures[part] - alone[part]
    if figure == 'cut':
        return 100 * (figures['flicker_static'] / alone['flicker_static'] - 1)
    raise KeyError(figure)


def _sweep(results, row, column) -> float:
    cell = {'s0': 1, 's1': 2, 'weak': 3, 'worst': 4}[column]
    lines = results.markdown('steady/README.md')
    line = next(cells for cells in lines if cells[0] == row)
    return float(line[cell].split()[0])


def _ablation(results, spec, entry, protocol, metric, what='mean') -> float:
    table = results.table(spec)
    entry, _, base = entry.partition('-')
    column = f'{protocol} {metric} {what}'
    if column not in table[entry]:  # its name at the time of older tables
        column = column.replace('flicker_static', 'flicker_unfounded')
    value = float(table[entry][column])
    return value - float(table[base][column]) if base else value


def _parameters(results, spec, entry) -> int:
    return int(results.table(spec)[entry]['parameters'])


def _gpu(results, stage, case, column) -> float:
    rows = results.json('gpu/gpu_day.json')['stages'][stage]['rows']
    return next(row[column] for row in rows if row['case'] == case)


def _robustness(results, data, kind, strength, figure, part='difference'):
    table = results.json(f'robustness_{data}/robustness.json')
    return table[kind][strength][figure][part]


def _zoo(results, count) -> int:
    rows = results.json('zoo/table.json').values()
    if count == 'families':
        return len(rows)
    if count == 'builds':
        return sum(not row['builds'] for row in rows)
    return sum(isinstance(row.get(count), int | float) for row in rows)


def _reliability(results, total) -> int:
    report = results.json('reliability/chaos.json')
    if total == 'settings':
        return len(report['settings'])
    return report['totals'][total]


def _street(results, entry, subset, seed) -> float:
    benchmark = results.benchmarks['street']
    row = benchmark.row(entry, column('bursts', 'stream', 'mIoU', subset))
    found = [
        difference
        for run, difference in row['each'].items()
        if run.split('/')[0] == seed
    ]
    if not found:
        raise KeyError(f'no training on data set {seed}')
    return fmean(found)


def _camvid_gpu(results, seed, column) -> float:
    cell = {'val': 2, 'test': 3}[column]
    lines = results.markdown('camvid_gpu/README.md')
    line = next(cells for cells in lines if cells[0] == seed)
    return float(line[cell].split(',')[0])


_KINDS = dict(
    steady=_steady,
    sweep=_sweep,
    ablation=_ablation,
    gpu=_gpu,
    parameters=_parameters,
    robustness=_robustness,
    zoo=_zoo,
    reliability=_reliability,
    street=_street,
    camvid_gpu=_camvid_gpu,
)
