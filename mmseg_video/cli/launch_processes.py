"""torchrun for shell scripts: python -m ... [its arguments] SCRIPT [...].

A process that fails has said why, and one that is told to stop what it kept.
So torchrun's own traceback, which would bury that, becomes one line.
"""

import signal
import sys

from torch.distributed import run
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError


def main(argv: list[str] | None = None) -> None:
    try:
        run.main(argv)
    except ChildFailedError as error:
        statuses = {
            rank: failure.exitcode for rank, failure in error.failures.items()
        }
        status, said = _judged(statuses)
        # One that was told to stop ends with 128 and the signal's number.
        start = (
            '' if status > 128 and status in statuses.values() else 'error: '
        )
        print(f'{start}{said}; what was said stands above', file=sys.stderr)
        sys.exit(status)
    except SignalException as error:  # which it has passed on
        print(f'stopped by {error.sigval.name}', file=sys.stderr)
        sys.exit(128 + error.sigval)


def _judged(statuses: dict[int, int]) -> tuple[int, str]:
    """The exit status of the job, and how its processes ended.

    Which of them was first is not known: a process that fails takes others
    with it at once, and torchrun ends those that are left (SIGTERM).

    Args:
        statuses (dict[int, int]): Rank -> exit status, negative for a signal.
    """
    own = {r: s for r, s in statuses.items() if s != -signal.SIGTERM}
    by_status: dict[int, list[int]] = {}
    for rank, status in sorted((own or statuses).items()):
        by_status.setdefault(status, []).append(rank)
    said = ', '.join(
        f'{"process" if len(ranks) == 1 else "processes"} '
        f'{", ".join(map(str, ranks))} ended with '
        + (f'status {status}' if status > 0 else f'signal {-status}')
        for status, ranks in by_status.items()
    )
    # Of a process that was killed the others do not know why.
    status = min(by_status)
    return status if status > 0 else 128 - status, said


if __name__ == '__main__':
    main()
