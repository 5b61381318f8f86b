"""How many pixels of each class each label map of a dataset has."""

import json
import logging
import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from mmengine.logging import print_log
from tqdm import tqdm

from ..io.atomic import write_text
from .base_sequence import BaseSequenceDataset
from .transforms import LoadClipAnnotations


def class_pixels(
    dataset: BaseSequenceDataset, cache_dir: str | None = None
) -> np.ndarray:
    """Pixels (samples, classes) int64 of each class in each sample's labels.

    Counted once, at the labels' own size, and kept in ``cache_dir`` in a file
    whose name depends on the labels: on their names, and on the size and time
    of local files. Samples without labels have none.

    Args:
        dataset (BaseSequenceDataset): Its pipeline is not run.
        cache_dir (str | None): Defaults to None, counted anew.
    """
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    num_classes = len(dataset.metainfo['classes'])
    path = None
    if cache_dir is not None:
        path = Path(cache_dir, f'{_name(infos, num_classes)}.json')
        counts = _read(path, (len(infos), num_classes))
        if counts is not None:
            return counts
    load = LoadClipAnnotations(backend_args=dataset.backend_args)

    def count(info):
        if info.get('seg_map_path') is None:
            return np.zeros(num_classes, np.int64)
        label = load.load_ids({**info, 'seg_fields': []})
        return np.bincount(label.ravel(), minlength=256)[:num_classes]

    # Threads: decoding releases the interpreter's lock.
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        counts = np.stack(
            list(
                tqdm(
                    pool.map(count, infos),
                    total=len(infos),
                    desc='classes of the labels',
                    disable=None,
                )
            )
        )
    if path is not None:
        text = json.dumps(dict(pixels=counts.tolist()))
        write_text(path, text)
        print_log(f"class statistics are kept in '{path}'", 'current')
    return counts


def _name(infos: list[dict], num_classes: int) -> str:
    """A name for the labels: their files, not where this machine has them."""
    names = [_label(info.get('seg_map_path')) for info in infos]
    maps = sorted((infos[0].get('label_map') or {}).items()) if infos else []
    text = '\n'.join([*names, str(maps), str(infos[0]['reduce_zero_label'])])
    return f'{len(infos)}x{num_classes}_{zlib.crc32(text.encode()):08x}'


def _label(path: str | None) -> str:
    """The end of a label's path, with the size and time of a local file."""
    end = '/'.join(str(path).replace('\\', '/').split('/')[-3:])
    if path is None:
        return end
    try:
        found = os.stat(path)
    except OSError:
        # Another backend's; where the file is missing, the loading tells.
        return end
    # Other labels may have the same names: made again, or of another seed.
    return f'{end} {found.st_size} {found.st_mtime_ns}'


def _read(path: Path, shape: tuple[int, int]) -> np.ndarray | None:
    """The cached counts, None where they are not there or broken."""
    if not path.exists():
        return None
    try:
        counts = np.array(json.loads(path.read_text())['pixels'], np.int64)
    except (ValueError, KeyError, TypeError):
        counts = None
    if counts is None or counts.shape != shape:
        print_log(
            f"'{path}' is broken: the labels are counted again",
            'current',
            logging.WARNING,
        )
        return None
    return counts
