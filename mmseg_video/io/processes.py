"""Processes that run functions of the package, whatever script starts them."""

import multiprocessing
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.pool import Pool


@contextmanager
def fresh_pool(
    workers: int, initializer: Callable | None = None, arguments: tuple = ()
) -> Iterator[Pool]:
    """A pool of new processes, which share no thread or lock with this one.

    Python's spawned processes first run the script that started them once
    more, which a script without ``if __name__ == '__main__'`` does not
    survive. These do not, so that functions for them must be importable.

    Args:
        workers (int): How many.
        initializer (Callable | None), arguments (tuple): Called in each
            first. Default to None, nothing.
    """
    script = sys.modules['__main__']
    # What a process is to run first is read from it when it is started.
    sys.modules['__main__'] = types.ModuleType('__main__')
    try:
        context = multiprocessing.get_context('spawn')
        pool = context.Pool(workers, initializer, arguments)
    finally:
        sys.modules['__main__'] = script
    with pool:
        yield pool
