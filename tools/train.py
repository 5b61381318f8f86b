"""Train a config: python tools/train.py CONFIG [--amp] [--resume] ..."""

from mmseg_video.apis.training import RESUME, train
from mmseg_video.engine.arguments import add_run, tool_parser
from mmseg_video.engine.launch import cli


def parse_args():
    parser = tool_parser(__doc__)
    parser.add_argument('config')
    parser.add_argument(
        '--load-from', help='start from the weights of this checkpoint'
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        choices=RESUME,
        help='go on from the last good checkpoint in the work dir; '
        '--resume=must: fail where there is none, and do not begin anew',
    )
    parser.add_argument('--seed', type=int)
    add_run(parser)
    return parser.parse_args()


@cli
def main():
    train(**vars(parse_args()))


if __name__ == '__main__':
    main()
