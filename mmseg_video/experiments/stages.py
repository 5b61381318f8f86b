"""The trainings and tests of an ablation: each a tool, done once."""

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from mmengine import Config

from ..datasets import sequence_config
from ..engine.checkpoints import check_checkpoint, find_last_checkpoint
from ..io.atomic import atomic_path
from .resolve import test_key, training_key
from .spec import Entry
from .store import Marker, hash_of, hash_of_file

TRAIN = 'train'


@dataclass(eq=False)
class Run:
    """An entry with a seed.

    Its folder is named after the hash of its config. So a changed spec finds
    another one, and the old one again when it is changed back; and specs
    that have an entry in common share its runs::

        runs/CONFIG_seed0_1a2b3c4d/config.py    what tools/train.py takes
        runs/CONFIG_seed0_1a2b3c4d/train/       its work dir
        runs/CONFIG_seed0_1a2b3c4d/train.done   that it is done
        runs/CONFIG_seed0_1a2b3c4d/test_t5_...  likewise for each test
        SPEC/ENTRY/seed0                        a link to that folder

    Args:
        entry (Entry): What it is a run of.
        seed (int): Of its training.
        cfg (Config): The config with its seed.
        start (Run | None): The run whose weights it takes.
        root (Path): The folder of all ablations.
        processes (int): How many train it together. Defaults to 1.
    """

    entry: Entry
    seed: int
    cfg: Config
    start: 'Run | None'
    root: Path
    processes: int = 1

    def __post_init__(self):
        start = self.start
        weights = start.weights if start else self._hash_of_checkpoint()
        if self.entry.checkpoint_of:
            self.weights = weights
            self.key = test_key(self.cfg, weights, [])
        else:
            self.weights = self.key = training_key(
                self.cfg, weights, self.processes, self.entry.amp
            )
        stem = f'{self.entry.config.stem}_seed{self.seed}_{self.key[:8]}'
        self.folder = self.root / 'runs' / stem

    def _hash_of_checkpoint(self) -> str | None:
        """Of the file that it starts from, None where it starts anew."""
        path = self.entry.checkpoint_of or self.cfg.load_from
        if self.missing:
            return hash_of(dict(missing=path))  # of no file
        if self.entry.checkpoint_of:
            check_checkpoint(path)
        return hash_of_file(path) if path else None

    @property
    def missing(self) -> str | None:
        """The file of weights that it starts from or tests, where that is
        not there; None where it is, or where another run makes it."""
        path = self.entry.checkpoint_of or self.cfg.load_from
        if self.start or not path or '://' in path or Path(path).is_file():
            return None
        return path

    @property
    def title(self) -> str:
        return f'{self.entry.name}, seed {self.seed}'

    @property
    def checkpoint(self) -> Path | str | None:
        """What it tests; None before its training is done."""
        if self.entry.checkpoint_of:
            start = self.start
            return start.checkpoint if start else self.entry.checkpoint_of
        name = self.training.read().get('checkpoint')
        return self.folder / TRAIN / name if name else None

    @property
    def training(self) -> Marker:
        """That its training is done."""
        return Marker(self.folder / f'{TRAIN}.done', self.key)

    def link(self, folder: Path) -> None:
        """Make ENTRY/seedN in the spec's folder lead here."""
        link = folder / self.entry.name / f'seed{self.seed}'
        link.parent.mkdir(parents=True, exist_ok=True)
        temporary = link.with_name(f'.{link.name}')
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(os.path.relpath(self.folder, link.parent))
        temporary.replace(link)


@dataclass(eq=False)
class Stage:
    """The training or one test of a run: one tool, done once.

    Args:
        run (Run): What it belongs to.
        name (str): 'train', or 'test_', the protocol and the key's start.
        key (str): The hash of all that decides its result.
        needs (list[Stage]): What must be done before.
        arguments (list[str]): Of the tool, beside config and checkpoint.
        metrics (tuple[str, ...]): The figures that a test must report.
    """

    run: Run
    name: str
    key: str
    needs: 'list[Stage]' = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    metrics: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return f'{self.run.title}, {self.label}'

    @property
    def label(self) -> str:
        """'train', or the protocol."""
        return self.name.removeprefix('test_').removesuffix(f'_{self.key[:8]}')

    @property
    def is_training(self) -> bool:
        return self.name == TRAIN

    @property
    def config(self) -> Path:
        """What its tool takes: the resolved config."""
        name = 'config' if self.is_training else self.name
        return self.run.folder / f'{name}.py'

    @property
    def work_dir(self) -> Path:
        return self.run.folder / self.name

    @property
    def marker(self) -> Marker:
        return Marker(self.run.folder / f'{self.name}.done', self.key)

    @property
    def log(self) -> Path:
        return self.run.folder / f'{self.name}.log'

    @property
    def report(self) -> dict:
        """What the marker says, empty where this is not done."""
        return self.marker.read()

    @property
    def is_done(self) -> bool:
        return bool(self.report)

    @property
    def work(self) -> float:
        """How much it is, in frames: for an estimate of its time."""
        cfg = self.run.cfg
        if not self.is_training:
            return 1.0
        length = cfg.train_cfg.get(
            'max_iters', cfg.train_cfg.get('max_epochs')
        )
        loader = cfg.train_dataloader
        clip = sequence_config(loader.dataset).get('num_frames', 1)
        return float(length * loader.get('batch_size', 1) * clip)

    def begin(self) -> None:
        """Write its config; a training finds its checkpoints again."""
        if not self.is_training:
            shutil.rmtree(self.work_dir, ignore_errors=True)
        self.work_dir.mkdir(parents=True, exist_ok=True)
        cfg = Config(self.run.cfg.to_dict())
        if self.run.start:
            cfg.load_from = str(self.run.start.checkpoint)
        with atomic_path(self.config) as temporary:
            cfg.dump(temporary)

    def finish(self, seconds: float) -> None:
        """Write the marker.

        Raises:
            RuntimeError: If what the tool should have left is not there.
        """
        if self.is_training:
            result = dict(checkpoint=self._keep_the_last_checkpoint())
        else:
            result = dict(metrics=self._read_metrics())
        self.marker.write(seconds=round(seconds, 1), **result)

    def _keep_the_last_checkpoint(self) -> str:
        """The others were there to go on from."""
        path = find_last_checkpoint(self.work_dir)
        if path is None:
            raise RuntimeError(f"'{self.work_dir}' holds no checkpoint")
        last = Path(path)
        stem = last.stem.split('_')[0]
        for path in last.parent.glob(f'{stem}_*.pth'):
            if path != last:
                path.unlink()
        return last.name

    def _read_metrics(self) -> dict[str, float]:
        reports = list(self.work_dir.glob('test_*.json'))
        if len(reports) != 1:
            raise RuntimeError(f"'{self.work_dir}' holds no test_*.json")
        metrics = json.loads(reports[0].read_text())['metrics']
        for name in self.metrics:
            if name not in metrics:
                raise RuntimeError(
                    f"{self.title} reports no '{name}': it has "
                    + ', '.join(metrics)
                )
        return metrics
