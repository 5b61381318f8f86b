"""Tables and plots of a comparison: what ``evaluation.bootstrap`` found."""

from pathlib import Path

import numpy as np

from ..evaluation.bootstrap import significance
from ..io.atomic import write_text
from .output import markdown_table, save_figure, subplots, to_json

MODELS = ('baseline', 'model')
COLOURS = {'better': '#2a9d54', 'worse': '#c8423b', 'not sure': '#888888'}


def interval(values: dict) -> str:
    """The 95 % interval in words, '' where there is none."""
    low, high = values.get('low', np.nan), values.get('high', np.nan)
    return f'{low:+.2f} to {high:+.2f}' if np.isfinite(low) else ''


def write_report(report: dict, folder: Path) -> str:
    """comparison.json, .md and .png in ``folder``; returns the Markdown."""
    text = as_markdown(report)
    write_text(folder / 'comparison.json', to_json(report))
    write_text(folder / 'comparison.md', text)
    _draw(report, folder / 'comparison.png')
    return text


def as_markdown(report: dict) -> str:
    """The report as two tables: figures, and IoU of each class."""
    figures = [
        [
            name,
            *_both(v),
            f'{v["difference"]:+.2f}',
            interval(v),
            significance(name, v) if interval(v) else '',
        ]
        for name, v in report['figures'].items()
    ]
    classes = [
        [name, base, ours, f'{ours - base:+.2f}']
        for name, (base, ours) in report['classes'].items()
        if np.isfinite([base, ours]).any()
    ]
    head = [*MODELS, 'difference']
    text = markdown_table(['', *head, '95 % interval', ''], figures)
    text += '\n' + markdown_table(['class', *head], classes)
    for name, (config, checkpoint) in report.get('models', {}).items():
        weights = f'`{checkpoint}`' if checkpoint else 'its published weights'
        text += f'\n- {name}: `{config}`, {weights}'
    return text.rstrip() + '\n'


def write_degraded(reports: dict[float, dict], folder: Path) -> None:
    """degraded.json and .png: figures against the part of degraded frames."""
    names = [
        name
        for name in ('mIoU', 'TC_VSPW', 'flicker', 'flicker_static')
        if all(name in r['figures'] for r in reports.values())
    ]
    if names:
        figure, (axes,) = subplots(1, len(names), (4 * len(names), 3.4))
        for axis, name in zip(axes, names, strict=True):
            by_part = {100 * part: r for part, r in reports.items()}
            _lines(axis, by_part, name, title=name)
            axis.set_xlabel('degraded frames, %')
            axis.legend(frameon=False)
        save_figure(figure, folder / 'degraded.png')
    figures = {str(part): r['figures'] for part, r in reports.items()}
    write_text(folder / 'degraded.json', to_json(figures))


def write_robustness(reports: dict[str, dict[int, dict]], folder: Path) -> str:
    """robustness.md, .json and .png: mIoU against the strength.

    Args:
        reports (dict): Corruption -> severity (0: none) -> report.
        folder (Path): Where to write.

    Returns:
        str: The Markdown.
    """
    flat = [
        (kind, severity, report['figures'])
        for kind, by_severity in reports.items()
        for severity, report in by_severity.items()
    ]
    # Flicker as such where there are no labels to tell what moves.
    calm = 'flicker_static'
    if not all(calm in figures for *_, figures in flat):
        calm = 'flicker'
    head = ['baseline mIoU', 'model', 'difference', '95 % interval']
    rows = [
        [
            *(kind, severity, *_both(figures['mIoU'])),
            f'{figures["mIoU"]["difference"]:+.2f}',
            interval(figures['mIoU']),
            *_both(figures.get(calm, {})),  # clips have none
        ]
        for kind, severity, figures in flat
    ]
    text = markdown_table(
        ['corruption', 'strength', *head, calm, 'model'], rows
    )
    write_text(folder / 'robustness.md', text)
    figure, axes = subplots(2, 3, (10, 5.6), sharex=True, sharey=True)
    for axis, (kind, by_severity) in zip(
        axes.flat, reports.items(), strict=True
    ):
        _lines(axis, by_severity, 'mIoU', title=kind.replace('_', ' '))
        axis.set_xticks(list(by_severity))
    axes[0, 0].legend(frameon=False)
    for axis in axes[:, 0]:
        axis.set_ylabel('mIoU (%)')
    for axis in axes[1]:
        axis.set_xlabel('strength')
    save_figure(figure, folder / 'robustness.png')
    by_kind = {
        kind: {str(n): r['figures'] for n, r in by_severity.items()}
        for kind, by_severity in reports.items()
    }
    write_text(folder / 'robustness.json', to_json(by_kind))
    return text


def _both(values: dict) -> list[float | None]:
    return [values.get(model) for model in MODELS]


def _lines(axis, reports: dict[float, dict], name: str, title: str) -> None:
    """A figure of both models against what the reports are keyed by."""
    for model in MODELS:
        y = [report['figures'][name][model] for report in reports.values()]
        axis.plot(list(reports), y, 'o-', label=model)
    axis.set_title(title)
    axis.grid(alpha=0.3)


def _draw(report: dict, path: Path) -> None:
    """Differences with intervals, and IoU by class."""
    figure, ((left, right),) = subplots(1, 2, (11, 4.4), width_ratios=(1, 1.2))
    measured = {n: v for n, v in report['figures'].items() if 'low' in v}
    # Those of a single sequence have no interval.
    shown = {n: v for n, v in measured.items() if interval(v)} or measured
    for y, (name, v) in enumerate(shown.items()):
        colour = COLOURS[significance(name, v)]
        left.plot([v['low'], v['high']], [y, y], '-', color=colour, lw=2)
        left.plot(v['difference'], y, 'o', color=colour)
    left.axvline(0, color='black', lw=0.8)
    left.set_yticks(range(len(shown)), list(shown))
    left.invert_yaxis()
    left.set_title('model minus baseline, 95 % interval')
    left.set_xlabel('points')
    left.grid(axis='x', alpha=0.3)
    classes = {
        name: v
        for name, v in report['classes'].items()
        if np.isfinite(v).any()
    }
    y = np.arange(len(classes))
    for i, model in enumerate(MODELS):
        values = [v[i] for v in classes.values()]
        right.barh(y + 0.38 * (i - 0.5), values, 0.38, label=model)
    right.set_yticks(y, list(classes))
    right.invert_yaxis()
    right.set_xlabel('IoU, %')
    right.legend(frameon=False)
    right.grid(axis='x', alpha=0.3)
    save_figure(figure, path)
