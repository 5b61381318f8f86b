"""How a model is tested, by a name that says it all."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..datasets.corruptions import CORRUPTIONS

_NAME = re.compile(
    r'(?:t(?P<num_frames>[1-9]\d*)(?:_interval(?P<interval>[1-9]\d*))?'
    r'|(?P<stream>stream))'
    r'(?:_degrade(?P<part>0\.\d+|1))?'
    rf'(?:_(?P<kind>{"|".join(CORRUPTIONS)})_(?P<severity>[123]))?'
)
# What IoUMetric reports; all else is judged over time.
IOU_METRICS = ('mIoU', 'mAcc', 'aAcc')
TEMPORAL_METRICS = (
    *('TC_ETC', 'TC_VSPW', 'flicker', 'flicker_compensated'),
    *('flicker_static', 'flicker_labels'),
    *('VC8', 'VC16', 'VC8_VSPW_code', 'VC16_VSPW_code'),
)


@dataclass(frozen=True)
class Protocol:
    """A way of testing, and the figures that are reported of it.

    Args:
        name (str): Clips of T frames ``t5``, ``t5_interval3``, or
            ``stream``; then, where the video is made worse,
            ``_degrade0.2`` or ``_jpeg_2``. As ``tools/test.py`` names its
            reports.
        metrics (tuple[str, ...]): Figures, the first being the one that is
            plotted.

    Raises:
        ValueError: If the name or a metric is unknown.
    """

    name: str
    metrics: tuple[str, ...]

    def __post_init__(self):
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"unknown protocol '{self.name}': choose stream or clips of T "
                'frames such as t5 or t5_interval3, and where the video is '
                'made worse _degrade0.2 or one of '
                + ', '.join(f'_{kind}_1' for kind in CORRUPTIONS)
                + ' (to _3) behind it'
            )
        known = IOU_METRICS + TEMPORAL_METRICS
        for metric in self.metrics:
            if metric not in known:
                raise ValueError(
                    f"protocol '{self.name}' asks for '{metric}': choose of "
                    + ', '.join(known)
                )

    def arguments(self, framewise: bool) -> list[str]:
        """What ``tools/test.py`` takes.

        Args:
            framewise (bool): Whether the model reads the key frame alone, so
                that all clips of clean video are one to it.
        """
        match = _NAME.fullmatch(self.name)
        if match['stream']:
            arguments = ['--stream']
        elif framewise and not (match['part'] or match['kind']):
            arguments = ['--num-frames', '1']
        else:
            arguments = ['--num-frames', match['num_frames']]
            if match['interval']:
                arguments += ['--frame-interval', match['interval']]
        if match['part']:
            arguments += ['--degrade', match['part']]
        if match['kind']:
            arguments += ['--corrupt', match['kind'], match['severity']]
        if set(self.metrics) & set(TEMPORAL_METRICS):
            arguments.append('--temporal')
        return arguments


def protocols(asked: dict[str, Iterable[str]]) -> tuple[Protocol, ...]:
    """Protocols from their names and metrics, as a spec has them."""
    return tuple(Protocol(n, tuple(metrics)) for n, metrics in asked.items())
