"""Train a config: mmseg-video train CONFIG [--amp] [--resume] ..."""

from ..apis.training import train
from ..engine.arguments import add_run, tool_parser
from ..engine.launch import cli


def parse_args():
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='a path, or a name of the zoo')
    parser.add_argument(
        '--load-from', help='start from the weights of this checkpoint'
    )
    parser.add_argument(
        '--resume',
        action='store_true',
        help='go on from the last checkpoint in the work dir',
    )
    parser.add_argument('--seed', type=int)
    add_run(parser)
    return parser.parse_args()


@cli
def main():
    train(**vars(parse_args()))
