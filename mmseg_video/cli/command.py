"""A command line that is read before anything heavy is imported."""

import functools
import sys
from argparse import Namespace
from collections.abc import Callable

from ..io.interrupts import say_interrupt

Parse = Callable[[list[str] | None], Namespace]


def command(parse: Parse) -> Callable:
    """Make a ``main()`` of a function that takes the parsed arguments.

    What the function needs it imports itself, so that ``--help`` and usage
    errors need none of it; what it raises ends as
    :func:`mmseg_video.engine.launch.cli` says.

    Args:
        parse (Parse): Reads a command line, of None ``sys.argv``.
    """

    def decorate(run: Callable[[Namespace], None]) -> Callable:
        @functools.wraps(run)
        def main(argv: list[str] | None = None) -> None:
            args = parse(argv)
            sys.excepthook = say_interrupt  # Ctrl-C during the imports too
            from ..engine.launch import cli

            cli(run)(args)

        return main

    return decorate


def resumable_command(parse: Parse) -> Callable:
    """:func:`command` of what goes on where it stopped, and says so when it
    is stopped."""

    def decorate(run: Callable[[Namespace], None]) -> Callable:
        @functools.wraps(run)
        def main(argv: list[str] | None = None) -> None:
            args = parse(argv)
            sys.excepthook = say_interrupt  # Ctrl-C during the imports too
            from ..engine.launch import cli
            from ..experiments.perform import resumable

            resumable(cli(run))(args)

        return main

    return decorate
