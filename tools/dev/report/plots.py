"""The report's figures that show results."""

from pathlib import Path

from mmseg_video.experiments.benchmark_results import Column

from .facts import NETS, fact
from .sources import Results

OURS, BASELINE, GREY = '#2f6db3', '#c8423b', '#8a8a8a'
COLUMN, PAGE = 3.3, 6.9  # inches: a column of the page, and both


def flicker(results: Results, path: Path) -> None:
    """Streamed mIoU against static-label flicker."""
    panels = {
        'bursts, all frames': ('bursts', 'all'),
        'bursts, clean frames': ('bursts', 'clean'),
        'no degradation': ('clean', 'all'),
    }
    benchmark = results.benchmarks['street']
    panels = {k: v for k, v in panels.items() if v[0] in benchmark.data}
    figure, axes = _figure(1, len(panels), (PAGE, 2.5))
    for axis, (title, panel) in zip(axes.flat, panels.items(), strict=True):
        _scatter(axis, benchmark, *panel, title)
    axes[0, 0].set_ylabel('mIoU (%), streamed')
    _save(figure, path)


def _scatter(axis, benchmark, data, subset, title) -> None:
    from adjustText import adjust_text

    texts = []
    for name in benchmark.baseline_first:
        rows = [
            benchmark.row(name, Column(data, 'stream', figure, subset))
            for figure in ('flicker_static', 'mIoU')
        ]
        if None in rows:
            continue
        (x, y), (dx, dy) = (
            [row[key] for row in rows] for key in ('value', 'sd')
        )
        colour = BASELINE if name == benchmark.baseline else OURS
        axis.errorbar(
            *(x, y),
            **dict(xerr=dx, yerr=dy, fmt='o', ms=3.5, lw=0.7),
            **dict(color=colour, ecolor=GREY, zorder=3),
        )
        texts.append(
            axis.text(x, y, benchmark.title(name), fontsize=5.5, color=colour)
        )
        if name == benchmark.baseline:
            axis.axhline(y, color=BASELINE, lw=0.6, ls='--', zorder=1)
    axis.margins(0.15, 0.12)
    axis.set_title(title)
    axis.set_xlabel('static-label flicker (%)')
    axis.figure.canvas.draw()
    if texts:
        arrows = dict(arrowstyle='-', color=GREY, lw=0.4)
        # Steps, not seconds: the same figure on every machine.
        adjust_text(texts, ax=axis, arrowprops=arrows, iter_lim=500)


def per_class(results: Results, path: Path) -> None:
    """Class by class: IoU of the default less that of the baseline."""
    benchmark = results.benchmarks['street']
    best, base = (
        benchmark.content['per_class'][benchmark.name(entry)]
        for entry in ('best', 'baseline')
    )
    gains = {each: best[each] - base[each] for each in base if each in best}
    names = sorted(gains, key=gains.get)
    values = [gains[each] for each in names]
    figure, ((axis,),) = _figure(1, 1, (COLUMN, 1.9))
    colours = [OURS if value > 0 else BASELINE for value in values]
    axis.bar(range(len(names)), values, color=colours, width=0.7)
    axis.set_xticks(range(len(names)), names, rotation=60, ha='right')
    axis.tick_params(axis='x', labelsize=5.5, length=0)
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
        axis.set_xlabel("cost of the net, in its own on every frame's")
    axes[0, 0].set_ylabel('mIoU less that\nof the net alone')
    axes[0, 1].legend(frameon=False, fontsize=6)
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
            'font.family': 'serif',
            'font.size': 7,
            'axes.titlesize': 7.5,
            'axes.spines.top': False,
            'axes.spines.right': False,
            'axes.linewidth': 0.6,
            'legend.fontsize': 6.5,
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
