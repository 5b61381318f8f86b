"""The table of ``steps.json`` (``tools/benchmark_steps.py``) in the
documentation."""

import json
from pathlib import Path

from .output import markdown_table


def steps_table(path: str | Path) -> str:
    """A row for each net and way of making steps, columns for each T: time
    against as many framewise steps, and memory against one of them.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    rows = json.loads(Path(path).read_text())['rows']
    framewise, *rows = rows
    lengths = sorted({row['num_frames'] for row in rows})
    by_case = {(r['network'], r['way'], r['num_frames']): r for r in rows}
    table = []
    for network, way in dict.fromkeys((r['network'], r['way']) for r in rows):
        cells = []
        for length in lengths:
            row = by_case.get((network, way, length))
            cells += _cells(row) if row else ['', '']
        more = by_case[network, way, lengths[0]]['per_frame']
        cells.append('' if more is None else f'{more:.0f}')
        table.append([network, way, *cells])
    head = ['net', 'gradients']
    for length in lengths:
        head += [f'time, T={length}', f'memory, T={length}']
    head.append('MiB of one more frame')
    one = f'{framewise["mebibytes"]:.0f} MiB'
    alone = ['framewise, one step', '', *['1.00', one] * len(lengths), '']
    return markdown_table(head, [alone, *table])


def _cells(row: dict) -> list[str]:
    return [f'{row["ratio"]:.2f}', f'{row["mebibytes_ratio"]:.2f}']
