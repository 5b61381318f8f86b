"""What the benchmark of steady video measured, read again."""

import json
from pathlib import Path

from .steady_settings import REPORTED, Setting

BASELINE = 'the net alone'


class NetResults:
    """What :func:`benchmark` wrote of one net on one video.

    ``figures``: name of the setting, as in REPORTED -> its figures, in
    percent; ``differences``: the same -> figure -> difference to the net
    alone and the bounds of its 95 % interval; ``intervals_over``: what the
    bootstrap draws, in words; ``milliseconds``: of the net's parts, where
    they were timed, else None.

    Args:
        folder (Path): Of the net.
    """

    def __init__(self, folder: Path):
        names = {_key(s.plain): name for name, s in REPORTED.items()}
        self.name, self.intervals_over, self.milliseconds = (
            folder.name,
            '',
            None,
        )
        self.figures, self.differences = {}, {}
        for path in sorted(folder.glob('*.json')):
            report = json.loads(path.read_text())
            if path.name == 'milliseconds.json':
                self.milliseconds = report
                continue
            name = names.get(_key(report['setting']))
            if name is None or 'quick' in path.stem:
                continue
            self.figures[name] = report['figures']
            self.differences[name] = report['differences']
            self.intervals_over = report['intervals_over']

    def difference(self, name: str, figure: str = 'mIoU') -> float | None:
        """Of a setting's figure to that of the net alone, in points; None
        where one of them was not measured."""
        ours, alone = (self._figure(n, figure) for n in (name, BASELINE))
        return None if ours is None or alone is None else ours - alone

    def relative(self, name: str, figure: str = 'flicker_static'):
        """The same in percent of that of the net alone."""
        difference = self.difference(name, figure)
        if difference is None:
            return None
        return 100 * difference / self._figure(BASELINE, figure)

    def _figure(self, name: str, figure: str) -> float | None:
        return self.figures.get(name, {}).get(figure)

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
            + parts.get(_estimator(setting), parts['flow'])
        )


def read_nets(folder: Path) -> list[NetResults]:
    """Of all nets on one video, those of which something is reported."""
    nets = [NetResults(p) for p in sorted(folder.glob('*')) if p.is_dir()]
    return [net for net in nets if net.figures]


def _estimator(setting: Setting) -> str:
    """What its flow is called among the milliseconds."""
    if setting.flow == 'codec':
        return 'flow, codec'
    return 'flow, fast' if setting.preset == 'fast' else 'flow'


def _key(setting: dict) -> str:
    return json.dumps(setting, sort_keys=True)
