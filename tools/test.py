"""Test a checkpoint: python tools/test.py CONFIG CHECKPOINT [--num-frames 12]

A clip ends in a labelled frame; --stream gives every frame of every sequence
in order instead, with states carried by a recurrent model.
"""

import argparse
import json
import math
import os
import os.path as osp

from mmengine.dist import is_main_process
from mmengine.runner import Runner

import mmseg_video.engine.registration  # noqa: F401
from mmseg_video.datasets.corruptions import CORRUPTIONS
from mmseg_video.engine.arguments import (
    CfgOptions,
    at_least,
    set_data_root,
)
from mmseg_video.engine.atomic_backend import AtomicLocalBackend
from mmseg_video.engine.checkpoints import check_checkpoint
from mmseg_video.engine.launch import (
    autocast_test,
    cli,
    load_config,
    set_up_processes,
)
from mmseg_video.engine.pretrained import fetch_nothing

TEMPORAL_METRICS = (
    'SequenceIoUMetric',
    'TemporalConsistencyMetric',
    'FlickerMetric',
    'VideoConsistencyMetric',
)


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config')
    parser.add_argument('checkpoint')
    parser.add_argument(
        '--work-dir', help='default: work_dirs/<name of the config>'
    )
    parser.add_argument(
        '--out', metavar='DIR', help='write the predicted label maps there'
    )
    parser.add_argument(
        '--show', action='store_true', help='show predictions in a window'
    )
    parser.add_argument(
        '--show-dir', metavar='DIR', help='write drawn predictions there'
    )
    parser.add_argument('--wait-time', type=float, default=2)
    parser.add_argument(
        '--num-frames', type=at_least(1), help="T, instead of the config's"
    )
    parser.add_argument(
        '--frame-interval',
        type=at_least(1),
        help='stride of the clips in frames',
    )
    parser.add_argument(
        '--stream', action='store_true', help='every frame, states carried'
    )
    parser.add_argument(
        '--temporal',
        action='store_true',
        help='also how steady predictions are: TC and flicker where frames '
        'follow one another, VC where every frame is labelled',
    )
    parser.add_argument(
        '--sequences',
        metavar='DIR',
        help='with --temporal, keep the results of each sequence there, for '
        'tools/compare.py',
    )
    parser.add_argument(
        '--degrade',
        type=float,
        default=0.0,
        metavar='PART',
        help='of the frames, dropped, dark, noisy or blurred: for all models '
        'the same ones',
    )
    parser.add_argument(
        '--corrupt',
        nargs=2,
        metavar=('KIND', 'SEVERITY'),
        help=f'of all frames: {", ".join(CORRUPTIONS)}; severity 1 to 3',
    )
    parser.add_argument(
        '--tta', action='store_true', help='test-time augmentation'
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision')
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
    if args.stream and (args.num_frames or args.frame_interval or args.tta):
        parser.error(
            '--stream goes with none of --num-frames, --frame-interval, --tta'
        )
    if (args.degrade or args.corrupt) and args.tta:
        parser.error('--tta goes with neither --degrade nor --corrupt')
    if args.temporal and args.tta:
        parser.error('--temporal does not go with --tta')
    if args.sequences and not args.temporal:
        parser.error('--sequences keeps what --temporal finds: add --temporal')
    if args.corrupt and not args.corrupt[1].isdigit():
        parser.error(f'--corrupt: SEVERITY is a number, not {args.corrupt[1]}')
    return args


def read_from(cfg, args) -> None:
    """Set what the test set yields: clips of T frames, or a stream."""
    dataset = cfg.test_dataloader.dataset
    if args.num_frames is not None:
        dataset.num_frames = args.num_frames
    if args.frame_interval is not None:
        dataset.frame_interval = args.frame_interval
    if args.stream:
        dataset.mode, dataset.num_frames = 'stream', 1
        dataset.frame_interval = 1
        cfg.test_dataloader.batch_size = 1
        cfg.test_dataloader.sampler = dict(type='SequenceSampler')
        cfg.model.test_cfg.streaming = True


def add_temporal_metrics(cfg, save_dir) -> None:
    """Temporal metrics, beside the config's own."""
    evaluator = cfg.test_evaluator
    if isinstance(evaluator, dict):
        evaluator = [evaluator]
    cfg.test_dataloader.batch_size = 1
    cfg.test_dataloader.sampler = dict(type='SequenceSampler')
    cfg.test_evaluator = [
        *evaluator,
        *(
            dict(type=name, save_dir=save_dir, on_missing='skip')
            for name in TEMPORAL_METRICS
        ),
    ]


def degrade(cfg, args) -> None:
    """Make the video worse, right after its frames are loaded."""
    pipeline = cfg.test_dataloader.dataset.pipeline
    types = [transform['type'] for transform in pipeline]
    after = types.index('LoadRefFrames') + 1
    if args.degrade:
        pipeline.insert(
            after,
            dict(type='RandomBurst', prob=args.degrade, max_length=1, seed=0),
        )
    if args.corrupt:
        kind, severity = args.corrupt
        pipeline.insert(
            after,
            dict(type='CorruptFrames', kind=kind, severity=int(severity)),
        )


def augment(cfg) -> None:
    """Test-time augmentation, as the config describes it."""
    if 'tta_pipeline' not in cfg:
        raise ValueError('--tta: the config has no tta_pipeline')
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    cfg.tta_model.module = cfg.model
    cfg.model = cfg.tta_model


def protocol(report) -> str:
    """How it was tested, for the name of the report."""
    streamed = report['mode'] == 'stream'
    parts = ['stream' if streamed else f't{report["num_frames"]}']
    if report['frame_interval'] > 1:
        parts.append(f'interval{report["frame_interval"]}')
    if report['degrade']:
        parts.append(f'degrade{report["degrade"]:g}')
    parts += report['corrupt'] or []
    parts += [name for name in ('tta', 'amp') if report[name]]
    return '_'.join(parts)


def finite(metrics) -> dict[str, float]:
    """The figures; those of labels that are not there are NaN, and no figure.

    Raises:
        ValueError: If none is left.
    """
    figures = {k: float(v) for k, v in metrics.items() if math.isfinite(v)}
    if len(figures) < len(metrics):
        lacking = ', '.join(k for k in metrics if k not in figures)
        sentence = f'no frame of the test set has a label: no {lacking}'
        if not figures:
            raise ValueError(sentence)
        print(sentence)
    return figures


def draw(cfg, args) -> None:
    """Draw every prediction, into a window or a folder."""
    if not (args.show or args.show_dir):
        return
    hook = cfg.default_hooks.setdefault(
        'visualization', dict(type='SegVisualizationHook')
    )
    hook.update(draw=True, interval=1, show=args.show)
    hook.wait_time = args.wait_time
    if args.show_dir:
        cfg.visualizer.save_dir = args.show_dir


@cli
def main():
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    check_checkpoint(args.checkpoint)
    set_data_root(cfg, args.data_root)
    name = osp.splitext(osp.basename(args.config))[0]
    cfg.work_dir = args.work_dir or cfg.get(
        'work_dir', osp.join('work_dirs', name)
    )
    cfg.load_from = args.checkpoint
    fetch_nothing(cfg.model)
    read_from(cfg, args)
    degrade(cfg, args)
    draw(cfg, args)
    if args.out:  # before it may become a list
        cfg.test_evaluator.update(output_dir=args.out, keep_results=True)
    if args.temporal:
        add_temporal_metrics(cfg, args.sequences)
    set_up_processes(cfg, args.launcher)
    if args.tta:
        augment(cfg)
    runner = Runner.from_cfg(cfg)
    with autocast_test(args.amp):
        metrics = runner.test()
    if is_main_process():
        dataset = cfg.test_dataloader.dataset
        report = dict(
            metrics=finite(metrics),
            config=args.config,
            checkpoint=args.checkpoint,
            num_frames=dataset.get('num_frames', 1),
            frame_interval=dataset.get('frame_interval', 1),
            mode=dataset.get('mode', 'clip'),
            tta=args.tta,
            amp=args.amp,
            degrade=args.degrade,
            corrupt=args.corrupt,
        )
        path = osp.join(cfg.work_dir, f'test_{protocol(report)}.json')
        AtomicLocalBackend().put_text(json.dumps(report, indent=1), path)
        print(f'written to {path}')


if __name__ == '__main__':
    main()
