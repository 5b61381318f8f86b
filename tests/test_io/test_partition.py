"""Work of different sizes, shared among processes."""

import pytest

from mmseg_video.io.partition import partition


@pytest.mark.parametrize('processes', [1, 2, 3, 5])
@pytest.mark.parametrize('lengths', [(30,) * 7, (5, 1, 9, 3), (4,), (2, 50)])
def test_each_once_and_about_as_much_for_each(lengths, processes):
    shares = partition(lengths, processes)
    assert len(shares) == processes
    assert sorted(i for share in shares for i in share) == list(
        range(len(lengths))
    )
    busiest = max(sum(lengths[i] for i in share) for share in shares)
    assert busiest <= sum(lengths) / processes + max(lengths)


def test_the_longest_goes_first():
    assert sorted(map(sorted, partition((1, 1, 1, 9), 2))) == [[0, 1, 2], [3]]
