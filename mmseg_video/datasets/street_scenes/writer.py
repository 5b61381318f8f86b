"""Street scenes on disk, as Cityscapes lays out its sequences."""

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from ...io.atomic import write_bytes, write_text
from ...io.json_files import read_object
from ...io.processes import fresh_pool
from .darkness import DarkScene
from .far import FarScene
from .occlusion import OccludedScene
from .scene import KEY_FRAME, NUM_FRAMES, StreetScene

VERSION = 2  # of the generator: other numbers draw other scenes
SETTINGS = 'street_scenes.json'
# The scenes of test again: without bursts, with few but long ones, behind a
# lens with something on it, in lasting darkness, and with labels of what is
# small and far alone.
VARIANTS = {
    'test_clean': partial(StreetScene, burst_rate=0.0),
    'test_long_bursts': partial(
        StreetScene, burst_rate=0.03, longest_burst=12
    ),
    'test_occlusion': OccludedScene,
    'test_darkness': DarkScene,
    'test_far': FarScene,
}
# Sensor noise hardly compresses: storing it raw, without trying filters (an
# option since OpenCV 4.11), is ten times as fast.
_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 0]
if hasattr(cv2, 'IMWRITE_PNG_FILTER'):
    _PNG += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE]
_LABEL_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 4]


def write_street_scenes(
    root: str | os.PathLike,
    num_train: int = 0,
    num_val: int = 0,
    num_test: int = 0,
    size: tuple[int, int] = (256, 512),
    seed: int = 0,
    burst_rate: float = 0.1,
    longest_burst: int = 3,
    frames: tuple[int, int] = (0, NUM_FRAMES - 1),
    all_labels: bool = False,
    variants: bool = False,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict:
    """Write snippets in Cityscapes' layout; returns what SETTINGS records.

    ::

        root
        |- leftImg8bit_sequence/SPLIT/CITY/CITY_SSSSSS_FFFFFF_leftImg8bit.png
        |- leftImg8bit/SPLIT/CITY/CITY_SSSSSS_000019_leftImg8bit.png
        |- gtFine/SPLIT/CITY/CITY_SSSSSS_000019_gtFine_labelTrainIds.png
        |- gtFine_sequence/...         the labels of all frames, on demand
        |- street_scenes.json          settings, and which frames are degraded

    A snippet's label is written last, so one that has it is whole; those are
    kept, and the rest is made. More snippets can be added later.

    Args:
        root (path): The folder.
        num_train, num_val, num_test (int): Snippets of each split. Default
            to 0.
        size (tuple[int, int]): Height and width of a frame. Defaults to
            (256, 512).
        seed (int): Defaults to 0.
        burst_rate (float), longest_burst (int): See :class:`StreetScene`.
        frames (tuple[int, int]): First and last frame that is written of the
            30; the key frame, 19, must be among them. Defaults to all.
        all_labels (bool): Also the labels of the other frames. Defaults to
            False.
        variants (bool): Also the splits VARIANTS, the scenes of test under
            other conditions. Defaults to False.
        workers (int): Processes. Defaults to 1.
        progress (Callable): Called with (snippets done, snippets in all).

    Raises:
        ValueError: If an argument is out of range, or ``root`` holds scenes
            of other settings.
    """
    settings = dict(
        version=VERSION,
        seed=seed,
        size=list(size),
        burst_rate=burst_rate,
        longest_burst=longest_burst,
        frames=list(frames),
        all_labels=all_labels,
    )
    snippets = dict(train=num_train, val=num_val, test=num_test)
    if variants:
        snippets |= dict.fromkeys(VARIANTS, num_test)
    _check(settings, snippets, workers)
    root = Path(root)
    before = _claim(root, settings)
    jobs = [
        (split, i) for split, number in snippets.items() for i in range(number)
    ]
    write = partial(_write_snippet, root, settings)
    # A process takes seconds to start.
    workers = max(1, min(workers, len(jobs) // 8))
    done, bursts = 0, []
    progress(done, len(jobs))
    if workers == 1:
        results = map(write, jobs)
        for result in results:
            bursts.extend(result)
            done += 1
            progress(done, len(jobs))
    else:
        with fresh_pool(workers, cv2.setNumThreads, (1,)) as pool:
            for result in pool.imap(write, jobs):
                bursts.extend(result)
                done += 1
                progress(done, len(jobs))
    # What earlier calls made is still there.
    made = {(split, snippet_name(split, i)) for split, i in jobs}
    bursts += [
        burst
        for burst in before.get('degraded', ())
        if (burst['split'], burst['snippet']) not in made
    ]
    for split, number in before.get('snippets', {}).items():
        snippets[split] = max(number, snippets.get(split, 0))
    report = dict(settings, snippets=snippets, degraded=bursts)
    write_text(root / SETTINGS, json.dumps(report, indent=1))
    return report


def snippet_name(split: str, index: int) -> str:
    """CITY/CITY_SSSSSS; each split has a city of its own."""
    city = f'{split}town'
    return f'{city}/{city}_{index:06d}'


def _check(settings, snippets, workers) -> None:
    height, width = settings['size']
    first, last = settings['frames']
    if min(snippets.values()) < 0 or not any(snippets.values()):
        raise ValueError(
            'the numbers of snippets must be >= 0 and not all 0, got '
            + ', '.join(f'{v} {k}' for k, v in snippets.items())
        )
    if height < 64 or width < 128:
        raise ValueError(
            f'a frame of {height}x{width} is too small for a street: at least '
            '64x128 (height x width)'
        )
    if not 0 <= first <= KEY_FRAME <= last < NUM_FRAMES:
        raise ValueError(
            f'frames {first} to {last}: must lie within 0 to '
            f'{NUM_FRAMES - 1} and hold the key frame, {KEY_FRAME}'
        )
    rate, longest = settings['burst_rate'], settings['longest_burst']
    if not 0 <= rate <= 1 or not 1 <= longest <= NUM_FRAMES:
        raise ValueError(
            'burst_rate must lie in [0, 1] and longest_burst in '
            f'[1, {NUM_FRAMES}], got {rate} and {longest}'
        )
    if settings['seed'] < 0 or workers < 1:
        raise ValueError(
            f'seed must be >= 0 and workers >= 1, got {settings["seed"]} and '
            f'{workers}'
        )


def _claim(root: Path, settings: dict) -> dict:
    """Refuse to mix scenes of other settings into a folder; what it says of
    those that are there."""
    path = root / SETTINGS
    if path.exists():
        there = read_object(path, 'remove it, and make the scenes again')
        other = [k for k, v in settings.items() if there.get(k) != v]
        if other:
            raise ValueError(
                f"'{root}' holds street scenes with "
                + ', '.join(f'{k}={there.get(k)}' for k in other)
                + ' (now: '
                + ', '.join(f'{k}={settings[k]}' for k in other)
                + '): choose another folder, or remove this one'
            )
        return there
    write_text(path, json.dumps(settings, indent=1))
    return {}


def _write_snippet(root: Path, settings: dict, job: tuple[str, int]) -> list:
    """Write one snippet unless it is there; returns its degraded frames."""
    split, index = job
    height, width = settings['size']
    snippet = snippet_name(split, index)

    def path(folder, t, ending):
        return root / folder / split / f'{snippet}_{t:06d}_{ending}.png'

    bursts = {key: settings[key] for key in ('burst_rate', 'longest_burst')}
    scene = VARIANTS.get(split, partial(StreetScene, **bursts))(
        settings['seed'],
        'test' if split in VARIANTS else split,
        index,
        height,
        width,
    )
    bursts = [
        dict(snippet=snippet, split=split, frame=t, kind=kind)
        for t, kind in scene.bursts.items()
        if settings['frames'][0] <= t <= settings['frames'][1]
    ]
    key_label = path('gtFine', KEY_FRAME, 'gtFine_labelTrainIds')
    if key_label.exists():
        return bursts
    first, last = settings['frames']
    for t in range(first, last + 1):
        img, label, _ = scene.frame(t)
        _write_image(path('leftImg8bit_sequence', t, 'leftImg8bit'), img, _PNG)
        if settings['all_labels']:
            name = path('gtFine_sequence', t, 'gtFine_labelTrainIds')
            _write_image(name, label, _LABEL_PNG)
        if t == KEY_FRAME:
            key_img, key_ids = img, label
    _write_image(path('leftImg8bit', KEY_FRAME, 'leftImg8bit'), key_img, _PNG)
    _write_image(key_label, key_ids, _LABEL_PNG)
    return bursts


def _write_image(path: Path, img: np.ndarray, options: list) -> None:
    write_bytes(path, cv2.imencode('.png', img, options)[1].tobytes())
