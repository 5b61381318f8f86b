"""A figure of what a benchmark's systems gain over its baseline: accuracy
against steadiness, with intervals."""

from collections.abc import Mapping

from .benchmark_results import BenchmarkResults, Column

OURS, BASELINE, GREY = '#2f6db3', '#c8423b', '#8a8a8a'


def measured_panels(
    benchmark: BenchmarkResults, panels: Mapping[str, tuple[str, str]]
) -> dict[str, tuple[str, str]]:
    """Those of which mIoU and static-label flicker were measured."""
    return {
        title: panel
        for title, panel in panels.items()
        if all(map(benchmark.measured, _columns(*panel)))
    }


def draw_gains(
    figure,
    axes,
    benchmark: BenchmarkResults,
    panels: Mapping[str, tuple[str, str]],
    fontsize: float,
) -> None:
    """Differences to the baseline in the same runs, as numbered points with
    95 % intervals, and a legend of the numbers below.

    The baseline is where the dashed lines cross; accurate and steady is at
    the top left. Circles are trained, squares are not, diamonds use no past,
    and hollow ones hold the last map where a frame is flat or dark.

    Args:
        figure (Figure): With constrained layout.
        axes (Sequence[Axes]): One for each panel.
        benchmark (BenchmarkResults): What was measured.
        panels (Mapping): Title -> test data, and the subset of its frames.
        fontsize (float): Of numbers and legend.
    """
    names = [
        name
        for name in benchmark.entries
        if name != benchmark.baseline
        and any(benchmark.has(name, _columns(*p)) for p in panels.values())
    ]
    for axis, (title, panel) in zip(axes, panels.items(), strict=True):
        _draw(axis, benchmark, names, _columns(*panel), fontsize)
        axis.set_title(title)
        axis.set_xlabel('difference in static-label flicker (points)')
    axes[0].set_ylabel('difference in mIoU (points)')
    handles = [
        axes[0].plot(
            *([], []),
            **_point(benchmark, name, fontsize),
            label=f'{number}  {benchmark.title(name)}',
        )[0]
        for number, name in enumerate(names, 1)
    ]
    longest = max(len(handle.get_label()) for handle in handles)
    columns = 3 if longest <= 60 else 2 if longest <= 90 else 1
    place = dict(loc='outside lower center', ncols=columns, frameon=False)
    figure.legend(handles=handles, **place, fontsize=fontsize)


def _columns(data: str, subset: str) -> list[Column]:
    return [
        Column(data, 'stream', figure, subset)
        for figure in ('flicker_static', 'mIoU')
    ]


def _point(benchmark: BenchmarkResults, name: str, fontsize: float) -> dict:
    entries = benchmark.entries
    path = [name]
    # The weights of a test are those that it starts from.
    while not entries[path[-1]].get('iterations') and len(path) <= len(
        entries
    ):
        path.append(entries[path[-1]].get('starts_from') or benchmark.baseline)
    framewise = name.startswith('framewise')
    trained = not path[-1].startswith('framewise')
    colour = GREY if framewise else OURS
    return dict(
        marker='D' if framewise else 'o' if trained else 's',
        **dict(ms=0.6 * fontsize, mew=0.14 * fontsize, lw=0, color=colour),
        mfc='white' if 'hold' in name else colour,
    )


def _draw(axis, benchmark, names, columns, fontsize) -> None:
    from adjustText import adjust_text
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=1.5, foreground='white')]  # over the bars
    axis.axhline(0, color=BASELINE, lw=0.6, ls='--', zorder=1)
    axis.axvline(0, color=BASELINE, lw=0.6, ls='--', zorder=1)
    texts, xs, ys = [], [], []
    for number, name in enumerate(names, 1):
        rows = [benchmark.row(name, column) for column in columns]
        if None in rows or None in (row['low'] for row in rows):
            continue
        x, y = (row['difference'] for row in rows)
        dx, dy = (
            [[abs(row['difference'] - row[end])] for end in ('low', 'high')]
            for row in rows
        )
        bars = dict(fmt='none', ecolor=GREY, elinewidth=0.6, zorder=2)
        axis.errorbar(x, y, xerr=dx, yerr=dy, **bars)
        axis.plot(x, y, **_point(benchmark, name, fontsize), zorder=3)
        text = axis.text(
            *(x, y, str(number)),
            **dict(fontsize=fontsize, zorder=4, path_effects=halo),
        )
        for known, items in ((xs, x), (ys, y), (texts, text)):
            known.append(items)
    axis.margins(0.15)
    axis.figure.canvas.draw()
    if texts:
        adjust_text(
            *(texts, xs, ys),
            ax=axis,
            expand=(2.2, 2),
            force_text=(0.4, 0.5),
            force_static=(0.4, 0.6),
            arrowprops=dict(arrowstyle='-', color='black', lw=0.4),
            iter_lim=500,  # not seconds: the same on every machine
        )
