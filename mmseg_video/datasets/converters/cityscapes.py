"""Cityscapes' ``*_gtFine_labelTrainIds.png``, the labels to train on, from its
label ids or polygons."""

from functools import partial
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from cityscapesscripts.helpers.annotation import Annotation
from cityscapesscripts.helpers.labels import id2label
from cityscapesscripts.preparation.json2labelImg import createLabelImage
from PIL import Image
from tqdm import tqdm

from ...io.atomic import atomic_path

IDS = '_gtFine_labelIds.png'
POLYGONS = '_gtFine_polygons.json'
TRAIN_IDS = '_gtFine_labelTrainIds.png'


def convert_cityscapes(
    root: Path, out: Path | None = None, workers: int = 1
) -> tuple[int, int, Path]:
    """Make the labels of train ids; returns how many were made, how many were
    there, and the folder.

    From ``*_labelIds.png`` where they are there, else from the polygons. What
    is made already is skipped, so an interrupted run can be started again.

    Args:
        root (Path): The folder with gtFine.
        out (Path | None): Where to write. Defaults to None, ``root``/gtFine.
        workers (int): Processes. Defaults to 1.

    Raises:
        FileNotFoundError: If there is nothing to convert.
        RuntimeError: With the path of what cannot be converted.
    """
    folder = root / 'gtFine'
    if not folder.is_dir():
        raise FileNotFoundError(
            f"no folder '{folder}': ROOT must hold gtFine, as unpacked from "
            'gtFine_trainvaltest.zip'
        )
    sources = find_sources(folder)
    if not sources:
        raise FileNotFoundError(
            f"nothing to convert in '{folder}': expected "
            f'SPLIT/CITY/*{IDS} or *{POLYGONS}'
        )
    out = out or folder
    pairs = [
        (source, out / f'{stem}{TRAIN_IDS}')
        for stem, source in sorted(sources.items())
    ]
    todo = [pair for pair in pairs if not pair[1].is_file()]
    progress = partial(tqdm, total=len(todo), disable=not todo)
    if workers == 1:
        for pair in progress(todo):
            _convert_pair(pair)
    else:
        with Pool(workers) as pool:
            for _ in progress(pool.imap_unordered(_convert_pair, todo)):
                pass
    return len(todo), len(pairs) - len(todo), out


def find_sources(folder: Path) -> dict[str, Path]:
    """Stem of a label, relative to the folder, to what it is made from."""
    sources = {}
    # Label ids come last: they are the faster of the two.
    for suffix in (POLYGONS, IDS):
        for path in sorted(folder.rglob(f'*{suffix}')):
            stem = str(path.relative_to(folder))[: -len(suffix)]
            sources[stem] = path
    return sources


def from_label_ids(path: Path) -> Image.Image:
    """Train ids (H, W), 8 bit, from the label ids (H, W)."""
    ids = np.asarray(Image.open(path))
    if ids.ndim != 2 or ids.dtype != np.uint8:
        raise ValueError(
            f'8-bit ids (H, W) expected, got {ids.dtype} with '
            f'shape {ids.shape}'
        )
    table = np.full(256, 255, np.uint8)
    known = np.zeros(256, bool)
    for label in id2label.values():
        # The license plate, -1 in both, is ignored.
        known[label.id % 256] = True
        table[label.id % 256] = label.trainId % 256
    unknown = np.unique(ids[~known[ids]]).tolist()
    if unknown:
        raise ValueError(
            f"the ids {unknown} are none of Cityscapes' (0 to "
            '33, 255 for the license plate)'
        )
    return Image.fromarray(table[ids])


def from_polygons(path: Path) -> Image.Image:
    """Train ids (H, W), 8 bit, from the annotators' polygons."""
    annotation = Annotation()
    annotation.fromJsonFile(str(path))
    for thing in annotation.objects:
        if not np.isfinite(np.array(thing.polygon, float)).all():
            raise ValueError(
                f"a polygon of '{thing.label}' has a point that is no number"
            )
    return createLabelImage(annotation, 'trainIds')


def _convert_pair(pair: tuple[Path, Path]) -> None:
    """Write one label image, whole or not at all."""
    source, target = pair
    read = from_polygons if source.name.endswith(POLYGONS) else from_label_ids
    try:
        label = read(source)
    # cityscapesscripts exits on a label it does not know; in a worker that
    # would hang the pool.
    except (Exception, SystemExit) as error:
        raise RuntimeError(
            f"cannot convert '{source}': {type(error).__name__}: {error}"
        ) from error
    with atomic_path(target) as temporary:
        label.save(temporary, format='PNG')
