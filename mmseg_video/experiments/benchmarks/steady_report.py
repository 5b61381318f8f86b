"""Tables and a plot of what :func:`benchmark` wrote."""

import json
from pathlib import Path

import numpy as np

from ...evaluation.bootstrap import compare
from ...io.atomic import write_text
from ..output import markdown_table, save_figure, subplots
from .steady_settings import PACES, REPORTED, RIVALS, Setting

COLUMNS = {
    'mIoU': 'mIoU',
    'mIoU_first_half': 'first half',
    'mIoU_second_half': 'second half',
    'mAcc': 'mAcc',
    'flicker_static': 'static-label flicker %',
    'VC8': 'VC8',
    'VC16': 'VC16',
    'TC_ETC': 'TC',
    'full_frames': 'full frames %',
}
# To the net alone, with intervals of a bootstrap over blocks of the video.
INTERVALS = {
    'mIoU': 'mIoU, difference (95 %)',
    'flicker_static': 'flicker, difference (95 %)',
}
LINES = {
    'filtered, every k-th frame': ['the default', *PACES],
    'the last map held': [n for n in RIVALS if n.startswith('held')],
    'warped, no filter, no weight': [
        n for n in RIVALS if n.startswith('warped')
    ],
    'the net at lower resolution': [
        'the net alone',
        *(n for n in RIVALS if n.startswith('the net at')),
    ],
}


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
        nets = {p.name: _Net(p) for p in sorted(folder.iterdir())}
        nets = {name: net for name, net in nets.items() if net.figures}
        if nets:
            paths += [_write_table(out, folder.name, nets)]
            paths += [_draw(out, folder.name, nets)]
    if not paths:
        raise ValueError(f"no results in '{out}': run the benchmark first")
    return paths


class _Net:
    """The results of one net.

    ``figures``: name of the setting -> its figures; ``milliseconds``: of its
    parts, where they were timed.
    """

    def __init__(self, folder: Path):
        known = {
            _key(setting.plain): name for name, setting in REPORTED.items()
        }
        self.folder, self.figures, self.milliseconds = folder, {}, None
        for path in sorted(folder.glob('*.json')):
            report = json.loads(path.read_text())
            if path.name == 'milliseconds.json':
                self.milliseconds = report
            elif _key(report['setting']) in known and 'quick' not in path.stem:
                name = known[_key(report['setting'])]
                self.figures[name] = report['figures']

    def differences(self, name: str) -> list[str]:
        """To the net alone, with 95 % intervals, in words; empty where the
        blocks of one of the two were not kept."""
        alone, ours = (
            self.folder / REPORTED[n].key for n in ('the net alone', name)
        )
        if alone == ours or not (alone.is_dir() and ours.is_dir()):
            return [''] * len(INTERVALS)
        figures = compare(alone, ours)['figures']
        return [
            '{difference:+.2f} ({low:+.2f} to {high:+.2f})'.format(
                **figures[key]
            )
            if key in figures
            else ''
            for key in INTERVALS
        ]

    def cost(self, name: str) -> float:
        """Of a frame, in units of the net's."""
        setting: Setting = REPORTED[name]
        share = self.figures[name]['full_frames'] / 100 * setting.scale**2
        if self.milliseconds is None:
            return share
        parts = {
            k: v / self.milliseconds['net']
            for k, v in self.milliseconds.items()
        }
        if setting.flow is None:
            return share
        return (
            share * (1 + parts['filter'])
            + (1 - share) * parts['propagate']
            + parts['flow']
        )


def _key(setting: dict) -> str:
    return json.dumps(setting, sort_keys=True)


def _write_table(out: Path, data: str, nets: dict[str, _Net]) -> Path:
    text = f'# {data}\n'
    for name, net in nets.items():
        rows = [
            (
                setting,
                *(_shown(figures, key) for key in COLUMNS),
                *net.differences(setting),
            )
            for setting in REPORTED
            if (figures := net.figures.get(setting))
        ]
        head = ('', *COLUMNS.values(), *INTERVALS.values())
        text += f'\n## {name}\n\n{markdown_table(head, rows)}\n'
        if net.milliseconds:
            parts = ', '.join(f'{k} {v}' for k, v in net.milliseconds.items())
            text += f'\nMilliseconds a frame, one thread: {parts}\n'
    text += '\n' + _differences(nets)
    path = out / f'steady_{data}.md'
    write_text(path, text)
    return path


def _shown(figures: dict, key: str) -> str:
    return f'{figures[key]:.2f}' if key in figures else ''


def _differences(nets: dict[str, _Net]) -> str:
    """To each net alone: the mean of all nets, and the worst."""
    rows = []
    for setting in REPORTED:
        gains, steadier = [], []
        for net in nets.values():
            alone, ours = (
                net.figures.get(n) for n in ('the net alone', setting)
            )
            if alone and ours:
                gains.append(ours['mIoU'] - alone['mIoU'])
                steadier.append(100 * (_flicker(ours) / _flicker(alone) - 1))
        if gains:
            row = (
                np.mean(gains),
                min(gains),
                np.mean(steadier),
                max(steadier),
            )
            rows.append((setting, *(f'{value:+.2f}' for value in row)))
    head = ('to the net alone', 'mIoU, mean', 'worst', 'flicker %, mean')
    return f'## All nets\n\n{markdown_table((*head, "worst"), rows)}\n'


def _flicker(figures: dict) -> float:
    """Where every frame is labelled, that of static labels."""
    return figures.get('flicker_static', figures['flicker'])


def _means(points) -> tuple[float, ...]:
    return tuple(np.mean([*points], axis=0))


def _draw(out: Path, data: str, nets: dict[str, _Net]) -> Path:
    figure, axes = subplots(1, 2, (11, 4.5))
    labels = dict(mIoU='mIoU (%)', flicker_static='static-label flicker (%)')
    for axis, metric in zip(np.ravel(axes), labels, strict=True):
        for label, names in LINES.items():
            points = sorted(
                _means(
                    (net.cost(n), net.figures[n].get(metric, np.nan))
                    for net in nets.values()
                )
                for n in names
                if all(n in net.figures for net in nets.values())
            )
            if points:
                axis.plot(*zip(*points, strict=True), 'o-', label=label)
        axis.set_xlabel("cost of a frame, in units of the net's")
        axis.set_ylabel(labels[metric])
        axis.grid(alpha=0.3)
    np.ravel(axes)[0].legend(fontsize=8)
    figure.suptitle(f'{data}: mean of {len(nets)} nets')
    path = out / f'steady_{data}.png'
    save_figure(figure, path)
    return path
