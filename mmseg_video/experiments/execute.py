"""Stages in the order of what they need, several at once."""

import queue
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures import ThreadPoolExecutor as Pool

from .follow import ToolError
from .stages import Stage


def execute(
    stages: Iterable[Stage],
    launch: Callable[[Stage, int], None],
    jobs: int = 1,
    ended: Callable[[Stage, str | None], None] = lambda stage, why: None,
    stop: Callable[[], None] = lambda: None,
) -> dict[Stage, str]:
    """Do all stages; returns those that failed, and why.

    A stage that fails stops only what needs it.

    Args:
        stages (Iterable[Stage]): What is to be done, with all that it needs
            and that is not done.
        launch (Callable): Does one stage: is given it and the number of its
            slot, 0 to ``jobs`` - 1, and raises where it fails.
        jobs (int): How many at once. Defaults to 1.
        ended (Callable): Is told of every stage that ended, and why it
            failed or None. Defaults to nobody.
        stop (Callable): Ends what runs, when this is interrupted. Defaults
            to nothing, which waits for it.
    """
    waiting, failed = list(stages), {}
    running: dict[Future, tuple[Stage, int]] = {}
    slots = queue.SimpleQueue()
    for slot in range(jobs):
        slots.put(slot)

    def end(stage: Stage, why: str | None) -> None:
        if why:
            failed[stage] = why
        ended(stage, why)

    def next_stages() -> None:
        for stage in list(waiting):
            broken = [need for need in stage.needs if need in failed]
            unfinished = {*waiting, *(s for s, _ in running.values())}
            if broken:
                waiting.remove(stage)
                end(stage, f"not begun: '{broken[0].title}' failed")
            elif not slots.empty() and not unfinished & set(stage.needs):
                waiting.remove(stage)
                slot = slots.get()
                running[pool.submit(_do, stage, launch, slot)] = stage, slot

    with Pool(jobs) as pool:
        try:
            while waiting or running:
                next_stages()
                # Nothing runs where all that waited lacked what failed.
                for future in wait(running, None, FIRST_COMPLETED).done:
                    stage, slot = running.pop(future)
                    slots.put(slot)
                    end(stage, _why(future.exception()))
        except BaseException:
            stop()
            raise
    return failed


def _do(stage: Stage, launch: Callable, slot: int) -> None:
    stage.begin()
    start = time.time()
    launch(stage, slot)
    stage.finish(time.time() - start)


def _why(error: BaseException | None) -> str | None:
    if isinstance(error, ToolError):
        return f'{error}\n{"".join(error.tail).rstrip()}'
    if error is None or isinstance(error, Exception):
        return error and (str(error) or type(error).__name__)
    raise error
