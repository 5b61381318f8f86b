"""Tables in LaTeX."""

from collections.abc import Iterable, Sequence

RULE = '\\midrule'


def tabular(
    columns: str, head: Sequence[str], lines: Iterable[Sequence[str] | str]
) -> str:
    """A tabular with booktabs' rules, to ``\\input``.

    Args:
        columns (str): LaTeX's, such as 'lrr'.
        head (Sequence[str]): Lines of the head, without their end.
        lines (Iterable): Cells of each line; text stands as it is.
    """
    body = [
        line if isinstance(line, str) else ' & '.join(line) + r' \\'
        for line in lines
    ]
    parts = [
        f'\\begin{{tabular}}{{{columns}}}',
        '\\toprule',
        *head,
        RULE,
        *body,
        '\\bottomrule',
        '\\end{tabular}',
    ]
    return '\n'.join(parts) + '\n'


def bold(text: str) -> str:
    return f'\\textbf{{{text}}}' if text != '--' else text


def best_bold(column: list[float | None], texts: list[str], less=False):
    """The texts, those of the best value bold."""
    known = [value for value in column if value is not None]
    if not known:
        return texts
    best = min(known) if less else max(known)
    return [
        # Of what is printed alike, all.
        bold(text)
        if value is not None and text == texts[column.index(best)]
        else text
        for value, text in zip(column, texts, strict=True)
    ]
