"""Whether each family of MMSegmentation streams, becomes recurrent, trains.

    python tools/dev/check_zoo.py                  # all families
    python tools/dev/check_zoo.py --only pidnet beit
    python tools/dev/check_zoo.py --export         # and as ONNX

One config of each family, with random weights, in a process of its own:
frames of 270x482 go through ``steady``, and through ``RecurrentUNet`` with a
``ConvRNNNeck`` on all that the backbone gives; that takes a training step.
Writes table.json and table.md into work_dirs/results/zoo. What is there is not
run again, unless its family is named: --export adds to the families that
stream.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from mmseg_video.cli.arguments import tool_parser

ROOT = Path(__file__).parents[2]
SIZE, NUM_FRAMES = (270, 482), 3
# A config with the first of these in its name is taken, if there is one.
SMALL = (
    *('mobilenet', 'mit-b0', 'mscan-t', 'hr18s', 'r18', 'r50', 'tiny', '-t'),
    *('vit-s', 's12', '-s_', 'vit-b', 'base'),
)
# What LRASPP's fixed pooling needs at least, and what the others train on.
LRASPP, LEAST = (416, 512), (128, 256)
PARTS = dict(
    stream=('steady', 'recurrent', 'trains'),
    export=('exports', 'exports for one size'),
)


def parse_args():
    parser = tool_parser(__doc__)
    parser.add_argument(
        '--only', nargs='+', default=[], help='names of families'
    )
    parser.add_argument('--export', action='store_true')
    parser.add_argument('--timeout', type=float, default=600, help='seconds')
    parser.add_argument(
        '--out', type=Path, default=ROOT / 'work_dirs' / 'results' / 'zoo'
    )
    parser.add_argument('--one', help=argparse.SUPPRESS)
    parser.add_argument('--parts', nargs='+', help=argparse.SUPPRESS)
    return parser.parse_args()


def families() -> dict[str, str]:
    """Family -> name of a small model of it, Cityscapes' where it has any."""
    from mmseg_video.apis.segmentors import MIM, zoo

    found: dict[str, list[str]] = {
        path.name: []
        for path in sorted((MIM / 'configs').iterdir())
        if path.name not in ('_base_', 'dsdl')
    }
    for name, entry in zoo().items():
        family = Path(entry['Config']).parent.name
        if (MIM / entry['Config']).is_file():
            found.setdefault(family, []).append(name)
    return {
        family: min(names, key=_effort)
        for family, names in found.items()
        if names
    }


def _effort(name: str) -> tuple:
    sizes = [i for i, part in enumerate(SMALL) if part in name]
    return min(sizes, default=len(SMALL)), 'cityscapes' not in name, name


def check(name: str, parts: list[str]) -> Iterator[dict]:
    """What holds of a model of the zoo, after each column: column -> seconds,
    or why not.

    Args:
        name (str): Of the model.
        parts (list[str]): Keys of PARTS.
    """
    import torch
    from mmengine.registry import init_default_scope

    from mmseg_video.apis.segmentors import build_segmentor, find_in_zoo
    from mmseg_video.engine.launch import revert_sync_bn
    from mmseg_video.engine.pretrained import fetch_nothing

    init_default_scope('mmseg')
    torch.manual_seed(0)
    row = dict(model=name)
    try:
        config = find_in_zoo(name)[0].model
        revert_sync_bn(config)
        fetch_nothing(config)
        net = build_segmentor(config)
    except Exception as error:  # whatever a library that is not there raises
        yield row | dict(builds=_why(error))
        return
    row |= dict(builds='', parameters=sum(p.numel() for p in net.parameters()))
    yield row
    if 'stream' in parts:
        row['steady'] = _timed(lambda: stream_steadied(net))
        yield row
        try:
            recurrent = make_recurrent(config, net)
        except Exception as error:
            row |= dict.fromkeys(('recurrent', 'trains'), _why(error))
        else:
            row['recurrent'] = _timed(lambda: stream(recurrent))
            yield row
            row['trains'] = _timed(lambda: train(recurrent))
            del recurrent
        yield row
    if 'export' in parts:
        row['exports'] = _timed(lambda: export_steadied(net))
        if isinstance(row['exports'], float):
            row['exports for one size'] = row['exports']
        yield row
        if isinstance(row['exports'], str):
            row['exports for one size'] = _timed(
                lambda: export_steadied(net, crop_of(net))
            )
            yield row


def _timed(run) -> float | str:
    start = time.perf_counter()
    try:
        run()
    except Exception as error:
        if os.environ.get('MMSEG_VIDEO_DEBUG'):
            raise
        return _why(error)
    return round(time.perf_counter() - start, 2)


def _why(error: Exception) -> str:
    lines = str(error).strip().splitlines() or ['']
    return f'{type(error).__name__}: {lines[0]}'[:200]


def frames():
    """Neighbouring views of a picture, (H, W, 3) uint8."""
    import cv2
    import numpy as np

    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (34, 64, 3), np.uint8)
    height, width = SIZE
    wide = cv2.resize(coarse, (width + 4 * NUM_FRAMES, height))
    return [wide[:, 4 * t : 4 * t + width].copy() for t in range(NUM_FRAMES)]


def names_of(model) -> list[str]:
    return [f'class {i}' for i in range(model.num_classes)]


def look(inferencer) -> None:
    for prediction in inferencer.predict(frames()):
        if prediction.label.shape != SIZE:
            raise ValueError(f'labels of {prediction.label.shape}')


def stream_steadied(net) -> None:
    from mmseg_video.apis import steady

    look(steady(net, names_of(net), device='cpu', smallest=crop_of(net)))


def export_steadied(net, only_size=None) -> None:
    import tempfile

    import numpy as np

    from mmseg_video.apis import steady
    from mmseg_video.deployment.onnx import export_checked

    video = steady(net, names_of(net), device='cpu', smallest=crop_of(net))
    # A net that fails on odd sizes is padded from here on.
    size = only_size or (97, 163)
    video.predict_frame(np.zeros((*size, 3), np.uint8))
    with tempfile.TemporaryDirectory() as folder:
        export_checked(
            video.model,
            Path(folder, 'net.onnx'),
            list(video.classes),
            video.palette,
            video.flow,
            num_frames=3,  # the last one propagated
            size=(256, 512),
            only_size=only_size,
        )


def make_recurrent(config, net):
    """The config with the README's lines: a neck on all maps."""
    import torch
    from mmseg.registry import MODELS
    from torch.utils._pytree import tree_leaves

    if not hasattr(net, 'backbone'):
        raise ValueError(
            f'{type(net).__name__} has no one backbone that a neck could '
            'stand behind'
        )
    with torch.no_grad():
        maps = tree_leaves(net.backbone(torch.randn(1, 3, *crop_of(net))))
    channels = [leaf.shape[1] for leaf in maps if leaf.ndim == 4]
    neck = dict(type='ConvRNNNeck', in_channels=channels, hidden_ratio=1 / 16)
    clips = dict(
        config.data_preprocessor,
        type='ClipDataPreProcessor',
        test_cfg=dict(size_divisor=32),
    )
    if crop_of(net) == LRASPP:
        clips['test_cfg'] = dict(size=(416, 512))
    config = dict(config, type='RecurrentUNet', data_preprocessor=clips)
    own = config.get('neck')
    config['neck'] = neck if own is None else [neck, own]
    return MODELS.build(config).eval()


def crop_of(net) -> tuple[int, int]:
    """What the net trains on, or something small."""
    test_cfg = net.test_cfg or {}
    if test_cfg.get('mode') == 'slide':
        return tuple(test_cfg['crop_size'])
    return LRASPP if 'LRASPP' in type(net.decode_head).__name__ else LEAST


def stream(model) -> None:
    from mmseg_video.apis import VideoSegInferencer

    palette = [[0, 0, 0]] * model.num_classes
    look(
        VideoSegInferencer.from_model(
            model, names_of(model), palette, device='cpu'
        )
    )


def train(model) -> None:
    """One step on two clips of two frames, of windows on one."""
    import torch
    from mmengine.structures import PixelData
    from mmseg.structures import SegDataSample
    from torch.nn.modules.batchnorm import _BatchNorm

    size = crop_of(model)
    num = 2 if size == LEAST else 1
    samples = [
        SegDataSample(
            gt_sem_seg=PixelData(
                data=torch.randint(model.num_classes, (1, *size))
            ),
            gt_edge_map=PixelData(data=torch.randint(2, (1, *size))),
            metainfo=dict(img_shape=size, ori_shape=size),
        )
        for _ in range(num)
    ]
    model.train()
    for module in model.modules():
        # One clip leaves pooled maps of one value.
        if num == 1 and isinstance(module, _BatchNorm):
            module.eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    losses = model.loss(torch.randn(num, 2, 3, *size), samples)
    loss = sum(v.mean() for k, v in losses.items() if 'loss' in k)
    loss.backward()
    rnns = [p for k, p in model.named_parameters() if '.rnns.' in k]
    if not any(p.grad is not None and p.grad.any() for p in rnns):
        raise ValueError('no gradient reaches the neck')
    optimizer.step()
    if not all(p.isfinite().all() for p in model.parameters()):
        raise ValueError('a parameter is not finite')


def run_one(name: str, parts: list[str], timeout: float) -> dict:
    """The same in a process of its own, whose memory is free again."""
    command = [sys.executable, __file__, '--one', name, '--parts', *parts]
    why = ''
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, cwd=ROOT
        )
        output = done.stdout
        if done.returncode:
            ends = done.stderr.strip().splitlines() or ['']
            why = f'exit status {done.returncode}: {ends[-1]}'
        if done.returncode < 0:
            why = f'killed by signal {-done.returncode}: out of memory?'
    except subprocess.TimeoutExpired as error:
        output = (error.stdout or b'').decode()
        why = f'more than {timeout:.0f} s'
    rows = [line for line in output.splitlines() if line.startswith('{"')]
    row = json.loads(rows[-1]) if rows else dict(model=name, builds=why)
    if row['builds']:
        return row
    columns = [column for part in parts for column in PARTS[part]]
    return dict.fromkeys(columns, why) | row if why else row


def left_of(row: dict | None, export: bool) -> list[str]:
    """Which parts there are to run of a family, of which a row may be there.

    What does not stream is not exported.
    """
    if row is None:
        return ['stream', 'export'] if export else ['stream']
    streams = isinstance(row.get('steady'), float)
    return ['export'] if export and streams and 'exports' not in row else []


def table(rows: dict[str, dict]) -> str:
    """The Markdown of it."""
    from mmseg_video.experiments.output import markdown_table

    shown = [
        column
        for column in itertools.chain(*PARTS.values())
        if any(column in row for row in rows.values())
    ]
    built = [row for row in rows.values() if not row['builds']]
    good = [_count(column, built) for column in shown]
    head = ('family', 'model', 'M parameters', *shown)
    lines = [
        (
            family,
            row['model'],
            row.get('parameters', 0) / 1e6 or row['builds'],
            *(
                'yes' if isinstance(value, float) else value
                for value in (row.get(column, '') for column in shown)
            ),
        )
        for family, row in sorted(rows.items())
    ]
    return (
        f'Of {len(rows)} families {len(built)} build here: '
        f'{", ".join(good)}.\n\n{markdown_table(head, lines)}'
    )


def _count(column: str, built: list[dict]) -> str:
    """Of how many families it holds, of those that were looked at."""
    tried = [row[column] for row in built if column in row]
    count = f'{column} {sum(isinstance(value, float) for value in tried)}'
    return count + f' of {len(tried)} tried' * (len(tried) < len(built))


def main():
    args = parse_args()
    if args.one:
        for row in check(args.one, args.parts):
            print(json.dumps(row), flush=True)
        return
    from mmseg_video.io.atomic import write_text

    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / 'table.json'
    rows = json.loads(path.read_text()) if path.is_file() else {}
    known = families()
    unknown = [name for name in args.only if name not in known]
    if unknown:
        sys.exit(f"error: no family '{unknown[0]}': {', '.join(known)}")
    for family, name in known.items():
        if args.only and family not in args.only:
            continue
        before = None if args.only else rows.get(family)
        parts = left_of(before, args.export)
        if not parts:
            continue
        row = (before or {}) | run_one(name, parts, args.timeout)
        # Another process may have added to it.
        rows = json.loads(path.read_text()) if path.is_file() else {}
        rows[family] = row
        write_text(path, json.dumps(rows, indent=1, sort_keys=True) + '\n')
        write_text(args.out / 'table.md', table(rows))
        print(family, json.dumps(rows[family]), flush=True)


if __name__ == '__main__':
    main()
