"""Stages of a pipeline that work at the same time."""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar('Item')
_END = object()


def prefetch(items: Iterable[Item], ahead: int = 4) -> Iterator[Item]:
    """The items, made by a thread of its own while they are used.

    So a pipeline of decoding, model and drawing runs at the speed of its
    slowest stage, not of the sum. What the thread raises is raised here;
    where the user stops early, the thread stops too.

    Args:
        items (Iterable): What the thread runs through.
        ahead (int): How many items may wait; bounds the memory. Defaults to
            4.
    """
    waiting = queue.Queue(maxsize=ahead)
    stop = threading.Event()

    def put(item):
        while not stop.is_set():
            try:
                waiting.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work():
        try:
            for item in items:
                if not put((item, None)):
                    return
            put((_END, None))
        except BaseException as error:
            put((_END, error))

    thread = threading.Thread(target=work, daemon=True)
    try:
        thread.start()  # waits for it, and Ctrl-C may come here
        while True:
            item, error = waiting.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        stop.set()
        if thread.is_alive():
            thread.join()
