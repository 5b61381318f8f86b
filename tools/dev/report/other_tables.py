"""The report's tables, of what was measured beside the two benchmarks."""

from . import numbers
from .facts import NETS, fact, steady_figures
from .latex import RULE, tabular
from .sources import ReportError, Results

STEADY = {
    'place': 'average in place',
    'default': 'flow-compensated, noise-relative',
    'lag5': 'the same, five frames late',
    'offline': 'the same, past and future',
}
PACES = {
    'every2': 'net on every 2nd frame',
    'every3': 'net on every 3rd frame',
    'every5': 'net on every 5th frame',
}
RIVALS = {
    'warped3': 'every 3rd, warp alone',
    'held3': 'every 3rd, map held',
    'scale750': 'input at $3/4$ (cost $0.56$)',
    'scale500': 'input at $1/2$ (cost $0.25$)',
}
CELLS = dict(gru='ConvGRU', lstm='ConvLSTM', rnn='Elman')
CONNECTIONS = ('residual', 'dense', 'standard')
LEVELS = {
    'level_0': '0 (finest)',
    'level_1': '1',
    'level_2': '2',
    'bottleneck': '3 (bottleneck)',
    'levels_23': '2, 3',
    'levels_123': '1, 2, 3',
    'laterals': '0, 1, 2',
    'all': 'all',
    'all_and_final': 'all, final RNN',
}
# Entry -> its name, and the entry that it is compared with.
LADDER = {
    'warm': ('lateral ConvGRUs', 'framewise'),
    'burn_in': ('\\quad with burn-in', 'framewise'),
    'wide': ('split laterals, half of the channels', 'framewise'),
    'gated_average': ('gated EMA', 'framewise'),
    'gated_average_flow': ('\\quad flow-compensated in tests', 'framewise'),
    'gated_average_flow_trained': (
        '\\quad flow-compensated in training too',
        'framewise',
    ),
    'key_grad': ('laterals, gradient of the key frame alone', 'framewise'),
    'augmented': ('laterals, temporal augmentation', 'framewise_augmented'),
    'consistency': (
        'laterals, consistency loss',
        'framewise_consistency',
    ),
    'pseudo': ('laterals, pseudo-labels', 'framewise_pseudo'),
    'mean_teacher': ('laterals, mean teacher', 'framewise_mean_teacher'),
}
DID_NOT_HELP = {
    'framewise_augmented': 'temporal augmentation',
    'framewise_consistency': 'consistency loss',
    'framewise_pseudo': 'pseudo-labels',
    'framewise_mean_teacher': 'mean teacher',
}
GPU = ('laterals', 'gated EMA', 'flow-compensated gated EMA')
CORRUPTIONS = {
    'dropped': 'dropped frames',
    'noise_burst': 'noise bursts',
    'motion_blur': 'motion blur',
    'dark': 'lasting darkness',
    'jpeg': 'JPEG blocks',
    'patch': 'occluding patch',
}
FRAMES = {
    **{f'trained_t{t}': f'$T\\,{{=}}\\,{t}$' for t in (2, 3, 5, 8, 12)},
    'burn_in': '5, burn-in',
    'grow': '5, 8, then 12',
}


def steady(results: Results) -> str:
    """Any net, steadied without training: gains over the net alone."""
    return _steady_table(results, NETS, STEADY, PACES, RIVALS)


def steady_degraded(results: Results) -> str:
    """The same where a fifth of the frames are degraded."""
    nets = [f'{net}_degraded' for net in NETS]
    held = {'default_hold': 'filter, flat and dark frames held'}
    return _steady_table(results, nets, STEADY | held, PACES)


def _steady_table(results: Results, nets, *groups: dict[str, str]) -> str:
    lines = [_steady_line('alone', 'the net alone', nets, results, True)]
    for group in groups:
        lines += [RULE]
        lines += [_steady_line(s, n, nets, results) for s, n in group.items()]
    head = (
        r'& \multicolumn{2}{c}{net A} & \multicolumn{2}{c}{net B}'
        r' & \multicolumn{2}{c}{weak net} \\',
        r'\cmidrule(lr){2-3}\cmidrule(lr){4-5}\cmidrule(l){6-7}',
        '& mIoU & flicker' * 3 + r' \\',
    )
    return tabular('@{}lrrrrrr@{}', head, lines)


def _steady_line(setting, name, nets, results, absolute=False) -> list[str]:
    cells = [name]
    for net in nets:
        if absolute:
            figures = steady_figures(results, net, setting)
            cells.append(numbers.plain(figures['mIoU']))
            flicker = numbers.plain(
                figures['flicker_static'], 'flicker_static'
            )
            cells.append(f'{flicker}\\,\\%')
            continue
        gain = fact(results, f'steady.{net}.{setting}.gain')
        cut = fact(results, f'steady.{net}.{setting}.cut')
        cells += [numbers.signed(gain), numbers.percent(cut)]
    return cells


def cells(results: Results) -> str:
    """Cell by connection: mIoU at T=5 and streamed, over framewise."""
    table = results.table('cells_and_connections')
    lines = [
        [
            name,
            *(
                f'{_difference(table[f"{cell}_{connection}"], "t5")} / '
                f'{_difference(table[f"{cell}_{connection}"], "stream")}'
                for connection in CONNECTIONS
            ),
        ]
        for cell, name in CELLS.items()
    ]
    head = (' & '.join(['', *CONNECTIONS]) + r' \\',)
    return tabular('@{}lrrr@{}', head, lines)


def _difference(row: dict, protocol: str) -> str:
    return numbers.signed(float(row[f'{protocol} mIoU difference']))


def levels(results: Results) -> str:
    """Which levels are recurrent."""
    table = results.table('levels')
    lines = [
        [
            name,
            _difference(table[entry], 't5'),
            _difference(table[entry], 'stream'),
            _flicker_difference(table[entry]),
        ]
        for entry, name in LEVELS.items()
        if table.get(entry, {}).get('t5 mIoU difference')
    ]
    head = (r'levels & $T\,{=}\,5$ & stream & flicker \\',)
    return tabular('@{}lrrr@{}', head, lines)


def _flicker_difference(row: dict) -> str:
    value = row['stream flicker_unfounded difference']
    return numbers.signed(float(value), 'flicker')


def frames(results: Results) -> str:
    """Trained with T frames, tested with T' frames."""
    table = results.table('frames')
    tested = ('t1', 't2', 't3', 't5', 't8', 't12', 'stream')
    lines = [
        [
            name,
            *(
                numbers.plain(float(table[entry][f'{t} mIoU mean']))
                for t in tested
            ),
        ]
        for entry, name in FRAMES.items()
    ]
    names = [t.removeprefix('t') for t in tested]
    head = (' & '.join(['trained', *names[:-1], 'stream']) + r' \\',)
    return tabular('@{}l' + 'r' * len(tested) + '@{}', head, lines)


def ladder(results: Results) -> str:
    """What each way of training gains over its own framewise baseline."""
    table = results.table('ladder_street')
    lines = []
    for entry, (name, base) in LADDER.items():
        row, against = table[entry], table[base]
        lines.append([name, row['t5 mIoU n'], *_over(row, against)])
    lines.append(RULE)
    for entry, name in DID_NOT_HELP.items():
        row, against = table[entry], table['framewise']
        lines.append(
            [f'framewise, {name}', row['t5 mIoU n'], *_over(row, against)]
        )
    head = (r'& seeds & $T\,{=}\,5$ & stream & flicker \\',)
    return tabular('@{}lrrrr@{}', head, lines)


def _over(row: dict, base: dict) -> list[str]:
    """Differences paired by seed: of the means where both have the same
    seeds, else the table's own, which are to ``framewise``."""
    columns = ('t5 mIoU', 'stream mIoU', 'stream flicker_unfounded')
    cells = []
    for column in columns:
        mean, seeds = f'{column} mean', f'{column} n'
        value = float(row[mean]) - float(base[mean])
        if row[seeds] != base[seeds]:
            if base['entry'] != 'framewise':
                raise ReportError(
                    f'{row["entry"]} and {base["entry"]} have other seeds'
                )
            value = float(row[f'{column} difference'])
        figure = 'flicker' if 'flicker' in column else 'mIoU'
        cells.append(numbers.signed(value, figure))
    return cells


def gpu(results: Results) -> str:
    """Time of a streamed frame against framewise, on a GPU."""
    sizes = {'latency_small': '512x1024', 'latency_large': '1024x2048'}
    lines = []
    for stage, size in sizes.items():
        for precision in ('TF32', 'float16'):
            lines.append(
                [
                    '$' + size.replace('x', r'\times') + '$',
                    precision,
                    *(
                        f'{fact(results, f"gpu.{stage}.({n}, {precision}).ratio"):.2f}'  # noqa: E501
                        for n in GPU
                    ),
                ]
            )
    head = (r'frame & & laterals & gated EMA & with flow \\',)
    return tabular('@{}llrrr@{}', head, lines)


def robustness(results: Results) -> str:
    """Differences of the lateral ConvGRUs under six corruptions."""
    lines = []
    for kind, name in CORRUPTIONS.items():
        cells = [name]
        for data in ('street', 'camvid'):
            table = results.json(f'robustness_{data}/robustness.json')[kind]
            for strength in '123':
                found = table[strength]['mIoU']
                cells.append(_marked(found))
        lines.append(cells)
    head = (
        r'& \multicolumn{3}{c}{street scenes} & \multicolumn{3}{c}{CamVid} \\',
        r'\cmidrule(lr){2-4}\cmidrule(l){5-7}',
        r'strength & 1 & 2 & 3 & 1 & 2 & 3 \\',
    )
    return tabular('@{}lrrrrrr@{}', head, lines)


def _marked(found: dict) -> str:
    found = {**found, 'figure': 'mIoU'}
    text = numbers.signed(found['difference'])
    mark = numbers.significance(found)
    if mark == 'better':
        return text.replace('{', '{\\mathbf{', 1) + '}'
    return text + '$^\\dagger$' if mark == 'worse' else text
