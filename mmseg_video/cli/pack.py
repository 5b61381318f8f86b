"""Pack the frames and labels that a config's clips need into few large files.

    mmseg-video pack configs/rnn_unet_cityscapes.py \
        --out data/cityscapes_packed --dry-run
    mmseg-video pack configs/rnn_unet_cityscapes.py \
        --out data/cityscapes_packed
    mmseg-video pack --check --out data/cityscapes_packed
    mmseg-video train configs/rnn_unet_cityscapes.py \
        --data-root data/cityscapes_packed

Shards are tars that webdataset reads too. Every data set of this package
reads a packed set in place of its tree, and files that lie loose in its folder
beside the packed ones. --dry-run says what it will come to. What is packed is
skipped, so a stopped run goes on when it is started again.
"""

import argparse
import os
from pathlib import Path

from ..choices import PACK_FORMATS
from ..io.packs import Pack
from .arguments import add_data, at_least, tool_parser
from .command import command

SPLITS = ('train', 'val', 'test')


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', nargs='?', help='whose data sets are packed')
    parser.add_argument('--out', type=Path, required=True, help='a folder')
    parser.add_argument(
        '--splits',
        nargs='+',
        choices=SPLITS,
        default=['train', 'val'],
        help='default: %(default)s',
    )
    parser.add_argument(
        '--num-frames',
        type=at_least(1),
        help="of a clip (default: the config's)",
    )
    parser.add_argument(
        '--stream',
        action='store_true',
        help='all frames of the sequences of val and test, to stream them',
    )
    parser.add_argument(
        '--format',
        choices=PACK_FORMATS,
        default='png',
        help='of frames: png, the same pixels coded so that they are decoded '
        'fast; jpeg of quality 95, which loses a little; or as-is. Labels '
        'stay as they are (default: %(default)s)',
    )
    parser.add_argument(
        '--shard-mb',
        type=at_least(1),
        default=1024,
        help='of the tree in a shard (default: %(default)s)',
    )
    parser.add_argument(
        '--workers',
        type=at_least(1),
        default=os.cpu_count(),
        help='threads (default: one for each core)',
    )
    parser.add_argument(
        '--dry-run', action='store_true', help='only say what it comes to'
    )
    parser.add_argument(
        '--check',
        action='store_true',
        help='read all that is packed, and compare checksums',
    )
    add_data(parser)
    args = parser.parse_args(argv)
    if args.config is None and not args.check:
        parser.error('a config is needed: its data sets say what is packed')
    return args


@command(parse_args)
def main(args: argparse.Namespace) -> None:
    if args.check:
        check(args.out)
        return
    from mmengine.registry import init_default_scope
    from mmseg.registry import DATASETS

    from ..datasets.converters.pack_sequences import estimate, make_plan, pack
    from ..engine.explain import explained
    from ..engine.launch import load_config, set_data_root

    cfg = load_config(args.config, args.cfg_options)
    set_data_root(cfg, args.data_root)
    init_default_scope('mmseg')
    with explained(cfg):
        datasets = [
            DATASETS.build(_dataset(cfg, split, args)) for split in args.splits
        ]
    plan = make_plan(datasets, args.format, args.shard_mb * 2**20)
    cost = estimate(plan, args.workers)
    print(
        f'{cost["images"]} frames and {cost["labels"]} labels, '
        f'{_size(cost["source_bytes"])}, become about '
        f'{_size(cost["bytes"])} in {len(plan.shards)} shards, in about '
        f'{cost["seconds"] / 60:.1f} min; {cost["left_out"]} other files '
        f"of '{plan.root}' ({_size(cost['left_out_bytes'])}) are needed by "
        'no clip'
    )
    if args.dry_run:
        return
    shards, size = pack(plan, args.out, cost['bytes'], args.workers)
    there = len(plan.shards) - shards
    print(
        f'{shards} shards written ({_size(size)}), {there} were there, in '
        f"'{args.out}': use it as --data-root"
    )


def check(out: Path) -> None:
    """Say what is damaged, or that nothing is."""
    packed = Pack(out)
    damaged = list(packed.damaged())
    if damaged:
        raise OSError(
            f'{len(damaged)} of {len(packed.entries)} files are damaged; the '
            f'first: {damaged[0]}'
        )
    print(f"all {len(packed.entries)} files of '{out}' are whole")


def _dataset(cfg, split: str, args: argparse.Namespace) -> dict:
    from ..datasets.unlabelled_frames import sequence_config

    loader = cfg.get(f'{split}_dataloader')
    if loader is None:
        raise ValueError(
            f"'{cfg.filename}' has no {split}_dataloader: leave {split} out "
            'of --splits'
        )
    dataset = dict(sequence_config(loader.dataset))
    if args.stream and split != 'train':
        dataset.update(mode='stream', num_frames=1)
    elif args.num_frames is not None:
        dataset['num_frames'] = args.num_frames
    return dataset


def _size(count: int) -> str:
    for unit in ('B', 'kB', 'MB'):
        if count < 1000:
            return f'{count:.4g} {unit}'
        count /= 1000
    return f'{count:.4g} GB'
