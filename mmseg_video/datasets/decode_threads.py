"""Frames of one clip, decoded side by side where cores are left."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
from torch.utils.data import get_worker_info

Read = Callable[[str], np.ndarray | None]


@contextmanager
def in_threads(read: Read, paths: Sequence[str]) -> Iterator[Read]:
    """``read``, with these files being read ahead; decoders release the
    interpreter's lock.

    An error is raised where the file is asked for. A file that was not read
    ahead is read then.

    Args:
        read (Callable): Path -> image.
        paths (Sequence[str]): Files, once each.
    """
    threads = min(len(paths), idle_cores())
    if threads < 2:
        yield read
        return
    # A pool for each clip: one that is kept would not outlive a fork.
    with ThreadPoolExecutor(threads) as pool:
        ahead = {path: pool.submit(read, path) for path in paths}

        def result(path: str) -> np.ndarray | None:
            return ahead[path].result() if path in ahead else read(path)

        yield result


def idle_cores() -> int:
    """Cores for each worker of the loader, of those this job may use."""
    if hasattr(os, 'sched_getaffinity'):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    worker = get_worker_info()
    workers = worker.num_workers if worker is not None else 1
    processes = int(os.environ.get('LOCAL_WORLD_SIZE', 1))
    return cores // (workers * processes)
