"""Where the recurrent modules of one or several configs sit, as a picture.

    python tools/draw_positions.py --out configs/lstm_icnet/positions.png \
        configs/lstm_icnet/rnn_icnet_v?_cityscapes.py

Each model is built and runs on one random frame; boxes and arrows are what
was seen then. A row is a resolution; the recurrent modules are orange.
"""

from mmseg_video.apis.positions import draw_positions
from mmseg_video.cli.arguments import tool_parser
from mmseg_video.engine.launch import cli


def parse_args():
    parser = tool_parser(__doc__)
    parser.add_argument('configs', nargs='+')
    parser.add_argument('--out', required=True, help='the .png to write')
    parser.add_argument('--columns', type=int, default=2)
    return parser.parse_args()


@cli
def main():
    args = parse_args()
    draw_positions(args.configs, args.out, args.columns)
    print(f'written to {args.out}')


if __name__ == '__main__':
    main()
