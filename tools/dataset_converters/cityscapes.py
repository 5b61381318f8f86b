"""Makes Cityscapes' ``*_gtFine_labelTrainIds.png``, the labels to train on.

From ``*_labelIds.png`` where they are there, else from the polygons::

    python tools/dataset_converters/cityscapes.py data/cityscapes

What is made already is skipped, so an interrupted run can be started again.
"""

import argparse
import os
import tempfile
from functools import partial
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from cityscapesscripts.helpers.annotation import Annotation
from cityscapesscripts.helpers.labels import id2label
from cityscapesscripts.preparation.json2labelImg import createLabelImage
from PIL import Image
from tqdm import tqdm

IDS = '_gtFine_labelIds.png'
POLYGONS = '_gtFine_polygons.json'
TRAIN_IDS = '_gtFine_labelTrainIds.png'


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
    return createLabelImage(annotation, 'trainIds')


def convert(source: Path, target: Path) -> None:
    """Write one label image, whole or not at all.

    Raises:
        RuntimeError: With the source's path, if it cannot be read.
    """
    read = from_polygons if source.name.endswith(POLYGONS) else from_label_ids
    try:
        label = read(source)
    # cityscapesscripts exits on a label it does not know; in a worker that
    # would hang the pool.
    except (Exception, SystemExit) as error:
        raise RuntimeError(
            f"cannot convert '{source}': {type(error).__name__}: {error}"
        ) from error
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp('.tmp', '.', target.parent)
    try:
        with os.fdopen(handle, 'wb') as file:
            label.save(file, format='PNG')
        # mkstemp's files are private; labels are shared as images are.
        os.chmod(temporary, source.stat().st_mode & 0o666)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def convert_pair(pair: tuple[Path, Path]) -> None:
    convert(*pair)


def find_sources(folder: Path) -> dict[str, Path]:
    """Stem of a label, relative to the folder, to what it is made from."""
    sources = {}
    # Label ids come last: they are the faster of the two.
    for suffix in (POLYGONS, IDS):
        for path in sorted(folder.rglob(f'*{suffix}')):
            stem = str(path.relative_to(folder))[: -len(suffix)]
            sources[stem] = path
    return sources


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('root', type=Path, help='the folder with gtFine')
    parser.add_argument(
        '--out', type=Path, help='where to write, instead of ROOT/gtFine'
    )
    parser.add_argument(
        '--workers',
        type=int,
        default=os.cpu_count(),
        help='processes (default: one per core)',
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    if args.workers < 1:
        raise SystemExit(f'--workers must be >= 1, got {args.workers}')
    folder = args.root / 'gtFine'
    if not folder.is_dir():
        raise SystemExit(
            f"no folder '{folder}': ROOT must hold gtFine, as unpacked from "
            'gtFine_trainvaltest.zip'
        )
    sources = find_sources(folder)
    if not sources:
        raise SystemExit(
            f"nothing to convert in '{folder}': expected "
            f'SPLIT/CITY/*{IDS} or *{POLYGONS}'
        )
    out = args.out or folder
    pairs = [
        (source, out / f'{stem}{TRAIN_IDS}')
        for stem, source in sorted(sources.items())
    ]
    todo = [pair for pair in pairs if not pair[1].is_file()]
    progress = partial(tqdm, total=len(todo), disable=not todo)
    try:
        if args.workers == 1:
            for pair in progress(todo):
                convert_pair(pair)
        else:
            with Pool(args.workers) as pool:
                for _ in progress(pool.imap_unordered(convert_pair, todo)):
                    pass
    except RuntimeError as error:
        raise SystemExit(str(error)) from error
    print(
        f'{len(todo)} labels made, {len(pairs) - len(todo)} were there, in '
        f"'{out}'"
    )


if __name__ == '__main__':
    main()
