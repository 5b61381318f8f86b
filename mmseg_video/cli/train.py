"""Train a config: mmseg-video train CONFIG [--amp] [--resume] ..."""

import argparse

from ..choices import RESUME
from .arguments import add_run, at_least, tool_parser
from .command import command


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='a path, or a name of the zoo')
    parser.add_argument(
        '--load-from',
        metavar='CHECKPOINT',
        help='start from these weights; or the name of a config, for its '
        'published ones',
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        choices=RESUME,
        help='go on from the last good checkpoint in the work dir; '
        '--resume=must: fail where there is none, and do not begin anew',
    )
    parser.add_argument('--seed', type=at_least(0))
    parser.add_argument('--amp', action='store_true', help='mixed precision')
    add_run(parser)
    return parser.parse_args(argv)


@command(parse_args)
def main(args: argparse.Namespace) -> None:
    from ..apis.training import train

    train(**vars(args))
