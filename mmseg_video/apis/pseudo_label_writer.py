"""Labels of a trained model, for the frames that nobody labelled, on disk."""

import hashlib
import json
import os.path as osp
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from mmengine import Config
from mmseg.registry import DATASETS
from torch import nn
from tqdm import tqdm

from ..datasets import BaseSequenceDataset, sequence_config
from ..datasets.unlabelled_frames import PSEUDO_LABELS
from ..engine.explain import explained
from ..engine.launch import load_config, set_data_root
from ..engine.published import find_checkpoint
from ..io.atomic import write_bytes, write_text
from ..io.json_files import read_object
from .pseudo_label_teachers import FramesAlone, FramesInVideo
from .pseudo_labels import IGNORE, class_thresholds, keep_confident
from .steady import steady
from .video_seg_inferencer import VideoSegInferencer


@dataclass
class PseudoLabelReport:
    """What :func:`write_pseudo_labels` did.

    ``made`` frames were labelled and ``there`` found labelled in ``out``;
    ``kept`` is the part of the new ones' pixels that are above their
    threshold, None without any.
    """

    out: Path
    made: int
    there: int
    kept: float | None


def write_pseudo_labels(
    config: str,
    checkpoint: str | None,
    split: str = 'train',
    out: str | None = None,
    scales: Sequence[float] = (0.75, 1.0, 1.25),
    flip: bool = True,
    offline: bool = False,
    threshold: float = 0.9,
    of_classes: dict[str, float] | None = None,
    confidence: str | None = None,
    every: int = 1,
    part: tuple[int, int] = (1, 1),
    workers: int = 2,
    device: str | None = None,
    amp: bool = False,
    data_root: str | None = None,
    options: dict | None = None,
) -> PseudoLabelReport:
    """Label every unlabelled frame of the config's sequences.

    A frame's label is written under the name that a label has, 255 where the
    model is not sure. What is there is skipped, so a stopped run can be
    started again.

    Args:
        config (str): Path of the teacher's config, which names the data.
        checkpoint (str | None): Path or address of its checkpoint; None for
            the one that is published for the config's name.
        split (str): Of the data. Defaults to 'train'.
        out (str | None): The folder to write. Defaults to None,
            DATA_ROOT/pseudo_labels/SPLIT.
        scales (Sequence[float]): See :func:`ensemble`. Defaults to
            (0.75, 1.0, 1.25).
        flip (bool): See :func:`ensemble`. Defaults to True.
        offline (bool): Instead of scales and mirror images, the filter of
            :func:`steady` that looks at the past and at the future
            (:class:`FramesInVideo`). Defaults to False.
        threshold (float): Least probability at which a pixel is labelled.
            Defaults to 0.9.
        of_classes (dict | None): Thresholds of single classes. Defaults to
            None.
        confidence (str | None): A folder for the probabilities of the labels,
            0 to 255. Defaults to None, not written.
        every (int): Only every so many frames of a sequence. Defaults to 1.
        part (tuple[int, int]): (k, n), the k-th of n parts of the frames, or
            offline of the sequences. Defaults to (1, 1).
        workers (int): Processes that load frames. Defaults to 2.
        device (str | None): Defaults to None, a GPU where there is one.
        amp (bool): Mixed precision. Defaults to False.
        data_root (str | None): Defaults to None, the config's.
        options (dict | None): Merged into the config for the data.

    Raises:
        ValueError: If there are no unlabelled frames, the teacher has other
            classes or, offline, no filter, a scale is none, or the folder has
            labels of other settings, or is that of the confidence.
    """
    if (
        confidence is not None
        and out
        and osp.realpath(out) == osp.realpath(confidence)
    ):
        raise ValueError(
            f"'{out}' is to hold labels and their confidence, under the same "
            'names: give two folders'
        )
    cfg = load_config(config, options)
    checkpoint = find_checkpoint(checkpoint, config)
    set_data_root(cfg, data_root)
    if offline:
        teacher = FramesInVideo(
            steady(
                (config, checkpoint),
                filter='flow',
                device=device,
                amp=amp,
                probabilities=True,
            )
        )
    else:
        inferencer = VideoSegInferencer(config, checkpoint, device, amp)
        teacher = FramesAlone(inferencer, scales, flip, amp)
    inferencer = teacher.inferencer
    dataset = build_dataset(cfg, split)
    classes = dataset.metainfo['classes']
    _check_classes(classes, inferencer.classes)
    thresholds = class_thresholds(classes, threshold, of_classes or {})
    names = unlabelled_frames(dataset, every)
    if not names:
        raise ValueError(
            f"'{dataset.data_prefix['img_path']}' has no unlabelled frames"
        )
    out = Path(out or osp.join(dataset.data_root, 'pseudo_labels', split))
    settings = dict(
        classes=list(classes),
        weights=_digest(inferencer.model),
        **teacher.settings,
        every=every,
        thresholds=[round(t, 6) for t in thresholds.tolist()],
    )
    _claim(out, settings)
    folders = [out] if confidence is None else [out, Path(confidence)]
    units = teacher.units(dataset, list(names))[part[0] - 1 :: part[1]]
    mine = [index for unit in units for index in unit]
    todo = [
        i for i in mine if not all((f / names[i]).exists() for f in folders)
    ]
    kept = pixels = 0
    labelled = teacher.probabilities(dataset, todo, workers)
    for index, probabilities in tqdm(
        labelled, 'frames', len(todo), disable=not todo
    ):
        label, sure = keep_confident(probabilities, thresholds)
        kept += int((label != IGNORE).sum())
        pixels += label.size
        if dataset.reduce_zero_label:
            # On disk 0 is void there.
            label = np.where(label == IGNORE, 0, label + 1)
        if confidence is not None:
            write_bytes(folders[1] / names[index], _png(sure))
        # Last: this file says that the frame is done.
        write_bytes(out / names[index], _png(label))
    return PseudoLabelReport(
        out,
        len(todo),
        len(mine) - len(todo),
        kept / pixels if pixels else None,
    )


def build_dataset(cfg: Config, split: str) -> BaseSequenceDataset:
    """Every frame of the split in order, as in a test, without labels.

    Raises:
        ValueError: If the config has no sequences there.
    """
    loader = cfg.get(f'{split}_dataloader')
    if loader is None:
        raise ValueError(f"'{cfg.filename}' has no {split}_dataloader")
    dataset = sequence_config(loader.dataset)
    if 'data_prefix' not in dataset or 'num_frames' not in dataset:
        raise ValueError(
            f'{split}_dataloader.dataset is no sequence dataset: there are '
            'no frames beside the labelled ones'
        )
    dataset.update(mode='stream', num_frames=1, frame_interval=1)
    # The teacher sees clean frames. An empty dict would merge with what is
    # there.
    dataset['augments'] = None
    dataset.data_prefix.pop('seq_seg_map_path', None)
    dataset.pipeline = [
        transform
        for transform in cfg.test_dataloader.dataset.pipeline
        if 'Annotations' not in transform['type']
    ]
    with explained(cfg):
        return DATASETS.build(dataset)


def unlabelled_frames(
    dataset: BaseSequenceDataset, every: int = 1
) -> dict[int, str]:
    """Index -> the name of its label, relative to the labels' folder."""
    names, sequence, place = {}, None, 0
    for i in range(len(dataset)):
        info = dataset.get_data_info(i)
        place = place + 1 if info['sequence'] == sequence else 0
        sequence = info['sequence']
        if info['seg_map_path'] is None and place % every == 0:
            names[i] = dataset.label_name(info['img_path'])
    return names


def _check_classes(ours: Sequence[str], theirs: Sequence[str] | None) -> None:
    if tuple(ours) != tuple(theirs or ours):
        differ = sorted(set(ours) ^ set(theirs)) or 'their order'
        raise ValueError(
            f'the teacher knows {len(theirs)} classes, the data has '
            f'{len(ours)}, and they differ ({differ}): label the data with a '
            'teacher of its classes'
        )


def _digest(model: nn.Module) -> str:
    """SHA-256 of a model's tensors, wherever their file lies."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()


def _claim(out: Path, settings: dict) -> None:
    """Write the settings, or check that they are the same."""
    path = out / PSEUDO_LABELS
    if not path.exists():
        write_text(path, json.dumps(settings, indent=1))
        return
    found = read_object(path, 'give another --out, or remove it')
    differ = [key for key in settings if found.get(key) != settings[key]]
    if differ:
        raise ValueError(
            f"'{out}' has labels made with other settings "
            f'({", ".join(differ)}): give another --out, or remove it'
        )


def _png(image: np.ndarray) -> bytes:
    return cv2.imencode('.png', image)[1].tobytes()
