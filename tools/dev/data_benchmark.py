"""What a training sample of T frames costs to load, in ratios of one run.

    python tools/dev/data_benchmark.py [--size 1024 2048] [--out FILE]

Frames and labels are drawn, written as a tree and packed twice. Each way to
load a sample is timed in turn, round after round, on one core without
threads; figures are medians, ratios are to mmseg's transforms on T labelled
frames. Then the loader's images a second with no and with two workers, as it
is used, and what Cityscapes' archive of 324 GB comes to.
"""

import json
import statistics
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import torch
from mmcv.transforms import Compose
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS
from torch.utils.data import DataLoader

from mmseg_video.cli.arguments import at_least, tool_parser
from mmseg_video.datasets import decode_threads
from mmseg_video.datasets.converters.pack_sequences import (
    estimate,
    make_plan,
    pack,
)
from mmseg_video.io import decoding
from mmseg_video.io.atomic import write_text
from mmseg_video.io.packs import Pack

# Snippets with public labels, and all of the archive.
LABELLED, SNIPPETS, FRAMES, ARCHIVE = 3475, 5000, 30, 324e9
HEAD = dict(type='LoadClipAnnotations')
WAYS = {
    "mmseg's transforms, T times": ('loose', 'mmseg', False),
    'frame by frame': ('loose', 'frames', False),
    'crop first': ('loose', 'clip', False),
    'crop first, fast decoder': ('loose', 'clip', True),
    'packed as PNG': ('png', 'clip', True),
    'packed as JPEG q95': ('jpeg', 'clip', True),
}


def parse_args(argv=None):
    parser = tool_parser(__doc__)
    parser.add_argument(
        '--size', type=int, nargs=2, default=(1024, 2048), metavar='PIXELS'
    )
    parser.add_argument('--num-frames', type=at_least(1), default=5)
    parser.add_argument('--snippets', type=at_least(2), default=6)
    parser.add_argument('--rounds', type=at_least(1), default=15)
    parser.add_argument('--out', type=Path, help='a JSON file')
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    init_default_scope('mmseg')
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        roots = make_data(Path(folder), args)
        # Put back in the end what measure() replaces, way by way.
        with (
            patch.object(decoding, 'png_decoder', decoding.png_decoder),
            patch.object(
                decode_threads, 'idle_cores', decode_threads.idle_cores
            ),
        ):
            result = measure(roots, args)
    print(report(result))
    if args.out is not None:
        write_text(args.out, json.dumps(result, indent=1))


def make_data(folder: Path, args) -> dict[str, Path]:
    """The tree, and the tree packed in both formats."""
    roots = {'loose': folder / 'loose'}
    for snippet in range(args.snippets):
        write_snippet(roots['loose'], snippet, args.size, args.num_frames)
    for format in ('png', 'jpeg'):
        plan = make_plan(
            [dataset(roots['loose'], args, ())], format, 256 * 2**20
        )
        roots[format] = folder / format
        pack(plan, roots[format], estimate(plan, 1)['bytes'], 2)
    return roots


def write_snippet(root: Path, snippet: int, size, num_frames: int) -> None:
    """Areas, texture and a camera's noise: a PNG of about 2.2 MB, as
    Cityscapes' frames have at 1024x2048, written as libpng does by itself."""
    rng = np.random.default_rng(snippet)
    height, width = size
    wide = (width + 8 * num_frames, height)
    areas = rng.integers(0, 19, (8, 16), np.uint8)
    label = cv2.resize(areas, wide, interpolation=cv2.INTER_NEAREST)
    scene = rng.integers(0, 200, (19, 3))[label].astype(np.float32)
    texture = rng.normal(0, 12, (height // 8, wide[0] // 8, 3))
    scene += cv2.resize(texture.astype(np.float32), wide)
    scene = cv2.GaussianBlur(scene, (0, 0), 1.5)
    stem = f'town/town_{snippet:06d}'
    for t in range(num_frames):
        frame = scene[:, 8 * t : 8 * t + width]
        frame = frame + rng.normal(0, 0.7, frame.shape)
        frame = frame.clip(0, 255).astype(np.uint8)
        number = 19 - (num_frames - 1) + t
        prefix = 'leftImg8bit' if number == 19 else 'leftImg8bit_sequence'
        path = f'{prefix}/train/{stem}_{number:06d}_leftImg8bit.png'
        save(root / path, frame)
    path = f'gtFine/train/{stem}_000019_gtFine_labelTrainIds.png'
    save(root / path, label[:, 8 * t : 8 * t + width])


def save(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), image, [cv2.IMWRITE_PNG_COMPRESSION, 6]):
        raise OSError(f"'{path}' could not be written")


def augment(size) -> list[dict]:
    """The default pipeline of Cityscapes, for frames of this size."""
    height, width = size
    return [
        dict(
            type='RandomResize',
            scale=(width, height),
            ratio_range=(0.5, 2.0),
            keep_ratio=True,
        ),
        dict(
            type='RandomCrop',
            crop_size=(height // 2, width // 2),
            cat_max_ratio=0.75,
        ),
        dict(type='RandomFlip', prob=0.5),
        dict(type='PhotoMetricDistortion'),
    ]


def pipeline(way: str, size) -> list[dict]:
    transforms, end = augment(size), dict(type='PackClipInputs')
    if way == 'frames':
        load = [dict(type='LoadImageFromFile'), dict(type='LoadRefFrames')]
        each = dict(type='ForEachFrame', transforms=transforms)
        return [*load, HEAD, each, end]
    each = dict(type='ClipAugment', transforms=transforms)
    return [dict(type='LoadClip'), HEAD, each, end]


def dataset(root: Path, args, steps):
    return DATASETS.build(
        dict(
            type='CityscapesSequenceDataset',
            data_root=str(root),
            num_frames=args.num_frames,
            pipeline=list(steps),
        )
    )


class MMSegT:
    """T labelled frames, each by mmseg's transforms alone."""

    def __init__(self, clips, size):
        self.clips = clips
        self.transforms = Compose(
            [
                dict(type='LoadImageFromFile'),
                dict(type='LoadAnnotations'),
                *augment(size),
                dict(type='PackSegInputs'),
            ]
        )

    def __len__(self):
        return len(self.clips)

    def __getitem__(self, index):
        info = self.clips.get_data_info(index)
        paths = [*info['ref_img_paths'], info['img_path']]
        return [
            self.transforms(dict(info, img_path=path, seg_fields=[]))
            for path in paths
        ]


def measure(roots: dict[str, Path], args) -> dict:
    fast = decoding.png_decoder()
    ways, seconds = {}, {}
    for name, (root, way, _) in WAYS.items():
        clips = dataset(roots[root], args, pipeline(way, args.size))
        ways[name] = MMSegT(clips, args.size) if way == 'mmseg' else clips
        seconds[name] = []
    cores = decode_threads.idle_cores
    decode_threads.idle_cores = lambda: 1
    # The first round warms up.
    for number in range(args.rounds + 1):
        for name, samples in ways.items():
            quick = fast if WAYS[name][2] else None
            decoding.png_decoder = lambda quick=quick: quick
            np.random.seed(number)
            start = time.perf_counter()
            samples[number % len(samples)]
            if number:
                seconds[name].append(time.perf_counter() - start)
    decode_threads.idle_cores = cores
    base = seconds[next(iter(WAYS))]
    rows = {}
    for name, samples in ways.items():
        quick = fast if WAYS[name][2] else None
        decoding.png_decoder = lambda quick=quick: quick
        ratios = [a / b for a, b in zip(seconds[name], base, strict=True)]
        rows[name] = dict(
            ms=1e3 * statistics.median(seconds[name]),
            ratio=statistics.median(ratios),
            **{
                f'images_s_{n}': images_per_second(samples, n, args)
                for n in (0, 2)
            },
        )
    sizes = bytes_per_frame(roots)
    for name, (root, *_) in WAYS.items():
        rows[name]['bytes'] = sizes[root] * args.num_frames
    return dict(
        size=list(args.size),
        num_frames=args.num_frames,
        rounds=args.rounds,
        fast_decoder=fast is not None,
        rows=rows,
        archive=archive(sizes, args.num_frames),
    )


def images_per_second(samples, workers: int, args) -> float:
    """Frames, through a loader like that of a training."""
    count = args.rounds * len(samples)
    loader = DataLoader(
        samples,
        sampler=[i % len(samples) for i in range(count + workers)],
        batch_size=1,
        num_workers=workers,
        collate_fn=pseudo_collate,
    )
    batches = iter(loader)
    for _ in range(max(1, workers)):
        next(batches)  # the workers' start
    start, done = time.perf_counter(), 0
    for _ in batches:
        done += 1
    return done * args.num_frames / (time.perf_counter() - start)


def bytes_per_frame(roots: dict[str, Path]) -> dict[str, float]:
    frames = [
        path.stat().st_size for path in roots['loose'].glob('left*/**/*.png')
    ]
    sizes = {'loose': float(np.mean(frames))}
    for format in ('png', 'jpeg'):
        entries = Pack(roots[format]).entries.items()
        packed = [e.size for path, e in entries if path.startswith('left')]
        sizes[format] = float(np.mean(packed))
    return sizes


def archive(sizes: dict[str, float], num_frames: int) -> dict[str, float]:
    """GB of Cityscapes' training and validation clips: the archive's bytes a
    frame, times the ratio measured here."""
    frame = ARCHIVE / (SNIPPETS * FRAMES)
    clips = LABELLED * num_frames * frame
    return dict(
        archive=ARCHIVE / 1e9,
        png=clips * sizes['png'] / sizes['loose'] / 1e9,
        jpeg=clips * sizes['jpeg'] / sizes['loose'] / 1e9,
    )


def report(result: dict) -> str:
    height, width = result['size']
    lines = [
        f'T={result["num_frames"]}, {height}x{width}, one core, median of '
        f'{result["rounds"]} samples; fast PNG decoder: '
        f'{"yes" if result["fast_decoder"] else "not installed"}',
        '',
        '| way | ms a sample | ratio | images/s, 0 workers | 2 workers | '
        'MB a sample |',
        '|---|---|---|---|---|---|',
    ]
    for name, row in result['rows'].items():
        lines.append(
            f'| {name} | {row["ms"]:.0f} | {row["ratio"]:.2f} | '
            f'{row["images_s_0"]:.1f} | {row["images_s_2"]:.1f} | '
            f'{row["bytes"] / 1e6:.2f} |'
        )
    gb = result['archive']
    lines += [
        '',
        f"Cityscapes' sequences, {gb['archive']:.0f} GB: the clips of train "
        f'and val with T={result["num_frames"]} are {gb["png"]:.1f} GB as '
        f'PNG, {gb["jpeg"]:.1f} GB as JPEG.',
    ]
    return '\n'.join(lines)


if __name__ == '__main__':
    main()
