"""Draw training clips under each temporal augmentation of a config.

    python tools/show_augments.py \
        configs/temporal_augmentation/rnn_unet_augmented_street.py augments.png

A row for the clip as it is, one for each entry of the dataset's `augments`
and of the preprocessor's `batch_augments`, each alone and certain to happen,
and one for the clip as the training sees it. The last panel is the label.
"""

from mmseg_video.cli.arguments import CfgOptions, tool_parser
from mmseg_video.engine.launch import cli, load_config, set_data_root
from mmseg_video.visualization.augments import draw_augments


def parse_args():
    parser = tool_parser(__doc__)
    parser.add_argument('config')
    parser.add_argument('out', help='the picture to write')
    parser.add_argument('--index', type=int, default=0, help='of the sample')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--width', type=int, help='of a panel, in pixels')
    parser.add_argument('--data-root', help="instead of the config's")
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions)
    return parser.parse_args()


@cli
def main():
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    set_data_root(cfg, args.data_root)
    rows = draw_augments(cfg, args.out, args.index, args.seed, args.width)
    print(f"{rows} rows: '{args.out}'")


if __name__ == '__main__':
    main()
