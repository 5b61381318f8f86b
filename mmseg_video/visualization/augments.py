"""Training clips under the temporal augmentation of a config, as a picture."""

import random
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS, MODELS
from tqdm import tqdm

from ..datasets import sequence_config
from ..datasets.base_sequence import insert_augments
from ..io.atomic import write_bytes
from .drawing import beside, captioned, overlay

ALWAYS = ('RandomFrameInterval', 'AddFlow', 'AddRefFlow')  # they have no prob


def draw_augments(
    cfg: Config,
    out: str,
    index: int = 0,
    seed: int = 0,
    width: int | None = None,
) -> int:
    """Draw a sample's clip under each augment; returns the number of rows.

    A row for the clip as it is, one for each entry of the dataset's
    ``augments`` and of the preprocessor's ``batch_augments``, each alone and
    certain to happen, and one for the clip as the training sees it. The last
    panel is the label.

    Args:
        cfg (Config): Of a training.
        out (str): The picture to write.
        index (int): Of the sample. Defaults to 0.
        seed (int): Of the draws, the same for each row. Defaults to 0.
        width (int | None): Of a panel, in pixels. Defaults to None, the
            clip's.

    Raises:
        ValueError: If ``out`` has no suffix of an image.
    """
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    dataset = sequence_config(cfg.train_dataloader.dataset)
    augments = dict(dataset.get('augments') or {})
    mixes = cfg.model.data_preprocessor.get('batch_augments') or {}
    built = DATASETS.build(dict(dataset, augments=None))

    def load(augments, index=index):
        built.pipeline = Compose(insert_augments(dataset.pipeline, augments))
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        data = built[index % len(built)]
        return data['inputs'], data['data_samples']

    clips = {'as it is': {}}
    clips |= {name: {name: one} for name, one in _rows_of(augments).items()}
    clips |= {'in training': augments}
    clips = {name: load(chosen) for name, chosen in tqdm(clips.items())}
    for name, mix in _rows_of(mixes).items():
        inputs, samples = zip(
            *(load({}, index + i) for i in (0, 1)), strict=True
        )
        batch = torch.stack(inputs).float()
        mixed, samples = MODELS.build(mix)(batch, list(samples))
        clips[name] = mixed[0], samples[0]
    rows = []
    for name, (inputs, sample) in clips.items():
        row = _panels(inputs, sample, built.metainfo['palette'])
        captions = _titles(name, len(inputs), len(row))
        rows.append(
            [
                captioned(_resized(panel, width), caption)
                for panel, caption in zip(row, captions, strict=True)
            ]
        )
    try:
        encoded = cv2.imencode(Path(out).suffix, _stack(rows))[1]
    except cv2.error:
        raise ValueError(
            f"the picture '{out}' cannot be written: name a .png"
        ) from None
    write_bytes(out, encoded.tobytes())
    return len(rows)


def _rows_of(augments: dict) -> dict[str, dict]:
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


def _flow_panels(sample) -> list[np.ndarray]:
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


def _panels(inputs: torch.Tensor, sample, palette) -> list[np.ndarray]:
    """Frames (T, 3, H, W), the flow where there is one, and the label."""
    frames = [
        np.ascontiguousarray(frame.permute(1, 2, 0).byte().numpy())
        for frame in inputs
    ]
    label = sample.gt_sem_seg.data[0].numpy()
    flow = _flow_panels(sample) if 'ref_flow' in sample else []
    return [*frames, *flow, overlay(frames[-1], label, palette, 0.7)]


def _titles(name: str, num_frames: int, num_panels: int) -> list[str]:
    past = [f't-{num_frames - 1 - t}' for t in range(num_frames - 1)]
    flow = ['flow', 'agreement'] if num_panels > num_frames + 1 else []
    first, *others = [*past, 'key frame', *flow, 'label']
    return [f'{name}: {first}', *others]


def _resized(panel: np.ndarray, width: int | None) -> np.ndarray:
    if width is None:
        return panel
    size = (width, round(panel.shape[0] * width / panel.shape[1]))
    return cv2.resize(panel, size, interpolation=cv2.INTER_AREA)


def _stack(rows: list[list[np.ndarray]]) -> np.ndarray:
    """Rows of panels of one size as one picture, short rows filled up."""
    columns = max(map(len, rows))
    blank = np.full_like(rows[0][0], 28)
    filled = [[*row, *[blank] * (columns - len(row))] for row in rows]
    return beside([panel for row in filled for panel in row], columns)
