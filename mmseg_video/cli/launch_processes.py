"""torchrun for shell scripts: python -m ... [its arguments] SCRIPT [...].

A process that fails has said why, and one that is told to stop what it kept.
So torchrun's own traceback, which would bury that, becomes one line.
"""

import sys

from torch.distributed import run
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError


def main(argv: list[str] | None = None) -> None:
    try:
        run.main(argv)
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        status = failure.exitcode
        others = {
            _said(other.exitcode)
            for number, other in error.failures.items()
            if number != rank
        }
        # One that was told to stop ends with 128 and the signal's number.
        start = '' if status > 128 else 'error: '
        then = f', then others with {", ".join(sorted(others))}' * bool(others)
        print(
            f'{start}process {rank} ended first, with {_said(status)}{then}; '
            'what it said stands above',
            file=sys.stderr,
        )
        # As a shell does for what a signal ended.
        sys.exit(status if status > 0 else 128 - status)
    except SignalException as error:  # which it has passed on
        print(f'stopped by {error.sigval.name}', file=sys.stderr)
        sys.exit(128 + error.sigval)


def _said(status: int) -> str:
    return f'status {status}' if status > 0 else f'signal {-status}'


if __name__ == '__main__':
    main()
