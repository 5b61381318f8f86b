"""Tables and a plot of what :func:`benchmark` wrote."""

from pathlib import Path

import numpy as np

from ...io.atomic import write_text
from ..output import markdown_table, save_figure, subplots
from .steady_results import BASELINE, NetResults, read_nets
from .steady_settings import FLOWS, HELD, PACES, REPORTED, RIVALS

COLUMNS = {
    'mIoU': 'mIoU',
    'mIoU_clean': 'clean frames',
    'mIoU_degraded': 'degraded frames',
    'mIoU_first_half': 'first half',
    'mIoU_second_half': 'second half',
    'mAcc': 'mAcc',
    'flicker_static': 'static-label flicker %',
    'VC8': 'VC8',
    'VC16': 'VC16',
    'TC_ETC': 'TC',
    'full_frames': 'full frames %',
}
# Lines of the plot, and single points with their markers.
_KTH = ['the default', *(n for n in PACES if n.startswith('every'))]
LINES = {
    'filtered, every k-th frame': _KTH,
    'the same, flat and dark frames held': [
        name for name in HELD if name.split(',')[0] in _KTH
    ],
    'filtered along DIS fast': [n for n in FLOWS if n.startswith('DIS fast')],
    "filtered along the codec's vectors": [
        n for n in FLOWS if n.startswith('codec')
    ],
    'warped, no filter, no weight': [
        n for n in RIVALS if n.startswith('warped')
    ],
    'the last map held': [n for n in RIVALS if n.startswith('held')],
    'the net at lower resolution': [
        BASELINE,
        *(n for n in RIVALS if n.startswith('the net at')),
    ],
}
POINTS = {BASELINE: '*', 'adaptive': 'D'}


def write_reports(out: Path) -> list[Path]:
    """A table, as steady_DATA.md, and a plot, as steady_DATA.png, of each
    folder of results.

    Args:
        out (Path): What :func:`benchmark` was given.

    Raises:
        ValueError: If there are no results.
    """
    paths = []
    for folder in sorted(p for p in out.glob('*') if p.is_dir()):
        if nets := read_nets(folder):
            path = out / f'steady_{folder.name}.md'
            write_text(path, report_of(folder))
            paths += [path, _draw(path.with_suffix('.png'), folder.name, nets)]
    if not paths:
        raise ValueError(f"no results in '{out}': run the benchmark first")
    return paths


def report_of(folder: Path) -> str:
    """The page of one video: a table for each net, and one of them all.

    Args:
        folder (Path): Of the video, a folder in that of the results.
    """
    nets = read_nets(folder)
    text = f'# {folder.name}\n'
    for net in nets:
        text += f'\n## {net.name}\n\n{_table(net)}'
        if net.intervals_over:
            text += (
                '\nDifferences to the net alone, with 95 % intervals of a '
                f'paired bootstrap over {net.intervals_over}.\n'
            )
        if net.milliseconds:
            parts = ', '.join(f'{k} {v}' for k, v in net.milliseconds.items())
            text += f'\nMilliseconds a frame, one thread: {parts}\n'
    return f'{text}\n## All nets\n\n{_differences(nets)}'


def _table(net: NetResults) -> str:
    keys = [k for k in COLUMNS if any(k in f for f in net.figures.values())]
    compared = {k for found in net.differences.values() for k in found}
    head = ['']
    for key in keys:
        head += [COLUMNS[key], *['difference (95 %)'] * (key in compared)]
    rows = []
    for name in REPORTED:
        if name not in net.figures:
            continue
        row = [name]
        for key in keys:
            row.append(net.figures[name].get(key))
            if key in compared:
                row.append(interval(net, name, key))
        rows.append(row)
    return markdown_table(head, rows)


def interval(net: NetResults, name: str, figure: str) -> str:
    """'+1.20 (+0.40 to +1.90)'; empty for the net alone."""
    found = net.differences[name].get(figure)
    if name == BASELINE or not found:
        return ''
    return '{:+.2f} ({:+.2f} to {:+.2f})'.format(*found)


def _differences(nets: list[NetResults]) -> str:
    """To each net alone: the mean of all nets, and the worst."""
    rows = []
    # Where not every frame is labelled there is no flicker of static labels.
    flicker = 'flicker_static'
    if any(flicker not in f for n in nets for f in n.figures.values()):
        flicker = 'flicker'
    for name in REPORTED:
        gains = [net.difference(name) for net in nets]
        gains = [value for value in gains if value is not None]
        cuts = [net.relative(name, flicker) for net in nets]
        cuts = [value for value in cuts if value is not None]
        if gains:
            row = np.mean(gains), min(gains), np.mean(cuts), max(cuts)
            rows.append((name, *(f'{value:+.2f}' for value in row)))
    head = ('to the net alone', 'mIoU, mean', 'worst', 'flicker %, mean')
    return markdown_table((*head, 'worst'), rows)


def _draw(path: Path, data: str, nets: list[NetResults]) -> Path:
    figure, axes = subplots(1, 2, (11, 4.5))
    labels = dict(mIoU='mIoU (%)', flicker_static='static-label flicker (%)')
    timed = all(net.milliseconds for net in nets)
    for axis, metric in zip(np.ravel(axes), labels, strict=True):
        for i, (label, names) in enumerate(LINES.items()):
            points = _points(nets, names, metric)
            if len(points) > 1:
                line = zip(*points, strict=True)
                axis.plot(*line, 'o-', color=f'C{i}', label=label)
        for name, marker in POINTS.items():
            if points := _points(nets, [name], metric):
                place = zip(*points, strict=True)
                axis.plot(*place, marker, color='black', ms=7, label=name)
        axis.set_xlabel(
            "cost of a frame, in units of the net's"
            + ('' if timed else ' (flow and warp not counted)')
        )
        axis.set_ylabel(labels[metric])
        axis.grid(alpha=0.3)
    np.ravel(axes)[0].legend(fontsize=8)
    names = ', '.join(net.name for net in nets)
    figure.suptitle(f'{data}: {"mean of " * (len(nets) > 1)}{names}')
    save_figure(figure, path)
    return path


def _points(
    nets: list[NetResults], names: list[str], metric: str
) -> list[tuple[float, float]]:
    """Cost and metric of settings, means over the nets, the cheapest first;
    of those that were measured with all nets."""
    return sorted(
        tuple(
            np.mean(
                [
                    (net.cost(n), net.figures[n].get(metric, np.nan))
                    for net in nets
                ],
                axis=0,
            )
        )
        for n in names
        if all(n in net.figures for net in nets)
    )
