"""Train a config: python tools/train.py CONFIG [--amp] [--resume] ..."""

import argparse
import os
import os.path as osp

from mmengine.runner import Runner

from mmseg_video.engine.arguments import CfgOptions, set_data_root
from mmseg_video.engine.checkpoints import (
    check_checkpoint,
    find_last_checkpoint,
)
from mmseg_video.engine.launch import (
    check_unlabelled,
    cli,
    load_config,
    set_up_processes,
    train_in_mixed_precision,
)


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config')
    parser.add_argument(
        '--work-dir', help='default: work_dirs/<name of the config>'
    )
    parser.add_argument(
        '--load-from', help='start from the weights of this checkpoint'
    )
    parser.add_argument(
        '--resume',
        action='store_true',
        help='go on from the last checkpoint in the work dir',
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision')
    parser.add_argument('--seed', type=int)
    parser.add_argument('--data-root', help="instead of the config's")
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions)
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
    )
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


@cli
def main():
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    set_data_root(cfg, args.data_root)
    name = osp.splitext(osp.basename(args.config))[0]
    cfg.work_dir = args.work_dir or cfg.get(
        'work_dir', osp.join('work_dirs', name)
    )
    check_unlabelled(cfg)
    if args.load_from:
        cfg.load_from = args.load_from
    if args.seed is not None:
        cfg.randomness.seed = args.seed
    if args.amp:
        train_in_mixed_precision(cfg)
    last = find_last_checkpoint(cfg.work_dir) if args.resume else None
    if args.resume and not last:
        print(
            f"nothing to resume in '{cfg.work_dir}': starts from the beginning"
        )
    if last:
        cfg.resume, cfg.load_from = True, last
    elif cfg.load_from:
        check_checkpoint(cfg.load_from)
    set_up_processes(cfg, args.launcher)
    Runner.from_cfg(cfg).train()


if __name__ == '__main__':
    main()
