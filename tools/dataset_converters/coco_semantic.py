"""Makes semantic maps of COCO's ``instances_*.json``, to pretrain on.

    python tools/dataset_converters/coco_semantic.py data/coco

reads ``annotations/instances_SPLIT.json`` and the sizes of the images in
``SPLIT/``, and writes ``semantic/SPLIT/000000000009.png``: 8 bit, a pixel is
its object's category id, 1 to 90; 0 where no object is (the background, the
91st class); 255 in crowds, to be ignored. Where objects overlap, the smaller
one is drawn last; crowds are drawn first, under all objects.

What is made already is skipped, so an interrupted run can be started again.
"""

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterator
from functools import partial
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from mmseg_video.engine.arguments import at_least
from mmseg_video.engine.atomic_backend import AtomicLocalBackend
from mmseg_video.engine.launch import cli

try:
    from pycocotools import mask as coco_mask
except ImportError:
    raise SystemExit(
        'error: pycocotools is not installed: pip install pycocotools'
    ) from None

BACKGROUND, CROWD, LAST_ID = 0, 255, 90
# Annotators' corners may lie on the border, and rounding puts some behind it.
TOLERANCE = 1.0  # pixels
# What a field may be, and its name in a sentence.
WHOLE = ((int,), 'a whole number')
NUMBER = ((int, float), 'a number')
STRING = ((str,), 'a string')
IMAGE_ID = ((int, float, str), 'a number or a string')
NEEDED = dict(
    images=dict(id=IMAGE_ID, file_name=STRING, height=WHOLE, width=WHOLE),
    annotations=dict(
        id=None, image_id=IMAGE_ID, category_id=NUMBER, segmentation=None
    ),
    categories=dict(id=NUMBER, name=None),
)


def read_annotations(path: Path) -> dict:
    """The content of an ``instances_*.json``.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it breaks off, lacks what is needed, or has a field
            of another type.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"no annotations '{path}': unpack annotations_trainval2017.zip "
            'there, or name other splits by --splits'
        )
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(
            f"the annotations '{path}' are no whole JSON "
            f'({path.stat().st_size} bytes; {error}): copy the file again'
        ) from None
    for key, fields in NEEDED.items():
        rows = content.get(key) if isinstance(content, dict) else None
        if not isinstance(rows, list):
            raise ValueError(
                f"the annotations '{path}' have no list '{key}': COCO's "
                f'instances_*.json has {", ".join(NEEDED)}'
            )
        for row in rows:
            if not isinstance(row, dict):
                raise ValueError(
                    f"'{path}': an entry of '{key}' is {row!r}, not an object"
                )
            lacking = [f for f in fields if f not in row]
            if lacking:
                raise ValueError(
                    f"'{path}': an entry of '{key}' (id {row.get('id', '?')}) "
                    f"has no '{lacking[0]}'"
                )
            for field, kind in fields.items():
                # Not isinstance(): true and false would be whole numbers.
                if kind and type(row[field]) not in kind[0]:
                    raise ValueError(
                        f"'{path}': an entry of '{key}' (id {row['id']}) has "
                        f'{field} {row[field]!r}, which is not {kind[1]}: '
                        'correct the file'
                    )
    for key in ('images', 'categories'):
        if not content[key]:
            raise ValueError(f"the annotations '{path}' have no {key}")
    return content


def by_image(content: dict, path: Path) -> list[tuple[dict, list[dict]]]:
    """(image, its annotations) for every image.

    Raises:
        ValueError: If an annotation is of no image or category of the file,
            or a category's id is none of COCO's.
    """
    images = {image['id']: (image, []) for image in content['images']}
    names = {c['id']: c['name'] for c in content['categories']}
    outside = [i for i in names if i not in range(1, LAST_ID + 1)]
    if outside:
        raise ValueError(
            f"'{path}': category {outside[0]} ('{names[outside[0]]}') is none "
            f"of COCO's, whose ids in instances_*.json are 1 to {LAST_ID}"
        )
    for annotation in content['annotations']:
        for key, known in (('image_id', images), ('category_id', names)):
            if annotation[key] not in known:
                raise ValueError(
                    f"'{path}': annotation {annotation['id']} has {key} "
                    f'{annotation[key]}, which the file does not list'
                )
        images[annotation['image_id']][1].append(annotation)
    return list(images.values())


def read_runs(counts: list | str) -> list[int]:
    """The runs of an RLE, of 0 and 1 in turn, whether compressed or not.

    pycocotools checks none of this, and hands out memory that nobody wrote
    where the runs end early.

    Raises:
        ValueError: If these are no runs.
    """
    if isinstance(counts, list):
        runs = counts
    elif isinstance(counts, str):
        # Characters of 6 bits from '0' on: 5 of the number, the lowest
        # first, and whether more follow. The number is signed; from the
        # fourth on it is the difference to the run before the last.
        runs, value, bits = [], 0, 0
        for character in counts:
            six = ord(character) - ord('0')
            if not 0 <= six < 64:
                raise ValueError(f'{character!r} is in no compressed RLE')
            value |= (six & 31) << bits
            bits += 5
            if six & 32:
                continue
            if six & 16:
                value -= 1 << bits
            runs.append(value + runs[-2] if len(runs) > 2 else value)
            value, bits = 0, 0
        if bits:
            raise ValueError('the string breaks off')
    else:
        raise ValueError(f'{counts!r} is neither a list nor a string')
    for run in runs:
        if type(run) is not int or run < 0:
            raise ValueError(f'a run of {run!r} pixels cannot be')
    return runs


def cut(corners: np.ndarray, height: int, width: int) -> np.ndarray:
    """The part inside the image (M, 2) of a polygon's x, y (N, 2).

    Sutherland and Hodgman, "Reentrant Polygon Clipping", 1974: the polygon
    is cut at one border after the other. Parts that this leaves apart stay
    joined by lines along the border, which cover no pixel.
    """
    polygon = corners.tolist()
    for axis, inwards, border in (
        (0, 1, 0.0),
        (0, -1, float(width)),
        (1, 1, 0.0),
        (1, -1, float(height)),
    ):
        whole, polygon = polygon, []
        for start, end in zip(whole[-1:] + whole[:-1], whole, strict=True):
            before = inwards * (start[axis] - border)
            after = inwards * (end[axis] - border)
            if min(before, after) < 0 < max(before, after):
                # Two weights, as 1 - weight is rounded too much where one
                # end is far away.
                length = abs(before) + abs(after)
                crossing = [
                    abs(after) / length * s + abs(before) / length * e
                    for s, e in zip(start, end, strict=True)
                ]
                crossing[axis] = border
                polygon.append(crossing)
            if after >= 0:
                polygon.append(end)
    return np.reshape(polygon, (-1, 2))


def encode(
    annotation: dict, height: int, width: int, outside: str
) -> dict | None:
    """The object's pixels as one RLE; None, if its polygons have none.

    Raises:
        ValueError: If it does not fit an image of this size.
    """
    shape = annotation['segmentation']
    what = f'annotation {annotation["id"]}'
    if isinstance(shape, dict):
        if shape.get('size') != [height, width]:
            raise ValueError(
                f'{what}: its RLE is of size {shape.get("size")}, the image '
                f'is {[height, width]} (height, width)'
            )
        if 'counts' not in shape:
            raise ValueError(f'{what}: its RLE has no counts')
        try:
            runs = read_runs(shape['counts'])
        except ValueError as error:
            raise ValueError(
                f"{what}: its RLE's counts are wrong, {error}: correct the "
                'RLE or remove it'
            ) from None
        if sum(runs) != height * width:
            raise ValueError(
                f'{what}: its RLE covers {sum(runs)} pixels, the image of '
                f'{width}x{height} has {height * width}: correct the RLE '
                'or remove it'
            )
        return coco_mask.frPyObjects(
            dict(size=[height, width], counts=runs), height, width
        )
    if not isinstance(shape, list):
        raise ValueError(f'{what}: {shape!r} is neither polygons nor an RLE')
    polygons = []
    for polygon in shape:
        corners = np.asarray(polygon, float)
        if corners.ndim != 1 or len(corners) % 2:
            raise ValueError(f'{what}: a polygon is not x, y, x, y, ...')
        if not np.isfinite(corners).all():
            # pycocotools would fill the memory.
            raise ValueError(f'{what}: a corner of a polygon is no number')
        if len(corners) < 6:  # a line or a point covers no pixel
            continue
        corners = corners.reshape(-1, 2)
        over = np.maximum(-corners, corners - (width, height)).max()
        if over > TOLERANCE and outside == 'error':
            raise ValueError(
                f'{what}: a polygon reaches {over:.0f} pixels outside the '
                f'image of {width}x{height}; the file may belong to images '
                'of another size; --outside clip cuts polygons at the border'
            )
        if over > TOLERANCE:
            corners = cut(corners, height, width)
        corners = np.clip(corners, 0, (width, height))
        if len(corners) > 2:
            polygons.append(corners.ravel().tolist())
    if not polygons:
        return None
    return coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))


def draw(
    annotations: list[dict], height: int, width: int, outside: str = 'error'
) -> tuple[np.ndarray, int]:
    """The map (H, W) uint8 of an image, and how many objects have no pixel.

    Args:
        annotations (list[dict]): Those of the image, as COCO has them.
        height (int): H.
        width (int): W.
        outside (str): 'error' or 'clip', for polygons that reach over the
            border.
    """
    objects = []
    for annotation in annotations:
        rle = encode(annotation, height, width, outside)
        area = int(coco_mask.area(rle)) if rle else 0
        if not area:
            continue
        crowd = bool(annotation.get('iscrowd', 0))
        value = CROWD if crowd else annotation['category_id']
        objects.append((not crowd, -area, value, rle))
    label = np.full((height, width), BACKGROUND, np.uint8)
    # Crowds, then the largest object, ..., the smallest; sorted() is stable.
    for _, _, value, rle in sorted(objects, key=lambda o: o[:2]):
        label[coco_mask.decode(rle).astype(bool)] = value
    return label, len(annotations) - len(objects)


def convert(job: tuple[dict, list[dict], Path, Path], outside: str) -> Counter:
    """Write one image's map, whole or not at all; what was found is counted.

    Raises:
        ValueError: With the image's name, if it does not fit.
    """
    image, annotations, image_path, target = job
    height, width = image['height'], image['width']
    try:
        with Image.open(image_path) as file:  # reads the header only
            size = file.size
        if size != (width, height):
            raise ValueError(
                f'it is {size[0]}x{size[1]}, its annotations are of '
                f'{width}x{height}'
            )
        label, empty = draw(annotations, height, width, outside)
    except (OSError, OverflowError, TypeError, ValueError) as error:
        raise ValueError(
            f"cannot make the map of '{image_path}': {error}"
        ) from None
    AtomicLocalBackend().put(cv2.imencode('.png', label)[1].tobytes(), target)
    return Counter(
        maps=1, objects=len(annotations) - empty, empty_objects=empty
    )


def find_jobs(
    root: Path, split: str, out: Path, only_present: bool
) -> list[tuple[dict, list[dict], Path, Path]]:
    """What there is to make of a split.

    Raises:
        FileNotFoundError: If image files are missing.
    """
    path = root / 'annotations' / f'instances_{split}.json'
    content = read_annotations(path)
    folder = root / split
    present = {p.name for p in folder.iterdir()} if folder.is_dir() else set()
    jobs, missing = [], []
    for image, annotations in by_image(content, path):
        name = image['file_name']
        target = out / split / Path(name).with_suffix('.png').name
        if name not in present:
            missing.append(name)
        else:
            jobs.append((image, annotations, folder / name, target))
    if missing and not (only_present and jobs):
        raise FileNotFoundError(
            f"{len(missing)} of {len(content['images'])} images of '{path}' "
            f"are missing in '{folder}', such as '{missing[0]}': copy them"
            + (', or leave them out by --only-present' if jobs else '')
        )
    return jobs


def run(jobs: list, outside: str, workers: int, title: str) -> Iterator:
    """The counts of each job, as they are done, with a bar."""
    work = partial(convert, outside=outside)
    bar = partial(
        tqdm, total=len(jobs), desc=title, unit='map', disable=not jobs
    )
    if workers == 1:
        yield from bar(map(work, jobs))
        return
    with Pool(workers) as pool:
        yield from bar(pool.imap_unordered(work, jobs, chunksize=4))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'root', type=Path, help='the folder with annotations/ and images'
    )
    parser.add_argument(
        '--splits',
        nargs='+',
        help='such as train2017 val2017; default: all in annotations/',
    )
    parser.add_argument(
        '--out', type=Path, help='where to write, instead of ROOT/semantic'
    )
    parser.add_argument(
        '--only-present',
        action='store_true',
        help='leave out images whose file is missing, of a partial copy',
    )
    parser.add_argument(
        '--outside',
        choices=['error', 'clip'],
        default='error',
        help='polygons that reach outside the image (default: error)',
    )
    parser.add_argument(
        '--workers',
        type=at_least(1),
        default=os.cpu_count(),
        help='processes (default: one for each core)',
    )
    return parser.parse_args(argv)


def find_splits(root: Path) -> list[str]:
    """The splits that ROOT/annotations has."""
    found = sorted((root / 'annotations').glob('instances_*.json'))
    if not found:
        raise FileNotFoundError(
            f"no 'annotations/instances_*.json' in '{root}': ROOT must hold "
            'annotations/, as unpacked from annotations_trainval2017.zip'
        )
    return [path.stem.removeprefix('instances_') for path in found]


@cli
def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    out = args.out or args.root / 'semantic'
    # All splits are looked at before anything is written.
    splits = {
        split: find_jobs(args.root, split, out, args.only_present)
        for split in args.splits or find_splits(args.root)
    }
    for split, jobs in splits.items():
        todo = [job for job in jobs if not job[-1].is_file()]
        found = sum(run(todo, args.outside, args.workers, split), Counter())
        print(
            f'{found["maps"]} maps made, {len(jobs) - len(todo)} were there, '
            f"in '{out / split}'; {found['objects']} objects, "
            f'{found["empty_objects"]} more have no pixel'
        )


if __name__ == '__main__':
    main()
