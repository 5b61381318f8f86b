"""How many images a second the loader gives, to hold against the step's."""

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean

import cv2
from mmengine import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS
from torch.utils.data import DataLoader, Dataset, Subset

from ....engine.launch import set_data_root
from .networks import FRAMEWISE, LATERALS, config_path
from .rows import row
from .settings import Settings

SNIPPETS = 4
FRAMES = (15, 19)  # of each, what T = 5 reads


def loader(settings: Settings) -> Iterator[dict]:
    """The training pipelines of both configs, on drawn street scenes.

    The frames are compressed as photographs are, and in the cache of the file
    system.
    """
    from ....datasets.street_scenes import write_street_scenes

    with tempfile.TemporaryDirectory() as root:
        write_street_scenes(
            root, SNIPPETS, 0, size=settings.scenes, frames=FRAMES
        )
        megabytes = _compress(Path(root)) / 1e6
        init_default_scope('mmseg')
        for name in (FRAMEWISE, LATERALS):
            cfg = Config.fromfile(config_path(name))
            set_data_root(cfg, root)
            dataset = DATASETS.build(cfg.train_dataloader.dataset)
            frames = len(dataset[0]['inputs']) if name == LATERALS else 1
            for workers in settings.workers:
                rate = _samples_per_second(dataset, workers, settings.samples)
                yield row(
                    f'{name}, T={frames}, {workers} worker processes',
                    settings.scenes,
                    ms=1000 / rate,
                    rate=rate * frames,
                    note=f'images a second; a PNG has {megabytes:.1f} MB',
                )


def _compress(root: Path) -> float:
    """Bytes of a frame, blurred and written as PNGs of photographs are.

    As they were written, uncompressed, they would be decoded in no time.
    """
    paths = list(root.rglob('*_leftImg8bit.png'))

    def again(path: Path) -> int:
        frame = cv2.GaussianBlur(cv2.imread(str(path)), (5, 5), 0)
        cv2.imwrite(str(path), frame)
        return path.stat().st_size

    with ThreadPoolExecutor() as pool:
        return mean(pool.map(again, paths))


def _samples_per_second(dataset: Dataset, workers: int, samples: int) -> float:
    """From when each worker has given its first sample."""
    total = workers * (samples + 1)
    indices = [i % len(dataset) for i in range(total)]
    batches = iter(
        DataLoader(
            Subset(dataset, indices),
            batch_size=1,
            num_workers=workers,
            collate_fn=pseudo_collate,
            worker_init_fn=_one_thread,
            multiprocessing_context='fork',
        )
    )
    for _ in range(workers):
        next(batches)
    start = time.perf_counter()
    count = sum(1 for _ in batches)
    return count / (time.perf_counter() - start)


def _one_thread(_worker: int) -> None:
    cv2.setNumThreads(0)
