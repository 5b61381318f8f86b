"""How numbers are written, in LaTeX."""

# A tenth of a point is all that these experiments tell apart; flicker is
# small, and gets one more.
LESS_IS_BETTER = ('flicker', 'flicker_compensated', 'flicker_static')
DECIMALS = {**dict.fromkeys(LESS_IS_BETTER, 2), 'percent': 0}


def plain(value: float, figure: str = 'mIoU') -> str:
    """'43.1'."""
    return f'{value:.{DECIMALS.get(figure, 1)}f}'


def signed(value: float, figure: str = 'mIoU') -> str:
    """'+1.2' with the minus sign of mathematics; nothing is '-0.0'."""
    text = f'{value:+.{DECIMALS.get(figure, 1)}f}'
    text = text if text.strip('+-0.') else text[1:]
    return f'\\ensuremath{{{text}}}'


def with_spread(value: float, spread: float | None, figure: str) -> str:
    """'43.1 +- 0.6', without the spread where there was one run."""
    if spread is None:
        return plain(value, figure)
    return (
        f'\\ensuremath{{{plain(value, figure)} \\pm {plain(spread, figure)}}}'
    )


def interval(row: dict) -> str:
    """'[+0.4, +1.9]'."""
    low, high = (signed(row[k], row['figure']) for k in ('low', 'high'))
    return f'[{low}, {high}]'


def relative(row: dict) -> str:
    """The difference in percent of the baseline's figure, '-40 %'."""
    base = row['value'] - row['difference']
    return percent(100 * row['difference'] / base)


def percent(value: float) -> str:
    """'-40 %'."""
    return f'{signed(value, "percent")}\\,\\%'


def significance(row: dict) -> str:
    """'better' or 'worse' than the baseline, or 'unsure' where the interval
    holds 0 or there is none."""
    low, high = row.get('low'), row.get('high')
    if low is None or high is None or low <= 0 <= high:
        return 'unsure'
    less = row['figure'] in LESS_IS_BETTER
    return 'better' if (low > 0) != less else 'worse'


def escape(text: str) -> str:
    """Plain text for LaTeX."""
    for character in '\\':
        text = text.replace(character, '/')
    for character in '&%$#_{}':
        text = text.replace(character, f'\\{character}')
    return text
