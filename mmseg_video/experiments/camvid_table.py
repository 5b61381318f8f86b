"""The Markdown table of the trainings on CamVid."""

from dataclasses import replace

from .benchmark_results import BenchmarkResults, Column
from .output import markdown_table

CLEAN = Column('camvid_15hz', 'stream', split='val')
DEGRADED = replace(CLEAN, protocol='stream_degrade0.2')
SECOND_HALF = replace(CLEAN, split='second_half')
TEST = Column('camvid', 'stream')


def camvid_table(results: BenchmarkResults) -> str:
    """Of the 15 Hz recording, clean, its second half, and degraded, and of
    the official test: the baseline's figures, and what the others add.

    With one recording there is nothing to resample but the trainings, so what
    stands in brackets is the least and the largest difference over them.
    """
    columns = (CLEAN, SECOND_HALF, DEGRADED, TEST)
    flickers = [
        replace(column, figure='flicker_static')
        for column in (CLEAN, DEGRADED)
    ]
    rows = []
    for entry in results.baseline_first:
        if not results.has(entry, columns):
            continue
        base = entry == results.baseline
        show, cut = (_value, _value) if base else (_gain, _cut)
        mious = [show(results.row(entry, column)) for column in columns]
        flicker = [cut(results.row(entry, column)) for column in flickers]
        runs = max(
            row['runs']
            for column in columns
            if (row := results.row(entry, column))
        )
        title = results.title(entry)
        rows.append(
            [
                f'**baseline:** {title}' if base else title,
                *(mious[0], flicker[0], mious[1], mious[2], flicker[1]),
                *(mious[3], runs),
            ]
        )
    head = ['', '15 Hz, clean: mIoU', 'flicker', 'second half: mIoU']
    head += ['a fifth degraded: mIoU', 'flicker', 'test, 1 Hz: mIoU']
    return markdown_table([*head, 'trainings'], rows)


def _value(row: dict | None) -> str:
    return f'{row["value"]:.2f}' if row else ''


def _gain(row: dict | None) -> str:
    if row is None:
        return ''
    text = f'{row["difference"]:+.2f}'
    if row['runs'] == 1:
        return text
    return f'{text} ({row["low"]:+.2f} to {row["high"]:+.2f})'


def _cut(row: dict | None) -> str:
    if row is None:
        return ''
    base = row['value'] - row['difference']
    return f'{100 * row["difference"] / base:+.0f} %' if base else ''
