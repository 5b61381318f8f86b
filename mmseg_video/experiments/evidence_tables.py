"""Markdown tables of a benchmark's results.json, as the documentation has
them, and the places where it has them."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from .output import markdown_table

_BLOCK = re.compile(
    r'(?P<begin><!-- table: (?P<file>\S+) (?P<name>\w+) -->\n)'
    r'(?P<table>.*?)(?P<end><!-- end of table -->)',
    re.DOTALL,
)


def fill_tables(text: str, root: Path) -> str:
    """A page with its tables made anew.

    A table stands between ``<!-- table: RESULTS NAME -->``, with the path of
    a results.json below ``root`` and one of TABLES, and ``<!-- end of table
    -->``.

    Raises:
        ValueError: If a table has no such name, or its results are not there.
    """

    def fill(match: re.Match) -> str:
        path, name = root / match['file'], match['name']
        if name not in TABLES:
            raise ValueError(
                f"no table '{name}': choose of {', '.join(TABLES)}"
            )
        if not path.is_file():
            raise ValueError(
                f"no results '{match['file']}': bash tools/reproduce.sh makes "
                'them'
            )
        results = Results(json.loads(path.read_text()))
        table = TABLES[name](results)
        return f'{match["begin"]}\n{table}\n{match["end"]}'

    return _BLOCK.sub(fill, text)


class Results:
    """A results.json, asked by place.

    Args:
        content (dict): What :func:`mmseg_video.experiments.evidence.gather`
            gave.
    """

    def __init__(self, content: dict):
        self.content = content
        self.rows = {
            (
                *(row['data'], row['split'], row['protocol']),
                *(row['entry'], row['subset'], row['figure']),
            ): row
            for row in content['rows']
        }

    def get(self, where: tuple, entry: str, figure: str, subset='all') -> dict:
        """A row, empty where it was not measured.

        Args:
            where (tuple): Data, split and protocol.
            entry (str), figure (str), subset (str): The rest of its place.
        """
        return self.rows.get((*where, entry, subset, figure), {})

    def entries(self, where: tuple) -> list[str]:
        """Those that were measured there, in the order of the spec."""
        measured = {key[3] for key in self.rows if key[:3] == where}
        return [name for name in self.content['entries'] if name in measured]

    def title(self, entry: str) -> str:
        """With the baseline said to be one."""
        title = self.content['entries'][entry]['title']
        if entry == self.content['baseline']:
            return f'**baseline:** {title}'
        return f'**{title}**' if entry == self.content.get('best') else title


def value(row: dict) -> str:
    """'43.12' or '43.12 ± 0.40', the standard deviation over runs."""
    if not row:
        return ''
    text = f'{row["value"]:.2f}'
    return text if row['sd'] is None else f'{text} ± {row["sd"]:.2f}'


def difference(row: dict) -> str:
    """'+1.20 (+0.40 to +1.90)': its 95 % interval."""
    if not row or row['low'] is None:
        return ''
    return (
        f'{row["difference"]:+.2f} ({row["low"]:+.2f} to {row["high"]:+.2f})'
    )


def relative(row: dict) -> str:
    """'-33 %' of the baseline's."""
    if not row or row['low'] is None:
        return ''
    base = row['value'] - row['difference']
    return f'{100 * row["difference"] / base:+.0f} %' if base else ''


def _streamed(data: str, split: str = 'test') -> Callable[[Results], str]:
    where = (data, split, 'stream')

    def table(results: Results) -> str:
        split_up = any(
            k[:3] == where and k[4] == 'clean' for k in results.rows
        )
        subsets = ['all', *(['clean', 'degraded'] if split_up else [])]
        head = ['']
        for subset in subsets:
            name = 'mIoU' if len(subsets) == 1 else f'mIoU, {subset} frames'
            head += [name, 'difference (95 %)']
        head += ['static-label flicker', 'difference', 'runs']
        rows = []
        for entry in results.entries(where):
            row = [results.title(entry)]
            for subset in subsets:
                figure = results.get(where, entry, 'mIoU', subset)
                row += [value(figure), difference(figure)]
            flicker = results.get(where, entry, 'flicker_static')
            runs = results.get(where, entry, 'mIoU').get('runs')
            rows.append([*row, value(flicker), relative(flicker), runs])
        return markdown_table(head, rows)

    return table


def _front(results: Results) -> str:
    """The main differences alone, for a front page."""
    where = ('bursts', 'test', 'stream')
    baseline = results.content['baseline']
    base = results.get(where, baseline, 'mIoU')
    apart = [
        value(results.get(where, baseline, 'mIoU', subset))
        for subset in ('clean', 'degraded')
    ]
    flicker = value(results.get(where, baseline, 'flicker_static'))
    rows = [[results.title(baseline), value(base), *apart, flicker]]
    for entry in FRONT:
        whole = results.get(where, entry, 'mIoU')
        if not whole:
            continue
        apart = [
            difference(results.get(where, entry, 'mIoU', subset))
            for subset in ('clean', 'degraded')
        ]
        flicker = results.get(where, entry, 'flicker_static')
        title = results.content['entries'][entry]['title']
        rows.append([title, difference(whole), *apart, relative(flicker)])
    head = ['', 'mIoU, all frames', 'clean frames', 'degraded frames']
    return markdown_table([*head, 'static-label flicker'], rows)


def _clips(results: Results) -> str:
    rows = []
    for entry in results.entries(('bursts', 'test', 't5')):
        row = [results.title(entry)]
        for figure in ('mIoU', 'mAcc'):
            own = results.get(('bursts', 'test', 't5'), entry, figure)
            row += [value(own), difference(own)]
        rows.append(row)
    head = ['', 'mIoU, T=5', 'difference (95 %)', 'mAcc, T=5']
    return markdown_table([*head, 'difference (95 %)'], rows)


def _trainings(results: Results) -> str:
    rows = [
        [
            results.title(name),
            f'`{entry["config"]}`',
            entry.get('starts_from') or '',
            f'{entry["iterations"]:,}' if entry.get('iterations') else '',
            f'{entry["seconds"]:.0f}' if entry.get('seconds') else '',
            _millions(entry.get('parameters')),
            entry.get('latency_ratio'),
        ]
        for name, entry in results.content['entries'].items()
    ]
    return markdown_table(
        [
            *('', 'config', 'weights of', 'iterations', 'seconds'),
            *('parameters (M)', 'latency'),
        ],
        rows,
    )


def _millions(number: int | None) -> str:
    return f'{number / 1e6:.2f}' if number else ''


# What the front page shows, where it was measured.
FRONT = (
    *('framewise', 'hold', 'flow_ema', 'laterals', 'split_laterals'),
    *('gated_ema', 'gated_ema_flow'),
)
TABLES = dict(
    front=_front,
    streamed=_streamed('bursts'),
    streamed_val=_streamed('bursts', 'val'),
    clean=_streamed('clean'),
    long_bursts=_streamed('long_bursts'),
    clips=_clips,
    trainings=_trainings,
)
