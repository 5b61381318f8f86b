"""The documentation's tables of steadied nets."""

from collections.abc import Iterable
from pathlib import Path

from ..output import markdown_table
from .steady_report import interval
from .steady_results import BASELINE, NetResults, read_nets

HELD = 'flat and dark frames held'
# Setting -> how a row is called, in the order of rows.
FILTERS = {
    BASELINE: BASELINE,
    'average in place': 'average in place',
    'the default': '**the filter of `steady()`**',
    f'the default, {HELD}': f'**{HELD} too: the default**',
    'lag 5': 'look-ahead of 5 frames',
    f'lag 5, {HELD}': f'look-ahead of 5 frames, {HELD}',
    'offline': 'offline, past and future',
    f'offline, {HELD}': f'offline, {HELD}',
    f'{BASELINE}, {HELD}': f'no filter, {HELD}',
}
PACES = {
    'every 2': 'every 2nd frame',
    f'every 2, {HELD}': f'every 2nd frame, {HELD}',
    'every 3': 'every 3rd frame',
    f'every 3, {HELD}': f'every 3rd frame, {HELD}',
    'every 5': 'every 5th frame',
    f'every 5, {HELD}': f'every 5th frame, {HELD}',
    'every 10': 'every 10th frame',
    'adaptive': 'adaptive',
    f'adaptive, {HELD}': f'adaptive, {HELD}',
}
RIVALS = {
    'warped without filter and weight, every 3': (
        'every 3rd, warped without filter and weight'
    ),
    'held, every 3': 'every 3rd, the last map held',
    'the net at 0.75 of the size': 'the net at 3/4 of the size, 0.56 of its '
    'cost',
    'the net at 0.5 of the size': 'the net at 1/2 of the size, 0.25 of its '
    'cost',
}
FLOWS = {
    BASELINE: BASELINE,
    **{
        setting: label + text
        for k, text in {
            1: '',
            3: ', every 3rd frame',
            5: ', every 5th frame',
        }.items()
        for setting, label in {
            'the default' if k == 1 else f'every {k}': 'DIS medium, the '
            'default',
            f'DIS fast, every {k}': 'DIS fast',
            f"codec's vectors, every {k}": "**the codec's vectors**",
        }.items()
    },
}
SUBSETS = {
    'mIoU': 'mIoU, all frames',
    'mIoU_clean': 'clean frames',
    'mIoU_degraded': 'degraded frames',
}
FRONT = {
    'camvid_val': ('clean video', 'the default'),
    'camvid_val_degrade0.2': (
        f'a fifth of the frames degraded, {HELD}',
        f'the default, {HELD}',
    ),
}


def filters(folder: Path) -> str:
    """A row for each way to steady a net that runs on all frames, two columns
    for each net."""
    return _by_net(FILTERS, {net.name: net for net in _nets(folder)})


def paces(folder: Path) -> str:
    """The same of nets that run on some frames, and of what else saves."""
    return _by_net(PACES | RIVALS, {n.name: n for n in _nets(folder)})


def flows(folder: Path) -> str:
    """A row for each estimator of the flow, of one net on a video file and on
    the same with B-frames, whose folder ends in _bframes."""
    (without,) = _nets(folder)
    (with_them,) = _nets(folder.with_name(f'{folder.name}_bframes'))
    columns = {'no B-frames': without, 'three in a row': with_them}
    return _by_net(FLOWS, columns)


def _by_net(rows: dict[str, str], columns: dict[str, NetResults]) -> str:
    head = ['']
    for name in columns:
        head += [f'{name}: mIoU', 'flicker']
    lines = []
    for setting, label in rows.items():
        if any(setting in net.figures for net in columns.values()):
            cells = [_cells(net, setting) for net in columns.values()]
            lines.append([label, *(cell for pair in cells for cell in pair)])
    return markdown_table(head, lines)


def _cells(net: NetResults, setting: str) -> tuple[str, str]:
    """mIoU and static-label flicker, or their changes."""
    if setting not in net.figures:
        return '', ''
    if setting == BASELINE:
        figures = net.figures[BASELINE]
        return f'{figures["mIoU"]:.2f}', f'{figures["flicker_static"]:.2f} %'
    return f'{net.difference(setting):+.2f}', _percent(net.relative(setting))


def intervals(folder: Path) -> str:
    """All rows, of one net on a video of many sequences, with intervals."""
    (net,) = _nets(folder)
    rows = []
    for setting, label in (FILTERS | PACES | RIVALS).items():
        if setting not in net.figures:
            continue
        if setting == BASELINE:
            figures = [net.figures[BASELINE][key] for key in SUBSETS]
            flicker = f'{net.figures[BASELINE]["flicker_static"]:.2f} %'
        else:
            figures = [interval(net, setting, key) for key in SUBSETS]
            flicker = _percent(net.relative(setting))
        rows.append([label, *figures, flicker])
    return markdown_table(['', *SUBSETS.values(), 'flicker'], rows)


def averages(folder: Path) -> str:
    """The same average of logits and of probabilities, on every video where
    both were measured.

    Args:
        folder (Path): Of all videos.
    """
    pairs = {
        '': ('of the logits', 'the default'),
        f', {HELD}': (f'of the logits, {HELD}', f'the default, {HELD}'),
    }
    rows = []
    for video in sorted(folder.glob('*/')):
        for net in read_nets(video):
            for text, pair in pairs.items():
                if all(setting in net.figures for setting in pair):
                    cells = [c for name in pair for c in _subsets(net, name)]
                    rows.append([f'{video.name}, {net.name}{text}', *cells])
    parts = ['mIoU', 'clean', 'degraded', 'flicker']
    head = ['', *(f'logits: {part}' for part in parts)]
    return markdown_table([*head, *(f'prob.: {p}' for p in parts)], rows)


def _subsets(net: NetResults, setting: str) -> list[str]:
    """Changes of mIoU, of all frames and of parts of them, and of flicker."""
    gains = [net.difference(setting, figure) for figure in SUBSETS]
    shown = ['' if gain is None else f'{gain:+.2f}' for gain in gains]
    return [*shown, _percent(net.relative(setting))]


def worst(folder: Path) -> str:
    """The largest loss of each way over all nets and videos, clean and
    degraded frames apart, and the smallest change of flicker.

    Args:
        folder (Path): Of all videos.
    """
    videos = {p.name: read_nets(p) for p in sorted(folder.glob('*/'))}
    rows = []
    for setting, label in (FILTERS | PACES).items():
        gains, cuts = [], []
        for video, nets in videos.items():
            for net in nets:
                for figure, frames in SUBSETS.items():
                    gain = net.difference(setting, figure)
                    place = f'{video}, {net.name}, {frames.split(", ")[-1]}'
                    gains += [] if gain is None else [(gain, place)]
                cut = net.relative(setting)
                place = f'{video}, {net.name}'
                cuts += [] if cut is None else [(cut, place)]
        if gains and setting != BASELINE:
            gain, place = min(gains)
            cut, where = max(cuts)
            rows.append([label, f'{gain:+.2f}', place, _percent(cut), where])
    return markdown_table(['', 'mIoU', 'of', 'flicker', 'of'], rows)


def front(folder: Path) -> str:
    """From the net that gains least to the one that gains most, by video.

    Args:
        folder (Path): Of all videos.
    """
    rows = []
    for video, (label, setting) in FRONT.items():
        nets = _nets(folder / video)
        alone = [net.figures[BASELINE] for net in nets]
        gains = [net.difference(setting) for net in nets]
        cuts = [net.relative(setting) for net in nets]
        rows.append(
            (
                label,
                _range((f['mIoU'] for f in alone), '.1f'),
                f'**{_range(gains, "+.1f")}**',
                _range((f['flicker_static'] for f in alone), '.1f'),
                f'**{_range((-cut for cut in cuts), ".0f", "-")} %**',
            )
        )
    head = ('framewise mIoU', 'Δ mIoU', 'framewise flicker (%)', 'Δ flicker')
    return markdown_table(['', *head], rows)


def _range(values: Iterable[float], format: str, sign: str = '') -> str:
    values = sorted(values)
    return ' to '.join(f'{sign}{v:{format}}' for v in (values[0], values[-1]))


def _percent(value: float | None) -> str:
    return '' if value is None else f'{value:+.0f} %'


def _nets(folder: Path) -> list[NetResults]:
    """
    Raises:
        FileNotFoundError: If nothing was measured there.
    """
    nets = read_nets(folder)
    if not nets:
        raise FileNotFoundError(
            f"no results in '{folder}': tools/dev/steady_benchmark.py makes "
            'them'
        )
    return nets


TABLES = dict(
    steady_filters=filters,
    steady_paces=paces,
    steady_flows=flows,
    steady_intervals=intervals,
    steady_front=front,
    steady_worst=worst,
    steady_averages=averages,
)
