"""Work of different sizes, shared among processes."""

from collections.abc import Sequence


def partition(lengths: Sequence[int], parts: int) -> list[list[int]]:
    """The places of each part, so that the parts are about as long.

    The longest go first, each to the part that has the least so far; the same
    lengths give the same parts everywhere.

    Args:
        lengths (Sequence[int]): How much work each place is.
        parts (int): How many there are to do it.
    """
    shares, sums = [[] for _ in range(parts)], [0] * parts
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        least = sums.index(min(sums))
        shares[least].append(i)
        sums[least] += lengths[i]
    return shares
