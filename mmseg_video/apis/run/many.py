"""Many videos, over processes and machines, each of them once."""

import json
import os
import re
import shutil
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tqdm import tqdm

from ...engine.launch import EXPECTED
from ...engine.processes import Processes
from ...io.atomic import check_place, write_text
from ...io.frames import open_frames
from ...io.json_files import read_object
from ...io.listing import IMAGES, VIDEOS, list_inputs
from ...io.locks import FolderLock
from ...io.partition import partition
from ..video_seg_inferencer import VideoSegInferencer
from .outputs import Drawing, Targets
from .results import Way
from .video import Excerpt, UnfinishedError, run_video

RUN, DONE, LOCK = 'run.json', '.done', '.lock'
# What is written as one file.
FILES = (*VIDEOS, *IMAGES, '.gif', '.json', '.jsonl', '.ndjson')
LIST = (
    'a list is a text file with the path of one video, or of one folder of '
    "frames, on each line, relative to the list's folder"
)
HALF_WRITTEN = re.compile(r'\..+\.\d+\.(json|ndjson|png)')


@dataclass
class Many:
    """What became of many videos: the number that were ``done``, that
    ``were_done`` by a run before, and ``failed``, path -> why."""

    done: int
    were_done: int
    failed: dict[str, str]

    @property
    def report(self) -> str:
        """All of it, in words."""
        lines = [
            f'{self.done} videos done, {self.were_done} were done, '
            f'{len(self.failed)} failed'
        ]
        lines += [f'  {path}: {why}' for path, why in self.failed.items()]
        return '\n'.join(lines)


def find_videos(source: str | os.PathLike) -> list[str] | None:
    """The videos of a folder, quoted glob or list; None for one video.

    A folder of images is one video, a folder of such folders are many. A list
    is a .txt file with a path on each line, relative to the list's folder;
    empty lines and those that begin with # are left out.

    Args:
        source (str | Path): What a user names.

    Raises:
        ValueError: If a list has nothing in it, or something else, or there
            are videos beside images.
    """
    source = os.fspath(source)
    if source.lower().endswith('.txt') and os.path.isfile(source):
        return _listed(source)
    found = list_inputs(source)
    videos = [path for path in found if path.lower().endswith(VIDEOS)]
    images = [path for path in found if path.lower().endswith(IMAGES)]
    if videos and images:
        raise ValueError(
            f"'{source}' has videos, such as '{os.path.basename(videos[0])}', "
            f"and images, such as '{os.path.basename(images[0])}': say which "
            "ones by a quoted pattern, such as 'FOLDER/*.mp4'"
        )
    if images:
        return None
    if videos:
        return videos
    folders = [
        path
        for path in found
        if os.path.isdir(path)
        and any(p.lower().endswith(IMAGES) for p in list_inputs(path))
    ]
    return folders or None


def _listed(source: str) -> list[str]:
    root = os.path.dirname(source)
    try:
        text = Path(source).read_text(encoding='utf-8-sig')
    except UnicodeDecodeError:
        raise ValueError(f"'{source}' is no text: {LIST}") from None
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and line[0] != '#']
    if not lines:
        raise ValueError(f"'{source}' names no video: {LIST}")
    images = [line for line in lines if line.lower().endswith(IMAGES)]
    if images:
        raise ValueError(f"'{source}' names the image '{images[0]}': {LIST}")
    paths = [
        line if '://' in line else os.path.join(root, line) for line in lines
    ]
    if not any('://' in path or os.path.exists(path) for path in paths):
        raise ValueError(
            f"nothing that '{source}' names is there, such as '{paths[0]}': "
            + LIST
        )
    return paths


def run_videos(
    videos: Sequence[str],
    model: Callable[[], VideoSegInferencer],
    targets: Targets,
    settings: dict,
    excerpt: Excerpt | None = None,
    drawing: Drawing | None = None,
    way: Way | None = None,
    suffix: str = '.mp4',
    processes: Processes | None = None,
) -> Many:
    """Run a model on videos; those that are done already are left out.

    Whole videos are dealt to the processes by their length. A video is done
    when all its outputs are in place and a mark (``.done/NAME.json`` in the
    first target) says so: after a kill, a run goes on with the others. A
    video that fails is told of, and the rest goes on.

    Args:
        videos (Sequence[str]): What :func:`open_frames` opens.
        model (Callable): Makes the model, in each process that needs it.
        targets (Targets): Folders, in which each video gets its name.
        settings (dict): Of the run: another run in the same folder must have
            the same.
        excerpt, drawing, way: Of each, see :func:`run_video`.
        suffix (str): Of drawn videos; '' for folders. Defaults to '.mp4'.
        processes (Processes | None): Those that share the work. Defaults to
            None, this one alone.

    Raises:
        ValueError: If a target is not a folder of videos of these settings,
            or the model cannot go that way.
    """
    processes, excerpt = processes or Processes(), excerpt or Excerpt()
    way = way or Way()
    names = names_of(videos)
    if targets.labels is not None or (targets.out is not None and not suffix):
        _check_apart(names)
    root = next(iter(targets.paths.values()), None)
    if targets.show or root is None:
        raise ValueError(
            'many videos are written to folders: give --out, --labels, --json '
            'or --heat-map a folder, and leave out --show'
        )
    settings = dict(
        settings,
        excerpt=asdict(excerpt),
        drawing=asdict(drawing or Drawing()),
        way=asdict(way),
        suffix=suffix,
        outputs=sorted(targets.paths),
    )

    lock = FolderLock(root, 'run', name=f'{DONE}/{LOCK}')

    def dealt() -> tuple[list[list[int]], int]:
        # Before the lock: its file is in the first one.
        for path in targets.paths.values():
            _check_folder(path)
        lock.take()
        for path in targets.paths.values():
            _claim(path, settings)
        todo = [
            i for i, name in enumerate(names) if not _mark(root, name).exists()
        ]
        lengths = [0] * len(todo)
        if processes.size > 1:
            lengths = [_length(videos[i]) for i in todo]
        shares = partition(lengths, processes.size)
        return [[todo[i] for i in share] for share in shares], len(todo)

    try:
        shares, num_todo = processes.from_first(dealt)
        if processes.rank > 0:
            lock.join()
        mine = shares[processes.rank]
        failed, net = {}, None
        for i in tqdm(sorted(mine), unit='video', disable=processes.rank > 0):
            own = targets.of(names[i], suffix)
            # Not in the try: without a model, no video can be done.
            if net is None:
                net = model()
                way.check({'prediction': net})
            try:
                _clear(own)
                run = run_video(
                    *(videos[i], net, own, excerpt, drawing, way), quiet=True
                )
                if run.interrupted:
                    raise KeyboardInterrupt
                mark = dict(
                    video=str(videos[i]),
                    frames=run.frames,
                    held=run.held,
                    rates=run.rates,
                )
                write_text(_mark(root, names[i]), json.dumps(mark))
            except EXPECTED as error:
                if os.environ.get('MMSEG_VIDEO_DEBUG'):
                    traceback.print_exc()
                failed[str(videos[i])] = str(error)
                kept = isinstance(error, UnfinishedError)
                tqdm.write(
                    f"failed: '{videos[i]}': {error}"
                    + ('' if kept else ': nothing of it is kept')
                )
        everywhere = processes.gathered(failed)
    finally:
        lock.release()
    failed = {k: why for one in everywhere for k, why in one.items()}
    return Many(num_todo - len(failed), len(videos) - num_todo, failed)


def names_of(videos: Sequence[str]) -> list[str]:
    """A name for each video's outputs: its path below the folder that all
    share, without its suffix.

    Raises:
        ValueError: If two have the same.
    """
    paths = [os.path.abspath(path) for path in videos]
    root = os.path.commonpath([os.path.dirname(path) for path in paths])
    names, seen = [], {}
    for path in paths:
        name = os.path.relpath(path, root)
        if not os.path.isdir(path):
            name = os.path.splitext(name)[0]
        if name in seen:
            raise ValueError(
                f"'{seen[name]}' and '{path}' would both be written as "
                f"'{name}': rename one, or run them apart"
            )
        seen[name] = path
        names.append(name)
    return names


def _check_apart(names: Sequence[str]) -> None:
    """Refuse a video whose folder would hold another one's: where it is done
    again, both would go."""
    known = set(names)
    for name in names:
        for parent in map(str, Path(name).parents):
            if parent in known:
                raise ValueError(
                    f"the outputs of '{name}' would lie in the folder of "
                    f"those of '{parent}': run them apart"
                )


def _mark(root: Path, name: str) -> Path:
    return Path(root) / DONE / f'{name}.json'


def _check_folder(folder: Path) -> None:
    """Refuse a folder that has something else in it."""
    folder = Path(folder)
    if (folder / RUN).exists():
        return
    if folder.suffix.lower() in FILES:
        raise ValueError(
            f"'{folder}' is named like a file: many videos are written to a "
            'folder'
        )
    check_place(folder)
    # A run that was killed at once has left its lock.
    if folder.exists() and {p.name for p in folder.iterdir()} - {DONE}:
        raise ValueError(
            f"the folder '{folder}' is not empty: name another one"
        )


def _claim(folder: Path, settings: dict) -> None:
    """Make the folder one of these settings, or check that it is.

    Where a run came to no video, its settings do not count.
    """
    path = Path(folder) / RUN
    # As the file has them.
    settings = json.loads(json.dumps(settings, default=str))
    begun = any(
        found.is_file() and found.name not in (RUN, LOCK)
        for found in Path(folder).rglob('*')
    )
    if not path.exists() or not begun:
        write_text(path, json.dumps(settings, indent=1))
        return
    found = read_object(path, f"remove it, or '{folder}'")
    differ = sorted(
        key
        for key in {*found, *settings}
        if found.get(key) != settings.get(key)
    )
    if differ:
        raise ValueError(
            f"'{folder}' has videos of other settings ({', '.join(differ)}): "
            'name another folder, or remove it'
        )
    _clear_half_written(Path(folder))


def _clear_half_written(folder: Path) -> None:
    """Take away what a kill left of writers and of :func:`atomic_path`."""
    for path in list(folder.rglob('.*')):
        if path.name.startswith('.writing-'):
            shutil.rmtree(path, ignore_errors=True)
        elif HALF_WRITTEN.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _clear(targets: Targets) -> None:
    """Take away what a killed or failed run left of a video that is not
    done: all of it lies in folders of ours."""
    for path in targets.paths.values():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _length(video: str) -> int:
    try:
        return open_frames(video).length or 0
    except EXPECTED:
        return 0
