"""Ctrl-C ends a program in one line."""

import sys


def say_interrupt(kind: type, error: BaseException, trace) -> None:
    """A ``sys.excepthook``: Ctrl-C that nobody answers is no error of ours to
    trace. What the error says stands behind it."""
    if issubclass(kind, KeyboardInterrupt):
        print(' '.join(['stopped by Ctrl-C', *error.args]), file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)
