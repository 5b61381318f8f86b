"""The sentences that a reader looks for, where their figures are known."""

from collections.abc import Iterator

from .networks import FLOW, GATED, LATERALS
from .precision import FLOAT16, TF32

Rows = dict[str, list[dict]]


def headlines(stages: Rows) -> list[str]:
    """A sentence for each question that the rows of the stages answer."""
    return [
        *_frames(stages),
        *_streams(stages),
        *_steps(stages),
        *_data(stages),
    ]


def _frames(stages: Rows) -> Iterator[str]:
    for stage in ('latency_small', 'latency_large'):
        for precision in (TF32, FLOAT16):
            parts = [
                f'{name} {found["ratio"]:.2f}'
                for name in (LATERALS, GATED, FLOW)
                if (found := _find(stages, stage, f'{name}, {precision}'))
            ]
            if parts:
                size = stages[stage][0]['size']
                yield (
                    f'A streamed frame of {size} against framewise, '
                    f'{precision}: {", ".join(parts)}.'
                )


def _streams(stages: Rows) -> Iterator[str]:
    for row in stages.get('stream', []):
        if row['case'] == f'{LATERALS}, float16':
            yield (
                f'Lateral RNNs, frame in to label map out, {row["size"]}, '
                f'float16: {row["rate"]:.0f} frames/s.'
            )


def _steps(stages: Rows) -> Iterator[str]:
    for stage in ('training_short', 'training_long'):
        parts = [
            f'{row["case"].removesuffix(f", {TF32}")} {row["ratio"]:.2f}'
            for row in stages.get(stage, [])
            if row['case'].endswith(f', {TF32}') and row.get('ratio')
        ]
        if parts[1:]:
            yield (
                'A training step against as many framewise ones: '
                f'{"; ".join(parts[1:])}.'
            )


def _data(stages: Rows) -> Iterator[str]:
    """The loader's images a second against those that a step takes."""
    loaded = [
        row
        for row in stages.get('loader', [])
        if row['case'].startswith(LATERALS)
    ]
    steps = [
        row
        for row in stages.get('training_short', [])
        if row['case'].startswith(f'{LATERALS}, T=') and row.get('rate')
    ]
    if loaded and steps:
        best, step = (
            max(r, key=lambda row: row['rate']) for r in (loaded, steps)
        )
        yield (
            f'The loader ({best["case"]}) gives {best["rate"]:.0f} images/s, '
            f'the step ({step["case"]}) takes {step["rate"]:.0f}.'
        )


def _find(stages: Rows, stage: str, case: str) -> dict | None:
    rows = stages.get(stage, [])
    return next((row for row in rows if row['case'] == case), None)
