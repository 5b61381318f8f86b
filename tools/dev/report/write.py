"""Writes docs/report/generated from the results."""

from collections.abc import Callable
from pathlib import Path

from . import other_tables, plots, tables
from .prose import read_values
from .sources import ROOT, Results

FOLDER = ROOT / 'docs/report'
HEAD = '% Made by tools/report_tables.py from the results: do not edit.\n'
TABLES: dict[str, Callable[[Results], str]] = {
    'street_values': tables.street_values,
    'street_gains': tables.street_gains,
    'conditions': tables.conditions,
    'camvid': tables.camvid,
    'selection': tables.selection,
    'costs': tables.costs,
    'steady': other_tables.steady,
    'steady_degraded': other_tables.steady_degraded,
    'cells': other_tables.cells,
    'levels': other_tables.levels,
    'frames': other_tables.frames,
    'ladder': other_tables.ladder,
    'gpu': other_tables.gpu,
    'robustness': other_tables.robustness,
}
PLOTS: dict[str, Callable[[Results, Path], None]] = {
    'flicker': plots.flicker,
    'runs': plots.runs,
    'per_class': plots.per_class,
    'curves': plots.curves,
    'paces': plots.paces,
}


def texts(results: Results, folder: Path = FOLDER) -> dict[str, str]:
    """Name in generated/ -> content, of all but the plots.

    Args:
        results (Results): What was measured.
        folder (Path): Where the text is that asks for values. Defaults to
            docs/report.

    Raises:
        ReportError: If a value is missing or a claim does not hold.
    """
    made = {f'{name}.tex': make(results) for name, make in TABLES.items()}
    made['values.tex'] = read_values(results, folder)
    return {name: HEAD + text for name, text in made.items()}


def write_all(results: Results, folder: Path = FOLDER) -> list[Path]:
    """Write the texts, if all of them can be made, and the plots."""
    from mmseg_video.io.atomic import write_text

    out, paths = folder / 'generated', []
    for name, text in texts(results, folder).items():
        write_text(out / name, text)
        paths.append(out / name)
    for name, draw in PLOTS.items():
        draw(results, out / f'{name}.pdf')
        paths.append(out / f'{name}.pdf')
    return paths
