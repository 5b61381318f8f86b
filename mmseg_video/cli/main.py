"""``mmseg-video NAME ...``: every tool under one name."""

import importlib
import os
import sys
from dataclasses import dataclass

from ..io.nearest import close_to
from ..version import __version__


@dataclass(frozen=True)
class Command:
    """One subcommand.

    Args:
        module (str): In this package; its ``main()`` reads ``sys.argv``.
        help (str): What it does, in one line.
    """

    module: str
    help: str


# A new subcommand is a module here with main(), and a line in this table.
# Modules are imported when they are asked for: --help needs no torch.
COMMANDS = {
    'quickstart': Command('quickstart', 'train and compare, from nothing'),
    'train': Command('train', 'train a config'),
    'test': Command('test', 'test a checkpoint'),
    'check-data': Command('check_data', 'look through the data of a config'),
    'run': Command('run', 'any net on video, steadied'),
    'app': Command('app', 'a web page that segments videos'),
    'compare': Command('compare', 'two models on the same video'),
    'ablate': Command('ablate', 'many configs and seeds into one table'),
    'pseudo-label': Command('pseudo_label', 'label the unlabelled frames'),
    'export': Command('export', 'a model for ONNX Runtime'),
    'run-onnx': Command('run_onnx', 'an exported model, without torch'),
    'street-scenes': Command('street_scenes', 'make labelled driving video'),
    'convert-cityscapes': Command(
        'convert_cityscapes', "make Cityscapes' labels to train on"
    ),
    'convert-coco': Command(
        'convert_coco', "make semantic maps of COCO's instances"
    ),
    'pack': Command('pack', 'few large files in place of a tree of frames'),
    'configs': Command('configs', 'the names of the configs'),
}


# As of a program that SIGPIPE ended.
NO_READER = 128 + 13


def main() -> None:
    """Run the subcommand that ``sys.argv`` names."""
    try:
        try:
            _run(*(sys.argv[1:] or ['--help']))
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # `head` has read enough. Python writes what is left once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(NO_READER)


def _run(name: str, *arguments: str) -> None:
    if name in ('-h', '--help'):
        print(usage())
    elif name == '--version':
        print(f'mmseg-video {__version__}')
    elif name in COMMANDS:
        # What argparse calls the program, and comparisons record.
        sys.argv = [f'mmseg-video {name}', *arguments]
        module = f'{__package__}.{COMMANDS[name].module}'
        importlib.import_module(module).main()
    else:
        print(
            f"error: no command '{name}'{close_to(name, COMMANDS)}. "
            'mmseg-video --help names all',
            file=sys.stderr,
        )
        sys.exit(2)


def usage() -> str:
    """What ``--help`` prints."""
    width = max(map(len, COMMANDS))
    lines = [f'  {name:{width}}  {c.help}' for name, c in COMMANDS.items()]
    return '\n'.join(
        [
            'usage: mmseg-video COMMAND ...',
            '',
            'Recurrent semantic segmentation of video on MMSegmentation.',
            '',
            *lines,
            '',
            'mmseg-video COMMAND --help tells more. A config is a path, or a',
            'name such as rnn_unet_street.',
        ]
    )
