"""A dataset looked through: files, pixels, ids, numbers of frames."""

import itertools
import json
import multiprocessing
import os
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from mmengine import fileio
from tqdm import tqdm

from .files import check_frame, exists, is_local
from .packed import identity
from .transforms import LoadClipAnnotations

ERROR, WARNING = 'error', 'warning'
SHOWN = 3  # examples of a finding


@dataclass
class Finding:
    """What is wrong, or may be: a sentence, and the files it is about."""

    level: str
    text: str
    examples: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        more = len(self.examples) - SHOWN
        lines = [f'{self.level}: {self.text}', *self.examples[:SHOWN]]
        if more > 0:
            lines.append(f'and {more} more')
        return '\n    '.join(lines)


@dataclass
class Checked:
    """What was found in a dataset.

    Args:
        classes (Sequence[str]): Names of the classes.
        samples, files (int): Of the dataset.
        decoded (int): Of its files, how many were read.
        pixels (ndarray): Of each class (classes,) int64, in the labels that
            were read.
        labels (int): How many these are.
        findings (list[Finding]): The errors first.
    """

    classes: Sequence[str]
    samples: int
    files: int
    decoded: int
    pixels: np.ndarray
    labels: int
    findings: list[Finding]

    @property
    def errors(self) -> list[Finding]:
        return [f for f in self.findings if f.level == ERROR]


@dataclass(frozen=True)
class _Task:
    """A frame to read, and its label, if it has one."""

    frame: str
    label: str | None = None
    info: dict | None = field(default=None, compare=False, repr=False)

    @property
    def paths(self) -> list[str]:
        return [self.frame] + [self.label] * (self.label is not None)


def check_dataset(
    dataset,
    num_decoded: int | None = None,
    workers: int = 0,
    cache: str | os.PathLike | None = None,
    title: str = 'check',
) -> Checked:
    """Look through a dataset.

    That every file is there is always looked up, unless another machine has
    them (``backend_args``); which are read, is chosen evenly.

    Args:
        dataset (BaseSegDataset): Its pipeline is not run.
        num_decoded (int | None): How many samples' frames and labels are
            read. Defaults to None, all, with a bar.
        workers (int): Processes that read. Defaults to 0, this one.
        cache (path | None): A file that keeps what was found in each frame,
            so that a check that was ended goes on. Defaults to None.
        title (str): Of the bar.
    """
    dataset.full_init()
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    # Data for self-supervision have none.
    classes = dataset.metainfo.get('classes') or ()
    backend = getattr(dataset, 'backend_args', None)
    grey = getattr(dataset, 'grey', False)
    findings = [] if backend else _files(infos)
    if backend:
        cache = None  # who knows when its files change
    lost = {path for f in findings for path in f.examples}
    chosen = infos
    if num_decoded is not None and num_decoded < len(infos):
        places = np.linspace(0, len(infos) - 1, num_decoded).round()
        chosen = [infos[int(i)] for i in places]
    tasks = [
        task for task in _tasks(chosen) if not lost.intersection(task.paths)
    ]
    facts = _read_all(
        tasks,
        _Reader(len(classes), grey, backend),
        workers,
        cache,
        title if num_decoded is None else None,
    )
    broken = [f['problem'] for f in facts if f['problem']]
    if broken:
        findings.append(
            Finding(
                ERROR, f'files that are not as expected: {len(broken)}', broken
            )
        )
    pixels = np.zeros(len(classes), np.int64)
    labels = 0
    for fact in facts:
        if fact['pixels'] is not None:
            labels += 1
            pixels += np.array(fact['pixels'], np.int64)
    findings += _sizes(facts)
    findings += _classes(pixels, labels, classes, infos)
    findings += _duplicates(infos, facts)
    findings += _times(infos)
    findings += _unlabelled(dataset)
    findings.sort(key=lambda f: f.level != ERROR)
    files = {p for task in _tasks(infos) for p in task.paths}
    return Checked(
        classes=classes,
        samples=len(infos),
        files=len(files),
        decoded=sum(len(task.paths) for task in tasks),
        pixels=pixels,
        labels=labels,
        findings=findings,
    )


def _tasks(infos: Iterable[dict]) -> list[_Task]:
    tasks = {}
    for info in infos:
        frame = info['img_path']
        tasks[frame] = _Task(frame, info.get('seg_map_path'), info)
    for info in infos:
        for path in info.get('ref_img_paths') or ():
            tasks.setdefault(path, _Task(path))
    return list(tasks.values())


def _files(infos: list[dict]) -> list[Finding]:
    """Files that are not there, or empty."""
    lost, empty, may_lack = [], [], []
    for task in _tasks(infos):
        for path in task.paths:
            if not exists(path):
                refs = task.info is None
                repeats = refs and infos[0].get('missing') == 'repeat'
                (may_lack if repeats else lost).append(path)
            elif is_local(path) and not os.stat(path).st_size:
                empty.append(path)
    findings = []
    for level, text, paths in (
        (ERROR, 'files that are missing', lost),
        (ERROR, 'files that are empty', empty),
        (
            WARNING,
            'ref frames are missing, and the next later one is repeated '
            "(missing='repeat')",
            may_lack,
        ),
    ):
        if paths:
            findings.append(Finding(level, f'{text}: {len(paths)}', paths))
    return findings


class _Reader:
    """Reads a frame and its label; gives what was found, as plain data."""

    def __init__(self, num_classes: int, grey: bool, backend: dict | None):
        self.num_classes, self.grey, self.backend = num_classes, grey, backend
        self.load = LoadClipAnnotations(backend_args=backend)

    def __call__(self, task: _Task) -> dict:
        fact = dict(
            frame=task.frame, size=None, sum=None, pixels=None, problem=None
        )
        try:
            check_frame(task.frame, self.backend, self.grey)
            data = np.frombuffer(
                fileio.get(task.frame, backend_args=self.backend), np.uint8
            )
            image = cv2.imdecode(data, cv2.IMREAD_COLOR)
            if image is None:
                raise OSError(f"'{task.frame}' is no readable image")
            fact['sum'] = zlib.crc32(data)
            fact['size'] = list(image.shape[:2])
            if task.label is not None:
                info = dict(
                    task.info,
                    ori_shape=image.shape[:2],
                    num_classes=self.num_classes,
                    seg_fields=[],
                )
                label = self.load(info)['gt_seg_map']
                counts = np.bincount(label.ravel(), minlength=256)
                fact['pixels'] = counts[: self.num_classes].tolist()
        except Exception as error:  # whatever a decoder raises
            text = str(error) or type(error).__name__
            if task.frame not in text and (task.label or '?') not in text:
                text = f"'{task.frame}': {text}"
            fact['problem'] = text
        return fact

    def key(self, task: _Task) -> list:
        """Of a cache: the same files, asked the same."""
        return [
            *task.paths,
            *(identity(path) for path in task.paths),
            (self.num_classes, self.grey),
        ]


def _read_all(
    tasks: Sequence[_Task],
    read: _Reader,
    workers: int,
    cache: str | os.PathLike | None,
    title: str | None,
) -> list[dict]:
    known, facts, left = {}, [], list(tasks)
    if cache is not None:
        known = _cached(cache)
        keys = {task: json.dumps(read.key(task)) for task in tasks}
        facts = [known[keys[t]] for t in tasks if keys[t] in known]
        left = [t for t in tasks if keys[t] not in known]
        Path(cache).parent.mkdir(parents=True, exist_ok=True)
    with (
        open(cache or os.devnull, 'a') as file,
        tqdm(
            total=len(tasks),
            initial=len(facts),
            desc=title,
            disable=None if title else True,
        ) as bar,
    ):

        def take(pairs):
            for task, fact in pairs:
                facts.append(fact)
                bar.update()
                if cache is not None and not fact['problem']:
                    line = json.dumps([keys[task], fact])
                    print(line, file=file, flush=True)

        if workers > 1 and len(left) > 1:
            context = multiprocessing.get_context('fork')
            with context.Pool(workers) as pool:
                found = pool.imap(read, left, chunksize=4)
                take(zip(left, found, strict=True))
        else:
            take((task, read(task)) for task in left)
    return facts


def _cached(path: str | os.PathLike) -> dict[str, dict]:
    known = {}
    if os.path.exists(path):
        for line in Path(path).read_bytes().splitlines():
            try:
                key, fact = json.loads(line)
                known[key] = dict(fact)
            # The last one, of a check that was killed.
            except (ValueError, TypeError):
                continue
    return known


def _sizes(facts: list[dict]) -> list[Finding]:
    sizes = Counter(tuple(f['size']) for f in facts if f['size'])
    if len(sizes) < 2:
        return []
    names = [f'{h}x{w}: {n} frames' for (h, w), n in sizes.most_common()]
    return [Finding(WARNING, 'the frames have several sizes', names)]


def _classes(
    pixels: np.ndarray, labels: int, classes: Sequence[str], infos: list[dict]
) -> list[Finding]:
    labelled = len({info.get('seg_map_path') for info in infos} - {None})
    if labels and not pixels.any():
        return [
            Finding(
                ERROR,
                f'all pixels of the {labels} labels that were read are 255 '
                '(ignored): there is nothing to learn from',
            )
        ]
    never = [
        name
        for name, n in zip(classes, pixels, strict=True)
        if labels and not n
    ]
    if not never:
        return []
    of = 'the' if labels == labelled else f'{labels} of {labelled}'
    return [
        Finding(
            WARNING,
            f'{len(never)} of {len(classes)} classes do not occur in {of} '
            f'labels: {", ".join(never)}',
        )
    ]


def _duplicates(infos: list[dict], facts: list[dict]) -> list[Finding]:
    findings = []
    often = Counter(info['img_path'] for info in infos)
    twice = [path for path, n in often.items() if n > 1]
    if twice:
        findings.append(
            Finding(
                WARNING, f'{len(twice)} frames are more than one sample', twice
            )
        )
    same = {}
    for fact in facts:
        if fact['sum'] is not None:
            same.setdefault((fact['sum'], *fact['size']), []).append(
                fact['frame']
            )
    copies = [' = '.join(sorted(p)[:2]) for p in same.values() if len(p) > 1]
    if copies:
        findings.append(
            Finding(
                WARNING,
                f'{len(copies)} frames are there under several names, byte '
                'for byte',
                copies,
            )
        )
    return findings


def _times(infos: list[dict]) -> list[Finding]:
    """Gaps, and key frames that have no past."""
    findings = []
    by_sequence = {}
    for info in infos:
        if 'frame_id' in info:
            by_sequence.setdefault(info['sequence'], []).append(
                info['frame_id']
            )
    steps = Counter(
        b - a
        for ids in by_sequence.values()
        for a, b in itertools.pairwise(ids)
    )
    if steps:
        usual = steps.most_common(1)[0][0]
        gaps = [
            f"'{name}': {b} follows {a}"
            for name, ids in by_sequence.items()
            for a, b in itertools.pairwise(ids)
            if b - a > usual
        ]
        if gaps:
            findings.append(
                Finding(
                    WARNING,
                    f'{len(gaps)} gaps within sequences: mostly a frame '
                    f'follows by {usual}',
                    gaps,
                )
            )
    alone = [
        info['img_path']
        for info in infos
        if info.get('num_frames', 1) > 1
        and info.get('num_padded', 0) >= info['num_frames'] - 1
    ]
    if alone:
        level = ERROR if len(alone) == len(infos) else WARNING
        if all(not info.get('past_img_paths') for info in infos):
            level = WARNING  # stills, on purpose
        findings.append(
            Finding(
                level,
                f'{len(alone)} of {len(infos)} key frames have no ref frame: '
                'their clips repeat one frame',
                alone,
            )
        )
    return findings


def _unlabelled(dataset) -> list[Finding]:
    """Frames of the folder of labelled ones that have no label."""
    if not getattr(dataset, 'all_labelled', False) or dataset.backend_args:
        return []
    if dataset.key_frames != 'labelled':
        return []
    labels = dataset.folder('seg_map_path')
    frames = dataset.folder('img_path')
    if not os.path.isdir(frames):
        return []
    lacking = []
    for name in dataset.list_files('img_path', [dataset.img_suffix]):
        path = os.path.join(frames, name)
        label = os.path.join(labels, dataset.label_name(path))
        if not os.path.exists(label):
            lacking.append(label)
    if not lacking:
        return []
    return [
        Finding(
            ERROR,
            f"{len(lacking)} frames in '{frames}' have no label, and would "
            'be left out: make the labels, or move the frames away',
            lacking,
        )
    ]
