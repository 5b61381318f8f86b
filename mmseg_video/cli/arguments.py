"""Arguments that the command lines share.

No module that a parser needs imports torch: ``--help`` and an error in a
command line come at once.
"""

import argparse
import itertools
import os
import sys
from collections.abc import Callable
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, and not the whole usage.

    An empty argument, such as that of a variable of a shell that is not set,
    is an error: Python would take it for the current folder, or for none.
    """

    def parse_known_args(self, args=None, namespace=None):
        args = sys.argv[1:] if args is None else list(args)
        for before, argument in itertools.pairwise(['', *args]):
            if not argument.strip():
                after = f' after {before}' if before else ''
                self.error(f'an argument is empty{after}')
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f'error: {message}; see {self.prog} --help\n')


def tool_parser(description: str) -> Parser:
    """A parser whose help shows the description as it is written."""
    return Parser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


class CfgOptions(argparse.Action):
    """MMEngine's ``--cfg-options KEY=VALUE ...``, which says what is wrong."""

    def __call__(self, parser, namespace, values, option_string=None):
        for value in values:
            if '=' not in value:
                raise argparse.ArgumentError(
                    self, f"'{value}' is not of the form KEY=VALUE"
                )
            key, _, text = value.partition('=')
            if text.lstrip().startswith(('{', 'dict(')):
                raise argparse.ArgumentError(
                    self,
                    f"'{value}' is a dict, which would be taken for text: "
                    f'give it key by key, {key}.NAME=VALUE',
                )
        from mmengine.config import DictAction

        read = DictAction(self.option_strings, self.dest, nargs=self.nargs)
        try:
            read(parser, namespace, values, option_string)
        except AssertionError as error:
            raise argparse.ArgumentError(self, str(error)) from None


LARGEST = 2**31 - 1  # of whole numbers


def at_least(minimum: int) -> Callable[[str], int]:
    """An argparse type: an integer that is not below ``minimum``."""

    def integer(text: str) -> int:
        value = int(text)
        if value < minimum:
            raise argparse.ArgumentTypeError(
                f'must be >= {minimum}, got {value}'
            )
        if value > LARGEST:
            raise argparse.ArgumentTypeError(
                f'must be <= {LARGEST}, got {value}'
            )
        return value

    return integer


def every(text: str) -> int | str:
    """An argparse type: a number of frames >= 1, or 'adaptive'."""
    if text == 'adaptive':
        return text
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"'{text}' is neither a number >= 1 nor adaptive"
        )
    return int(text)


def contrast(text: str) -> float:
    """An argparse type: a standard deviation of grey levels, 0 to 127."""
    value = float(text)
    if not 0 <= value <= 127:  # NaN too
        raise argparse.ArgumentTypeError(
            f"'{text}' is no deviation of grey levels: give 0 (no frame is "
            'held) to 127'
        )
    return value


def add_files(
    parser: argparse._ActionsContainer, nargs: str | None = None
) -> None:
    """``CONFIG [CHECKPOINT]``: of a name whose weights are published, the
    name alone.

    Args:
        parser (ArgumentParser): Is added to.
        nargs (str | None): Of the config: '?' where it may be left out.
            Defaults to None, it may not.
    """
    parser.add_argument(
        'config', nargs=nargs, help="mmseg's or ours: a path, or a name"
    )
    parser.add_argument(
        'checkpoint', nargs='?', help='default: the published one of the name'
    )


def add_baseline(
    parser: argparse._ActionsContainer, help: str, required: bool = False
) -> None:
    """``--baseline CONFIG [CHECKPOINT]``, a pair whose second is None where
    it is left out."""
    parser.add_argument(
        '--baseline',
        nargs='+',
        action=_Files,
        required=required,
        metavar=('CONFIG', 'CHECKPOINT'),
        help=f'{help}; CHECKPOINT defaults to the published one',
    )


class _Files(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None):
        if len(values) > 2:
            parser.error(
                f'{option_string} is CONFIG [CHECKPOINT], got {len(values)} '
                'words: what is not of it goes before it'
            )
        setattr(namespace, self.dest, (*values, None)[:2])


def add_max_frames(parser: argparse._ActionsContainer) -> None:
    """``--max-frames N``."""
    parser.add_argument(
        '--max-frames',
        type=at_least(1),
        metavar='N',
        help='stop after so many',
    )


def add_net(parser: argparse._ActionsContainer, config: str) -> None:
    """A net of anyone's, and what its files do not say of it.

    Args:
        parser (ArgumentParser): Is added to.
        config (str): What it is instead of.
    """
    parser.add_argument(
        '--model',
        metavar='NAME',
        help=f"instead of {config}: a name of mmseg's zoo, hf://ID, "
        'torchvision://NAME or MODEL.onnx',
    )
    parser.add_argument(
        '--classes',
        nargs='+',
        metavar='CLASS',
        help="names of the classes in the order of the net's scores, instead "
        'of its own; or a file: a name on each line, or a classes.json as '
        'run --labels writes it, with colours',
    )


def add_min_contrast(parser: argparse._ActionsContainer) -> None:
    """Which frames do not reach a net that runs on video."""
    parser.add_argument(
        '--min-contrast',
        type=contrast,
        default=10,
        metavar='LEVELS',
        help='a frame whose grey levels suddenly deviate by less, a flat or '
        'dark one, does not reach the net: the last map is held; 0: all do '
        '(default: %(default)s)',
    )


def add_size(
    parser: argparse.ArgumentParser,
    default: tuple[int, int] | None = (512, 1024),
    minimum: int = 64,
    help: str = 'of a frame, default: %(default)s',
) -> None:
    """``--size HEIGHT WIDTH``."""
    parser.add_argument(
        '--size',
        type=at_least(minimum),
        nargs=2,
        default=default,
        metavar=('HEIGHT', 'WIDTH'),
        help=help,
    )


def add_data(parser: argparse.ArgumentParser) -> None:
    """``--data-root`` and ``--cfg-options``."""
    parser.add_argument('--data-root', help="instead of the config's")
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions)


def add_run(parser: argparse.ArgumentParser) -> None:
    """What training and testing take alike."""
    parser.add_argument(
        '--work-dir', help='default: work_dirs/<name of the config>'
    )
    add_data(parser)
    add_loading(parser)
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
    )
    # From torch.distributed.launch, which sets no environment.
    parser.add_argument(
        *('--local_rank', '--local-rank'),
        action=_LocalRank,
        default=argparse.SUPPRESS,
    )


def add_loading(parser: argparse.ArgumentParser) -> None:
    """What every tool that loads a checkpoint takes: ``--allow-partial``, and
    ``--trust-checkpoint``, for what :mod:`mmseg_video.engine.weights`
    refuses."""
    parser.add_argument(
        '--allow-partial',
        action=_Accept,
        nargs=0,
        default=argparse.SUPPRESS,
        help='accept a checkpoint that lacks parameters of the model; they '
        'stay at their initialisation',
    )
    parser.add_argument(
        '--trust-checkpoint',
        action=_Accept,
        nargs=0,
        default=argparse.SUPPRESS,
        help='load checkpoints that hold more than weights, which lets them '
        'run any code on this machine, as a program does: only where you '
        'trust their author as you would trust that of a program',
    )


class _Accept(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None):
        from ..engine.partial import ALLOW_PARTIAL
        from ..engine.weights import TRUST

        names = dict(allow_partial=ALLOW_PARTIAL, trust_checkpoint=TRUST)
        # The processes that the tool starts inherit it.
        os.environ[names[self.dest]] = '1'


class _LocalRank(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None):
        os.environ.setdefault('LOCAL_RANK', values)
