"""The Markdown table of the trainings on CamVid."""

from dataclasses import replace

from .benchmark_results import BenchmarkResults, Column
from .output import markdown_table

CLEAN = Column('camvid_15hz', 'stream', split='val')
DEGRADED = replace(CLEAN, protocol='stream_degrade0.2')
BETWEEN = replace(DEGRADED, subset='clean')
SECOND_HALF = replace(CLEAN, split='second_half')
TEST = Column('camvid', 'stream')
MIOU = {
    CLEAN: '15 Hz, clean: mIoU',
    SECOND_HALF: 'second half: mIoU',
    DEGRADED: 'a fifth degraded: mIoU',
    BETWEEN: 'its clean frames: mIoU',
    TEST: 'test, 1 Hz: mIoU',
}
FLICKER = {
    replace(CLEAN, figure='flicker_static'): 'clean: flicker',
    replace(DEGRADED, figure='flicker_static'): 'degraded: flicker',
}


def camvid_table(results: BenchmarkResults) -> str:
    """Of the 15 Hz recording, clean, its second half, and degraded, and of
    the official test: the baseline's figures, and what the others add.

    In parentheses is the interval of a bootstrap over trainings and
    recordings. The 15 Hz recording is one, so there it is the least and the
    largest difference over the trainings. A cell of fewer trainings than its
    row has says of how many it is.
    """
    columns = (*MIOU, *FLICKER)
    rows = []
    for entry in results.baseline_first:
        cells = [results.row(entry, column) for column in columns]
        found = [cell for cell in cells if cell]
        if not found:
            continue
        runs = max(cell['runs'] for cell in found)
        title = results.title(entry)
        if entry == results.baseline:
            show, title = _value, f'**baseline:** {title}'
        else:
            show = _difference
        texts = [
            show(cell) + (f' [{cell["runs"]}]' * (cell['runs'] < runs))
            if cell
            else ''
            for cell in cells
        ]
        rows.append([title, *texts, runs])
    head = ['', *MIOU.values(), *FLICKER.values(), 'trainings']
    return markdown_table(head, rows)


def _value(row: dict) -> str:
    return f'{row["value"]:.2f}'


def _difference(row: dict) -> str:
    """The difference and its interval, if it has one; of flicker, in percent
    of the baseline's."""
    if row['figure'].startswith('flicker'):
        base = row['value'] - row['difference']
        return f'{100 * row["difference"] / base:+.0f} %' if base else ''
    text = f'{row["difference"]:+.2f}'
    if row['low'] is None or row['low'] == row['high']:
        return text
    return f'{text} ({row["low"]:+.2f} to {row["high"]:+.2f})'
