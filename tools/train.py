"""Train a config: python tools/train.py CONFIG [--amp] [--resume] ..."""

from mmseg_video.apis.training import train
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
        action='store_true',
        help='go on from the last checkpoint in the work dir',
    )
    parser.add_argument('--seed', type=int)
    add_run(parser)
    return parser.parse_args()


@cli
def main():
    args = parse_args()
    train(
        args.config,
        work_dir=args.work_dir,
        load_from=args.load_from,
        resume=args.resume,
        seed=args.seed,
        amp=args.amp,
        data_root=args.data_root,
        options=args.cfg_options,
        launcher=args.launcher,
    )


if __name__ == '__main__':
    main()
