"""Semantic maps of COCO's ``instances_*.json``, to pretrain on."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from multiprocessing import Pool
from pathlib import Path

import cv2
from PIL import Image
from tqdm import tqdm

from ...io.atomic import write_bytes
from .coco_annotations import by_image, read_annotations
from .coco_masks import coco_mask, draw


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
    write_bytes(target, cv2.imencode('.png', label)[1].tobytes())
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


def find_splits(root: Path) -> list[str]:
    """The splits that ROOT/annotations has."""
    found = sorted((root / 'annotations').glob('instances_*.json'))
    if not found:
        raise FileNotFoundError(
            f"no 'annotations/instances_*.json' in '{root}': ROOT must hold "
            'annotations/, as unpacked from annotations_trainval2017.zip'
        )
    return [path.stem.removeprefix('instances_') for path in found]


def convert_coco(
    root: Path,
    splits: list[str] | None = None,
    out: Path | None = None,
    only_present: bool = False,
    outside: str = 'error',
    workers: int = 1,
) -> Iterator[tuple[Path, Counter, int]]:
    """Make the maps of each split; gives its folder, what was made (``maps``,
    ``objects``, ``empty_objects``), and how many maps were there.

    A map is 8 bit. A pixel is its object's category id, 1 to 90; 0 where no
    object is (the background, the 91st class); 255 in crowds, to be ignored.
    Where objects overlap, the smaller one is drawn last; crowds are drawn
    first, under all objects. What is made already is skipped.

    Args:
        root (Path): The folder with ``annotations/`` and images.
        splits (list[str] | None): Such as train2017. Defaults to None, all.
        out (Path | None): Where to write. Defaults to None,
            ``root``/semantic.
        only_present (bool): Whether images whose file is missing are left
            out. Defaults to False.
        outside (str): 'error' or 'clip', for polygons that reach outside the
            image. Defaults to 'error'.
        workers (int): Processes. Defaults to 1.

    Raises:
        FileNotFoundError: If there are no annotations, or images are missing.
        ValueError: If the annotations are wrong, with their place.
        RuntimeError: If pycocotools is not installed.
    """
    if coco_mask is None:
        raise RuntimeError(
            'pycocotools is not installed: pip install pycocotools'
        )
    out = out or root / 'semantic'
    # All splits are looked at before anything is written.
    jobs_of = {
        split: find_jobs(root, split, out, only_present)
        for split in splits or find_splits(root)
    }
    for split, jobs in jobs_of.items():
        todo = [job for job in jobs if not job[-1].is_file()]
        found = sum(run(todo, outside, workers, split), Counter())
        yield out / split, found, len(jobs) - len(todo)
