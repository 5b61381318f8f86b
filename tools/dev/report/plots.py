"""The report's figures that show results."""

from pathlib import Path

from mmseg_video.experiments.benchmark_results import Column
from mmseg_video.experiments.gains_plot import (
    BASELINE,
    GREY,
    OURS,
    draw_gains,
    measured_panels,
)
from mmseg_video.experiments.runs_plot import draw_runs

from .facts import NETS, fact
from .sources import Results

COLUMN, PAGE = 3.3, 6.9  # inches: a column of the page, and both


def flicker(results: Results, path: Path) -> None:
    """What is gained: streamed mIoU against static-label flicker."""
    benchmark = results.benchmarks['street']
    panels = measured_panels(
        benchmark,
        {
            'bursts, all frames': ('bursts', 'all'),
            'bursts, clean frames': ('bursts', 'clean'),
            'no degradation': ('clean', 'all'),
        },
    )
    figure, axes = _figure(1, len(panels), (PAGE, 3.6))
    draw_gains(figure, axes[0], benchmark, panels, fontsize=7)
    _save(figure, path)


def runs(results: Results, path: Path) -> None:
    """Every training's differences to its baseline."""
    columns = {
        'mIoU, clean frames': Column('bursts', 'stream', subset='clean'),
        'mIoU, degraded': Column('bursts', 'stream', subset='degraded'),
        'static-label flicker': Column('bursts', 'stream', 'flicker_static'),
    }
    figure, axes = _figure(
        *(1, len(columns), (PAGE, 3.3)),
        **dict(sharey=True, width_ratios=[1.8, 1, 1]),
    )
    benchmark = results.benchmarks['street']
    draw_runs(figure, axes[0], benchmark, columns, fontsize=6.5)
    _save(figure, path)


def per_class(results: Results, path: Path) -> None:
    """Class by class: IoU of the default less that of the baseline."""
    gains = results.benchmarks['street'].class_gains('best')
    names = sorted(gains, key=gains.get)
    values = [gains[each] for each in names]
    figure, ((axis,),) = _figure(1, 1, (COLUMN, 1.5))
    colours = [OURS if value > 0 else BASELINE for value in values]
    axis.bar(range(len(names)), values, color=colours, width=0.7)
    axis.set_xticks(range(len(names)), names, rotation=60, ha='right')
    axis.tick_params(axis='x', labelsize=6.5, length=0)
    axis.axhline(0, color='black', lw=0.5)
    axis.set_ylabel('difference in IoU')
    _save(figure, path)


def curves(results: Results, path: Path) -> None:
    """Validation mIoU of the first, framewise training."""
    curve = results.benchmarks['street'].content['curves']['first']
    figure, ((axis,),) = _figure(1, 1, (COLUMN, 1.5))
    axis.plot(
        curve['iterations'],
        curve['val_mIoU'],
        **dict(color=OURS, lw=1, marker='.', ms=3),
    )
    axis.set_xlabel('iterations')
    axis.set_ylabel('mIoU on validation (%)')
    _save(figure, path)


def paces(results: Results, path: Path) -> None:
    """Full and propagated frames beside what else saves as much."""
    ways = {
        'net on every $k$-th frame, propagated': ('every', OURS, 'o'),
        'warped without filter': ('warped', GREY, 's'),
        'last map held': ('held', BASELINE, 'v'),
    }
    figure, axes = _figure(1, 2, (PAGE, 2.1), sharey=True)
    for axis, net in zip(axes.flat, NETS[:2], strict=True):
        for label, (way, colour, marker) in ways.items():
            points = {
                1 / k: fact(results, f'steady.{net}.{way}{k}.gain')
                for k in (2, 3, 5)
            }
            if way == 'every':
                points[1] = fact(results, f'steady.{net}.default.gain')
            _line(axis, points, label, colour, marker)
        scales = {
            s**2: fact(results, f'steady.{net}.scale{int(1000 * s)}.gain')
            for s in (0.875, 0.75, 0.5)
        }
        _line(axis, scales, 'net at lower resolution', 'black', '^')
        axis.axhline(0, color='black', lw=0.5, ls=':')
        axis.set_title(f'net {"AB"[NETS.index(net)]}')
        axis.set_xlabel('cost of the net (1: it runs on every frame)')
    axes[0, 0].set_ylabel('mIoU less that\nof the net alone')
    axes[0, 1].legend(frameon=False, fontsize=7)
    _save(figure, path)


def _line(axis, points: dict, label, colour, marker) -> None:
    xs = sorted(points)
    ys = [points[x] for x in xs]
    axis.plot(xs, ys, color=colour, marker=marker, lw=1, ms=3.5, label=label)


def _figure(rows: int, columns: int, size, **kwargs):
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.figure import Figure

    mpl.rcParams.update(
        {
            # Matplotlib's own, and like the text's.
            'font.family': 'STIXGeneral',
            'mathtext.fontset': 'stix',
            'font.size': 8,
            'axes.titlesize': 8.5,
            'axes.spines.top': False,
            'axes.spines.right': False,
            'axes.linewidth': 0.6,
            'legend.fontsize': 7,
            'pdf.fonttype': 42,
        }
    )
    figure = Figure(figsize=size, layout='constrained')
    FigureCanvasPdf(figure)
    return figure, figure.subplots(rows, columns, squeeze=False, **kwargs)


def _save(figure, path: Path) -> None:
    from mmseg_video.io.atomic import atomic_path

    # Without the date, so that the same figure is the same file.
    with atomic_path(path) as temporary:
        figure.savefig(temporary, metadata={'CreationDate': None})
