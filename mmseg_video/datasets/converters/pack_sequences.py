"""Packs the frames and labels that clips need into few large files.

What is packed, and into which shards, is decided before the first is written:
a run that is started again goes on behind the shards that are there.
"""

import json
import os
import os.path as osp
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import cv2
from tqdm import tqdm

from ...io.atomic import write_text
from ...io.decoding import decode_colour, is_plain_png
from ...io.images import JPEG, check_frame_file, check_image_file
from ...io.packs import (
    PACK,
    VERSION,
    PackError,
    read_index,
    read_settings,
    write_shard,
)
from ..base_sequence import BaseSequenceDataset
from ..packed import PREFIX, is_packed

QUALITY = 95
# One filter for all rows, no search for repeats: decoded in half the time of
# what libpng writes by itself, at about its size.
PNG_SETTINGS = [
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY),
]
if hasattr(cv2, 'IMWRITE_PNG_FILTER'):
    PNG_SETTINGS += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]
# A data set's lists of names, which are read as they are.
LISTS = ('.txt', '.json')
TRIED = 8  # images, for the estimate


@dataclass(frozen=True)
class Plan:
    """What goes into which shard.

    Args:
        root (Path): Of the tree.
        made (list[dict]): For each data set, its folder of key frames, how
            many frames before each are packed, and which are.
        images (frozenset[str]): Of the files, those that are frames; the
            others are labels.
        shards (dict[str, list[str]]): Name -> files, relative to the root.
        format (str): Of frames: 'png', the same pixels, coded so that they
            are decoded fast; 'jpeg', or 'as-is'.
        grey (bool): Whether frames may be grey. Defaults to False.
    """

    root: Path
    made: list[dict]
    images: frozenset[str]
    shards: dict[str, list[str]]
    format: str
    grey: bool = False

    @property
    def files(self) -> list[str]:
        return [file for files in self.shards.values() for file in files]


def needed_files(
    dataset: BaseSequenceDataset,
) -> tuple[dict, set[str], set[str]]:
    """What a data set asks for: its settings, its frames and its labels.

    Frames before a key frame are all there as far back as a clip may reach,
    whatever its stride: some data sets count the frames that they find.

    Raises:
        ValueError: If it is packed already, or lies outside its root.
        FileNotFoundError: If a frame is missing, unless the data set has
            ``missing='repeat'``.
    """
    root = dataset.data_root
    if root is None or is_packed(root):
        raise ValueError(
            f"'{root.removeprefix(PREFIX)}' is packed already"
            if root
            else 'the data set has no data_root to pack'
        )
    images, labels, lacking = set(), set(), set()
    reach = dataset.reach()
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        frames = {info['img_path'], *info['ref_img_paths']}
        if reach:
            frames |= set(info['past_img_paths'][-reach:])
        images |= frames
        if info['seg_map_path'] is not None:
            labels.add(info['seg_map_path'])
        if dataset.missing == 'error':
            lacking |= {info['img_path'], *info['ref_img_paths']}
    missing = sorted(path for path in lacking if not osp.exists(path))
    if missing:
        raise FileNotFoundError(
            f"no frame '{missing[0]}', one of {len(missing)} that clips ask "
            'for: copy them, take fewer or nearer frames (--num-frames), or '
            "set missing='repeat' for the data set"
        )
    made = dict(
        img_path=_relative(dataset.folder('img_path'), root),
        reach=reach,
        frames=dataset.asks_for(),
        missing=dataset.missing,
    )
    there = {p for p in images if osp.exists(p)}
    return (
        made,
        {_relative(p, root) for p in there},
        {_relative(p, root) for p in labels},
    )


def _relative(path: str, root: str) -> str:
    relative = osp.relpath(path, root).replace(os.sep, '/')
    if relative.startswith('../'):
        raise ValueError(
            f"'{path}' lies outside data_root '{root}': only what is in it "
            'can be packed'
        )
    return relative


def make_plan(
    datasets: Sequence[BaseSequenceDataset], format: str, shard_bytes: int
) -> Plan:
    """Files in order, in shards of about ``shard_bytes`` of the tree.

    Raises:
        ValueError: If the data sets have different roots.
    """
    roots = {osp.normpath(dataset.data_root or '') for dataset in datasets}
    if len(roots) > 1:
        raise ValueError(
            f'the splits have different roots, {sorted(roots)}: pack one at '
            'a time (--splits)'
        )
    made, images, labels = [], set(), set()
    for dataset in datasets:
        settings, frames, maps = needed_files(dataset)
        made.append(settings)
        images |= frames
        labels |= maps
    root = Path(roots.pop())
    shards, size = [[]], 0
    for file in sorted(images | labels):
        if size >= shard_bytes:
            shards.append([])
            size = 0
        shards[-1].append(file)
        size += (root / file).stat().st_size
    named = {f'shard-{i:06d}': files for i, files in enumerate(shards)}
    grey = any(dataset.grey for dataset in datasets)
    return Plan(root, made, frozenset(images), named, format, grey)


def estimate(plan: Plan, workers: int) -> dict:
    """What packing comes to, from the sizes of all files and a few tries.

    Returns:
        dict: ``images``, ``labels``, ``source_bytes``, ``bytes`` and
        ``seconds``; and of the tree's files, those left out: ``left_out``
        and ``left_out_bytes``.
    """
    sizes = {file: (plan.root / file).stat().st_size for file in plan.files}
    images = sorted(plan.images)
    tried = images[:: max(1, len(images) // TRIED)][:TRIED]
    start, packed = time.perf_counter(), 0
    for file in tried:
        packed += len(_content(plan, file)[1])
    seconds = (time.perf_counter() - start) / len(tried) * len(images)
    ratio = packed / sum(sizes[file] for file in tried)
    labels = sum(size for f, size in sizes.items() if f not in plan.images)
    frames = sum(sizes.values()) - labels
    left_out, left_out_bytes = 0, 0
    suffixes = {osp.splitext(file)[1] for file in images}
    for folder, _, names in os.walk(plan.root):
        for name in names:
            path = osp.join(folder, name)
            file = osp.relpath(path, plan.root).replace(os.sep, '/')
            if osp.splitext(name)[1] in suffixes and file not in sizes:
                left_out += 1
                left_out_bytes += os.stat(path).st_size
    return dict(
        images=len(images),
        labels=len(sizes) - len(images),
        source_bytes=sum(sizes.values()),
        bytes=int(frames * ratio) + labels,
        seconds=seconds / workers,
        left_out=left_out,
        left_out_bytes=left_out_bytes,
    )


def pack(plan: Plan, out: Path, size: int, workers: int) -> tuple[int, int]:
    """Write the shards that are not there yet.

    Args:
        plan (Plan): What goes where.
        out (Path): The folder of the packed set.
        size (int): About how many bytes it will have, see :func:`estimate`.
        workers (int): Threads: coding releases the interpreter's lock.

    Returns:
        tuple[int, int]: How many were written, and their bytes.

    Raises:
        PackError: If the folder has a set of other settings, or was packed
            from a tree that has changed since.
        OSError: If the disk has too little room.
    """
    _refuse_another_set(plan, out)
    shards = [name for name in plan.shards if read_index(out, name) is None]
    need = size * len(shards) / len(plan.shards)
    out.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(out).free
    if need > free:
        raise OSError(
            f"'{out}' has {free / 1e9:.1f} GB of room, and about "
            f'{need / 1e9:.1f} GB are needed: make room, or pack less '
            '(--splits, --num-frames, --format jpeg)'
        )
    settings = dict(
        version=VERSION,
        format=plan.format,
        made=plan.made,
        shards=list(plan.shards),
    )
    write_text(out / PACK, json.dumps(settings, indent=1))
    for path in plan.root.iterdir():
        if path.suffix in LISTS and path.name != PACK and path.is_file():
            shutil.copy2(path, out / path.name)
    written = 0
    with ThreadPoolExecutor(workers) as pool:
        jobs = [
            pool.submit(write_shard, out, name, _contents(plan, name))
            for name in shards
        ]
        bar = tqdm(
            as_completed(jobs),
            total=len(jobs),
            desc='shards',
            disable=None,
        )
        try:
            for job in bar:
                written += job.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return len(shards), written


def _contents(
    plan: Plan, shard: str
) -> Iterator[tuple[str, str, bytes, os.stat_result]]:
    for file in plan.shards[shard]:
        name, data = _content(plan, file)
        yield file, name, data, (plan.root / file).stat()


def _content(plan: Plan, file: str) -> tuple[str, bytes]:
    """A file's name in the tar, and its bytes.

    Raises:
        OSError: If it breaks off: whoever reads the packed set looks at
            checksums, and not at this any more.
        ValueError: If a frame is no 8-bit colours.
    """
    if file in plan.images:
        check_frame_file(plan.root / file, plan.grey)
    else:
        check_image_file(plan.root / file)
    data = (plan.root / file).read_bytes()
    if plan.format == 'as-is' or file not in plan.images:
        return file, data
    if data.startswith(JPEG) or (
        plan.format == 'png' and not is_plain_png(data)
    ):
        return file, data  # a JPEG already is never coded twice
    image = decode_colour(data)
    if image is None:
        raise OSError(f"'{plan.root / file}' is no readable image")
    if plan.format == 'png':
        _, coded = cv2.imencode('.png', image, PNG_SETTINGS)
        return file, coded.tobytes()
    settings = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    _, coded = cv2.imencode('.jpg', image, settings)
    return osp.splitext(file)[0] + '.jpg', coded.tobytes()


def _refuse_another_set(plan: Plan, out: Path) -> None:
    """Where there is a packed set, it must be the beginning of this one."""
    if not (out / PACK).exists():
        return
    settings = read_settings(out)
    asked = dict(format=plan.format, made=plan.made, shards=list(plan.shards))
    for key, value in asked.items():
        if settings[key] != value:
            raise PackError(
                f"'{out}' is a packed set with {key}={_short(settings[key])}, "
                f'{_short(value)} is asked for: pack into another folder, or '
                'delete it'
            )
    for name, files in plan.shards.items():
        index = read_index(out, name)
        if index is None:
            continue
        changed = sorted(set(files) ^ set(index['files']))
        for file, (*_, size, mtime) in index['files'].items():
            now = plan.root / file
            if not now.exists():
                changed.append(file)
                continue
            found = now.stat()
            if (found.st_size, found.st_mtime_ns) != (size, mtime):
                changed.append(file)
        if changed:
            raise PackError(
                f"the tree '{plan.root}' has changed since '{out}' was "
                f"packed: '{changed[0]}' is one of {len(changed)} files of "
                f'{name}.tar that are not those of then. Delete '
                f'{name}.tar and {name}.json, or pack into another folder'
            )


def _short(value) -> str:
    text = json.dumps(value)
    return text if len(text) < 200 else text[:200] + '...'
