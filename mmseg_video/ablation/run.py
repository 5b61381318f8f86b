"""What is to be done for an ablation, and what of it is done."""

import json
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mmengine import Config

from ..engine.atomic_backend import AtomicLocalBackend
from ..engine.checkpoints import find_last_checkpoint
from .protocol import Protocol
from .resolve import (
    framewise,
    hash_of_file,
    resolve,
    test_key,
    training_key,
)
from .spec import Entry, Spec

TRAIN = 'train'


def read_marker(path: Path, key: str) -> dict:
    """What a marker says, empty where it is missing or of another key."""
    try:
        report = json.loads(path.read_text())
        return report if report['key'] == key else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


@dataclass(eq=False)
class Run:
    """An entry with a seed, in a folder of its own.

    The folder is named after the hash of the config, so that a changed spec
    finds another one, and finds the old one when it is changed back::

        seed0_1a2b3c4d/config.py       what tools/train.py takes
        seed0_1a2b3c4d/train/          its work dir
        seed0_1a2b3c4d/train.done      that it is done, with its hash
        seed0_1a2b3c4d/test_t5.done    likewise, with the figures
        seed0_1a2b3c4d/*.log           what the tools said
        seed0 -> seed0_1a2b3c4d        the one of the current spec

    Args:
        entry (Entry): What it is a run of.
        seed (int): Of its training.
        cfg (Config): The config with its seed.
        start (Run | None): The run whose weights it takes.
        root (Path): The ablation's folder.
    """

    entry: Entry
    seed: int
    cfg: Config
    start: 'Run | None'
    root: Path

    def __post_init__(self):
        if self.start:
            weights = self.start.key
        else:
            path = self.cfg.load_from
            weights = hash_of_file(path) if path else None
        self.key = training_key(self.cfg, weights)
        self.link = self.root / self.entry.name / f'seed{self.seed}'
        self.folder = self.link.with_name(f'{self.link.name}_{self.key[:8]}')
        self.config = self.folder / 'config.py'

    @property
    def title(self) -> str:
        return f'{self.entry.name}, seed {self.seed}'

    @property
    def trained(self) -> 'Run':
        """The run whose training made the weights that this one tests."""
        return self.start.trained if self.entry.checkpoint_of else self

    @property
    def checkpoint(self) -> Path | None:
        """What its training left, None before it is done."""
        report = read_marker(self.folder / f'{TRAIN}.done', self.key)
        name = report.get('checkpoint')
        return self.folder / TRAIN / name if name else None

    def prepare(self) -> None:
        """Write the config; make this the run of the current spec."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.start:
            self.cfg.load_from = str(self.start.trained.checkpoint)
        temporary = self.folder / '.config.py'
        self.cfg.dump(temporary)
        temporary.replace(self.config)
        if self.link.is_symlink() or not self.link.exists():
            self.link.unlink(missing_ok=True)
            self.link.symlink_to(self.folder.name)


@dataclass(eq=False)
class Stage:
    """The training or one test of a run: one tool, done once.

    Args:
        run (Run): What it belongs to.
        name (str): 'train', or 'test_' and the protocol.
        key (str): The hash of all that decides its result.
        needs (list[Stage]): What must be done before.
        arguments (list[str]): Of the tool, after config and checkpoint.
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
        return f'{self.run.title}, {self.name.replace("_", " ", 1)}'

    @property
    def is_training(self) -> bool:
        return self.name == TRAIN

    @property
    def work_dir(self) -> Path:
        return self.run.folder / self.name

    @property
    def marker(self) -> Path:
        return self.run.folder / f'{self.name}.done'

    @property
    def log(self) -> Path:
        return self.run.folder / f'{self.name}.log'

    @property
    def report(self) -> dict:
        """What the marker says, empty where this is not done."""
        return read_marker(self.marker, self.key)

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
        clip = loader.dataset.get('num_frames', 1)
        return float(length * loader.get('batch_size', 1) * clip)

    def begin(self) -> None:
        """Get its folder ready; a training finds its checkpoints there."""
        self.run.prepare()
        if not self.is_training:
            shutil.rmtree(self.work_dir, ignore_errors=True)
        self.work_dir.mkdir(exist_ok=True)

    def finish(self, seconds: float) -> None:
        """Write the marker.

        Raises:
            RuntimeError: If what the tool should have left is not there.
        """
        done = dict(key=self.key, seconds=round(seconds, 1))
        if self.is_training:
            done['checkpoint'] = self._keep_the_last_checkpoint()
        else:
            done['metrics'] = self._read_metrics()
        AtomicLocalBackend().put_text(
            json.dumps(done, indent=1) + '\n', self.marker
        )

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


@dataclass(eq=False)
class Plan:
    """All runs of an ablation and their stages.

    Args:
        spec (Spec): What is compared.
        runs (list[Run]): Seed by seed, in the order of the entries, so that
            the first whole table is there early.
        stages (list[Stage]): Of all runs, in that order.
    """

    spec: Spec
    runs: list[Run]
    stages: list[Stage]
    tests: dict[tuple[Run, Protocol], Stage]

    def of(self, names: Iterable[str]) -> list[Stage]:
        """The stages that these entries ask for."""
        names = set(names)
        return [s for s in self.stages if s.run.entry.name in names]

    def to_do(self, stages: Iterable[Stage]) -> list[Stage]:
        """Those that are not done, and what they lack to begin.

        A training whose checkpoint was removed is done as long as nothing
        asks for its weights.
        """
        wanted = [stage for stage in stages if not stage.is_done]
        for stage in wanted:
            for need in stage.needs:
                lost = not need.is_done or not need.run.checkpoint.is_file()
                if lost and need not in wanted:
                    wanted.append(need)
        return [stage for stage in self.stages if stage in wanted]


def make_plan(spec: Spec, root: Path) -> Plan:
    """What an ablation in the folder ``root`` consists of."""
    configs = {name: resolve(entry) for name, entry in spec.entries.items()}
    seeds = dict.fromkeys(s for e in spec.entries.values() for s in e.seeds)
    runs: dict[tuple[str, int], Run] = {}

    def run_of(name: str, seed: int) -> Run:
        if (name, seed) not in runs:
            entry = spec.entries[name]
            start = None
            if entry.start in spec.entries:
                start = run_of(entry.start, seed)
            cfg = Config(configs[name].to_dict())
            cfg.randomness.seed = seed
            runs[name, seed] = Run(entry, seed, cfg, start, root)
        return runs[name, seed]

    for seed in seeds:
        for name, entry in spec.entries.items():
            if seed in entry.seeds:
                run_of(name, seed)
    stages, trainings, tests = [], {}, {}
    for run in runs.values():  # starts come before what starts from them
        if run.trained is run:
            needs = [trainings[run.start]] if run.start else []
            trainings[run] = Stage(run, TRAIN, run.key, needs)
            stages.append(trainings[run])
        by_name = {}
        for protocol in run.entry.protocols:
            arguments = protocol.arguments(framewise(run.cfg))
            name = f'test_{_name(protocol, arguments)}'
            if name not in by_name:
                by_name[name] = Stage(
                    run,
                    name,
                    test_key(run.cfg, run.trained.key, arguments),
                    [trainings[run.trained]],
                    arguments,
                )
            stage = by_name[name]
            stage.metrics = (*stage.metrics, *protocol.metrics)
            tests[run, protocol] = stage
        stages += by_name.values()
    return Plan(spec, list(runs.values()), stages, tests)


def _name(protocol: Protocol, arguments: list[str]) -> str:
    """The protocol's, but one name for what is one test."""
    same = arguments[:2] == ['--num-frames', '1']
    return 't1' if same and len(arguments) == 2 else protocol.name


def time_left(plan: Plan, to_do: Iterable[Stage]) -> float | None:
    """Seconds that stages will take, by those that are done; None if none
    tells."""
    done = [
        (stage, seconds)
        for stage in plan.stages
        if (seconds := stage.report.get('seconds'))
    ]
    total = 0.0
    for stage in to_do:
        alike = [(s, seconds) for s, seconds in done if s.name == stage.name]
        if not alike:
            alike = [
                (s, seconds)
                for s, seconds in done
                if s.is_training == stage.is_training
            ]
        own = [a for a in alike if a[0].run.entry is stage.run.entry] or alike
        if not own:
            return None
        work = sum(s.work for s, _ in own)
        total += stage.work * sum(seconds for _, seconds in own) / work
    return total
