"""What stages yield: rows of one table."""

# Key of a row -> head of its column.
COLUMNS = dict(
    case='',
    size='size',
    ms='ms',
    rate='per s',
    ratio='ratio',
    mib='MiB',
    error='relative error',
    changed='other class, %',
    note='',
)


def row(case: str, size: tuple[int, int] | None = None, **figures) -> dict:
    """A row of the table.

    Args:
        case (str): What was measured.
        size (tuple[int, int] | None): Height and width of its frames.
            Defaults to None.
        figures: ``ms``, the median time; ``rate``, how many a second;
            ``ratio``, the time against that of the stage's reference; ``mib``,
            memory; ``error``, the norm of the difference over the norm of the
            reference; ``changed``, pixels of another class in percent;
            ``note``, a sentence.
    """
    unknown = figures.keys() - COLUMNS.keys()
    if unknown:
        raise ValueError(f'no column is called {", ".join(sorted(unknown))}')
    text = f'{size[0]}x{size[1]}' if size else None
    return dict(case=case, size=text, **figures)
