import itertools
import threading
import time

import pytest

from mmseg_video.apis import prefetch


def test_everything_arrives_in_order():
    assert list(prefetch(range(100), ahead=3)) == list(range(100))


def test_works_ahead_but_not_further():
    made = []

    def items():
        for i in range(50):
            made.append(i)
            yield i

    stage = prefetch(items(), ahead=4)
    assert next(stage) == 0
    deadline = time.time() + 10
    while len(made) < 6 and time.time() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    # One used, four waiting, one in hand.
    assert len(made) == 6
    stage.close()


def test_an_error_arrives_after_what_came_before_it():
    def items():
        yield 1
        yield 2
        raise OSError('frame 3 is broken')

    stage = prefetch(items())
    assert [next(stage), next(stage)] == [1, 2]
    with pytest.raises(OSError, match='frame 3 is broken'):
        next(stage)


def test_stopping_early_stops_the_thread():
    before = threading.active_count()
    stage = prefetch(iter(int, 1), ahead=2)
    next(stage)
    assert threading.active_count() == before + 1
    stage.close()
    assert threading.active_count() == before


def test_ctrl_c_while_the_thread_starts_ends_it(monkeypatch):
    """One that is left would be torn out of PyTorch when Python ends."""
    start, started = threading.Thread.start, []

    def interrupted(thread):
        start(thread)
        started.append(thread)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, 'start', interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(prefetch(itertools.count()))
    assert not started[0].is_alive()
