"""Draw training clips under each temporal augmentation of a config.

python tools/show_augments.py configs/rnn_unet_augmented_street.py augments.png

A row for the clip as it is, one for each entry of the dataset's `augments`
and of the preprocessor's `batch_augments`, each alone and certain to happen,
and one for the clip as the training sees it. The last panel is the label.
"""

import argparse
import random

import cv2
import numpy as np
import torch
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS, MODELS
from tqdm import tqdm

from mmseg_video.datasets.base_sequence import insert_augments
from mmseg_video.engine.arguments import CfgOptions, set_data_root
from mmseg_video.engine.launch import cli, load_config
from mmseg_video.visualization import beside, captioned, overlay

ALWAYS = ('RandomFrameInterval', 'AddFlow')  # they have no prob


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config')
    parser.add_argument('out', help='the picture to write')
    parser.add_argument('--index', type=int, default=0, help='of the sample')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--width', type=int, help='of a panel, in pixels')
    parser.add_argument('--data-root', help="instead of the config's")
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions)
    return parser.parse_args()


def rows_of(augments: dict) -> dict[str, dict]:
    """Name of a row -> the one augment in it, which happens if it can."""
    rows = {}
    for name, augment in augments.items():
        if augment is None:
            continue
        takes_prob = augment['type'] not in ALWAYS
        rows[name] = dict(augment, prob=1.0) if takes_prob else augment
        if augment.get('ref_prob'):
            rows[f'{name}, ref frames'] = dict(augment, prob=0, ref_prob=1.0)
    return rows


def flow_panels(sample) -> list[np.ndarray]:
    """Flow as colours, and how well the frames agree, (H, W, 3) each."""
    dx, dy, agreement = sample.ref_flow.data.numpy()
    length, angle = cv2.cartToPolar(dx, dy, angleInDegrees=True)
    scale = 255 / max(1.0, float(np.percentile(length, 99)))
    hsv = np.stack(
        [angle / 2, np.full_like(angle, 255), np.minimum(length * scale, 255)],
        axis=-1,
    )
    colours = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2BGR)
    grey = (agreement * 255).astype(np.uint8)
    return [colours, cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)]


def panels(inputs: torch.Tensor, sample, palette) -> list[np.ndarray]:
    """Frames (T, 3, H, W), the flow where there is one, and the label."""
    frames = [
        np.ascontiguousarray(frame.permute(1, 2, 0).byte().numpy())
        for frame in inputs
    ]
    label = sample.gt_sem_seg.data[0].numpy()
    flow = flow_panels(sample) if 'ref_flow' in sample else []
    return [*frames, *flow, overlay(frames[-1], label, palette, 0.7)]


def titles(name: str, num_frames: int, num_panels: int) -> list[str]:
    past = [f't-{num_frames - 1 - t}' for t in range(num_frames - 1)]
    flow = ['flow', 'agreement'] if num_panels > num_frames + 1 else []
    first, *others = [*past, 'key frame', *flow, 'label']
    return [f'{name}: {first}', *others]


def resized(panel: np.ndarray, width: int | None) -> np.ndarray:
    if width is None:
        return panel
    size = (width, round(panel.shape[0] * width / panel.shape[1]))
    return cv2.resize(panel, size, interpolation=cv2.INTER_AREA)


def stack(rows: list[list[np.ndarray]]) -> np.ndarray:
    """Rows of panels of one size as one picture, short rows filled up."""
    columns = max(map(len, rows))
    blank = np.full_like(rows[0][0], 28)
    filled = [[*row, *[blank] * (columns - len(row))] for row in rows]
    return beside([panel for row in filled for panel in row], columns)


@cli
def main():
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    set_data_root(cfg, args.data_root)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    dataset = cfg.train_dataloader.dataset
    augments = dict(dataset.get('augments') or {})
    mixes = cfg.model.data_preprocessor.get('batch_augments') or {}
    built = DATASETS.build(dict(dataset, augments=None))
    palette = built.metainfo['palette']

    def load(augments, index=args.index):
        built.pipeline = Compose(insert_augments(dataset.pipeline, augments))
        random.seed(args.seed)
        np.random.seed(args.seed)
        torch.manual_seed(args.seed)
        data = built[index % len(built)]
        return data['inputs'], data['data_samples']

    clips = {'as it is': {}}
    clips |= {name: {name: one} for name, one in rows_of(augments).items()}
    clips |= {'in training': augments}
    clips = {name: load(chosen) for name, chosen in tqdm(clips.items())}
    for name, mix in rows_of(mixes).items():
        inputs, samples = zip(
            *(load({}, args.index + i) for i in (0, 1)), strict=True
        )
        batch = torch.stack(inputs).float()
        mixed, samples = MODELS.build(mix)(batch, list(samples))
        clips[name] = mixed[0], samples[0]
    rows = []
    for name, (inputs, sample) in clips.items():
        row = panels(inputs, sample, palette)
        captions = titles(name, len(inputs), len(row))
        rows.append(
            [
                captioned(resized(panel, args.width), caption)
                for panel, caption in zip(row, captions, strict=True)
            ]
        )
    if not cv2.imwrite(args.out, stack(rows)):
        raise OSError(f"the picture '{args.out}' cannot be written")
    print(f"{len(rows)} rows: '{args.out}'")


if __name__ == '__main__':
    main()
