"""Label the frames that nobody labelled, by a trained framewise model.

    python tools/pseudo_label.py configs/unet_cityscapes.py \
        work_dirs/unet_cityscapes/iter_80000.pth

Every unlabelled frame of the config's training sequences gets a label where
the model is sure, at <data_root>/pseudo_labels/train, under the names that
labels have. Train on them with configs/rnn_unet_pseudo_cityscapes.py. What is
there is skipped, so a stopped run goes on when it is started again.
"""

import argparse
import hashlib
import json
import os.path as osp
from pathlib import Path

import cv2
import numpy as np
from mmengine.dataset import pseudo_collate
from mmseg.registry import DATASETS
from torch.utils.data import DataLoader, Subset
from tqdm import tqdm

from mmseg_video.apis import VideoSegInferencer
from mmseg_video.apis.pseudo_labels import (
    IGNORE,
    class_thresholds,
    ensemble,
    keep_confident,
)
from mmseg_video.datasets.base_sequence import PSEUDO_LABELS
from mmseg_video.engine.arguments import CfgOptions, at_least, set_data_root
from mmseg_video.engine.atomic_backend import AtomicLocalBackend
from mmseg_video.engine.launch import autocast_test, cli, load_config


def part(text: str) -> tuple[int, int]:
    """An argparse type: K/N, the K-th of N parts, K from 1."""
    k, _, n = text.partition('/')
    if not (k.isdigit() and n.isdigit() and 1 <= int(k) <= int(n)):
        raise argparse.ArgumentTypeError(
            f"'{text}' is not of the form K/N, the K-th of N parts"
        )
    return int(k), int(n)


def class_value(text: str) -> tuple[str, float]:
    """An argparse type: CLASS=PROBABILITY."""
    name, _, value = text.rpartition('=')
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not of the form CLASS=PROBABILITY"
        ) from None


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config', help='of the teacher, and its data')
    parser.add_argument('checkpoint')
    parser.add_argument(
        '--split', choices=['train', 'val', 'test'], default='train'
    )
    parser.add_argument(
        '--out', help='default: <data_root>/pseudo_labels/<split>'
    )
    parser.add_argument(
        '--scales',
        type=float,
        nargs='+',
        default=[0.75, 1.0, 1.25],
        help="of the config's test size (default: %(default)s)",
    )
    parser.add_argument(
        '--no-flip', action='store_true', help='no mirror images'
    )
    parser.add_argument(
        '--threshold',
        type=float,
        default=0.9,
        help='least probability at which a pixel is labelled; the others '
        'become 255 (default: %(default)s)',
    )
    parser.add_argument(
        '--class-threshold',
        type=class_value,
        nargs='+',
        default=[],
        metavar='CLASS=PROBABILITY',
        help='of single classes, such as pole=0.6',
    )
    parser.add_argument(
        '--confidence',
        metavar='DIR',
        help='also write the probability of every label there, as PNG: '
        '0 to 255; frames that have a label only are labelled again',
    )
    parser.add_argument(
        '--every',
        type=at_least(1),
        default=1,
        metavar='N',
        help='only every N-th frame of a sequence',
    )
    parser.add_argument(
        '--part',
        type=part,
        default=(1, 1),
        metavar='K/N',
        help='only the K-th of N parts: one for each of N GPUs',
    )
    parser.add_argument('--workers', type=at_least(0), default=2)
    parser.add_argument('--device')
    parser.add_argument('--amp', action='store_true', help='mixed precision')
    parser.add_argument('--data-root', help="instead of the config's")
    parser.add_argument(
        '--cfg-options', nargs='+', action=CfgOptions, help='of the data'
    )
    args = parser.parse_args(argv)
    if min(args.scales) <= 0:
        parser.error(f'--scales must be > 0, got {args.scales}')
    return args


def build_dataset(cfg, split: str):
    """Every frame of the split in order, as in a test, without labels."""
    dataset = cfg[f'{split}_dataloader'].dataset
    if 'data_prefix' not in dataset or 'num_frames' not in dataset:
        raise ValueError(
            f'{split}_dataloader.dataset is no sequence dataset: there are '
            'no frames beside the labelled ones'
        )
    dataset.update(mode='stream', num_frames=1, frame_interval=1)
    # The teacher sees clean frames. An empty dict would merge with what is
    # there.
    dataset['augments'] = None
    for prefix in ('seq_seg_map_path', 'pseudo_path'):
        dataset.data_prefix.pop(prefix, None)
    dataset.pipeline = [
        transform
        for transform in cfg.test_dataloader.dataset.pipeline
        if 'Annotations' not in transform['type']
    ]
    return DATASETS.build(dataset)


def unlabelled_frames(dataset, every: int) -> dict[int, str]:
    """Index -> the name of its label, relative to the labels' folder."""
    names, sequence, place = {}, None, 0
    for i in range(len(dataset)):
        info = dataset.get_data_info(i)
        place = place + 1 if info['sequence'] == sequence else 0
        sequence = info['sequence']
        if info['seg_map_path'] is None and place % every == 0:
            names[i] = label_name(dataset, info['img_path'])
    return names


def is_done(name: str, out: Path, confidence: str | None) -> bool:
    """Whether a frame has its label, and its confidence where asked for."""
    folders = [out] if confidence is None else [out, Path(confidence)]
    return all((folder / name).exists() for folder in folders)


def label_name(dataset, img_path: str) -> str:
    """The path, below the labels' folder, that a frame's label would have."""
    prefix = dataset.data_prefix
    # Longest first: one folder may lie inside the other.
    folders = {prefix.get('seq_path'), prefix['img_path']} - {None}
    folder = max(
        (f for f in folders if Path(img_path).is_relative_to(f)), key=len
    )
    name = osp.relpath(img_path, folder)
    if name.endswith(dataset.img_suffix):
        stem = name[: -len(dataset.img_suffix)]
    else:
        stem = osp.splitext(name)[0]
    # VSPW keeps VIDEO/origin and VIDEO/mask side by side.
    stem = stem.replace(f'{osp.sep}origin{osp.sep}', f'{osp.sep}mask{osp.sep}')
    return stem + dataset.seg_map_suffix


def check_classes(teacher: VideoSegInferencer, dataset) -> None:
    ours, theirs = dataset.metainfo['classes'], teacher.classes
    if tuple(ours) != tuple(theirs or ours):
        differ = sorted(set(ours) ^ set(theirs)) or 'their order'
        raise ValueError(
            f'the teacher knows {len(theirs)} classes, the data has '
            f'{len(ours)}, and they differ ({differ}): label the data with a '
            'teacher of its classes'
        )


def settings(args, classes, thresholds) -> dict:
    """What the labels in a folder were made with."""
    digest = hashlib.sha256(Path(args.checkpoint).read_bytes()).hexdigest()
    return dict(
        classes=list(classes),
        checkpoint=digest,
        scales=args.scales,
        flip=not args.no_flip,
        every=args.every,
        thresholds=[round(t, 6) for t in thresholds.tolist()],
    )


def begin(out: Path, wanted: dict, write) -> None:
    """Write the settings, or check that they are the same."""
    path = out / PSEUDO_LABELS
    if not path.exists():
        write.put_text(json.dumps(wanted, indent=1), path)
        return
    found = json.loads(path.read_text())
    differ = [key for key in wanted if found.get(key) != wanted[key]]
    if differ:
        raise ValueError(
            f"'{out}' has labels made with other settings "
            f'({", ".join(differ)}): give another --out, or remove it'
        )


def png(image: np.ndarray) -> bytes:
    return cv2.imencode('.png', image)[1].tobytes()


@cli
def main(argv=None):
    args = parse_args(argv)
    cfg = load_config(args.config, args.cfg_options)
    set_data_root(cfg, args.data_root)
    teacher = VideoSegInferencer(
        args.config, args.checkpoint, args.device, args.amp
    )
    dataset = build_dataset(cfg, args.split)
    check_classes(teacher, dataset)
    thresholds = class_thresholds(
        dataset.metainfo['classes'],
        args.threshold,
        dict(args.class_threshold),
    )
    names = unlabelled_frames(dataset, args.every)
    if not names:
        raise ValueError(
            f"'{dataset.data_prefix['img_path']}' has no unlabelled frames"
        )
    out = Path(
        args.out or osp.join(dataset.data_root, 'pseudo_labels', args.split)
    )
    write = AtomicLocalBackend()
    begin(out, settings(args, dataset.metainfo['classes'], thresholds), write)
    mine = list(names)[args.part[0] - 1 :: args.part[1]]
    todo = [i for i in mine if not is_done(names[i], out, args.confidence)]
    loader = DataLoader(
        Subset(dataset, todo),
        num_workers=args.workers,
        collate_fn=pseudo_collate,
    )
    model, kept, pixels = teacher.model, 0, 0
    if hasattr(model, 'reset_states'):
        # A recurrent teacher sees stills: scales and flips share no state.
        model.test_cfg.streaming = False
    for index, batch in zip(
        todo, tqdm(loader, 'frames', disable=not todo), strict=True
    ):
        size = tuple(batch['data_samples'][0].ori_shape[:2])
        frames = model.data_preprocessor(batch)['inputs']
        # (1, 1, C, H, W) of a clip preprocessor
        frames = frames.reshape(-1, *frames.shape[-3:])
        with autocast_test(args.amp):
            probabilities = ensemble(
                model, frames, size, args.scales, not args.no_flip
            )[0]
        label, confidence = keep_confident(probabilities, thresholds)
        kept += int((label != IGNORE).sum())
        pixels += label.size
        if dataset.reduce_zero_label:
            # On disk 0 is void there.
            label = np.where(label == IGNORE, 0, label + 1)
        if args.confidence:
            write.put(png(confidence), Path(args.confidence) / names[index])
        # Last: this file says that the frame is done.
        write.put(png(label), out / names[index])
    print(
        f'{len(todo)} frames labelled, {len(mine) - len(todo)} were there, '
        f"in '{out}'"
    )
    if pixels:
        print(f'{kept / pixels:.1%} of their pixels are above the threshold')


if __name__ == '__main__':
    main()
