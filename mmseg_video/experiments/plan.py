"""What is to be done for an ablation, and what of it is done."""

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mmengine import Config

from ..datasets import sequence_config
from ..engine.atomic_backend import AtomicLocalBackend
from ..engine.checkpoints import find_last_checkpoint
from ..evaluation.protocol import Protocol
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
        if self.entry.checkpoint_of:
            self.key = test_key(self.cfg, self.start.key, [])
        else:
            start = self.start
            weights = start.key if start else self._weights_from_outside()
            self.key = training_key(
                self.cfg, weights, self.processes, self.entry.amp
            )
        stem = f'{self.entry.config.stem}_seed{self.seed}_{self.key[:8]}'
        self.folder = self.root / 'runs' / stem

    def _weights_from_outside(self) -> str | None:
        """The hash of the checkpoint that its config starts from."""
        path = self.cfg.load_from
        if path and '://' not in path and not Path(path).is_file():
            raise FileNotFoundError(
                f"entry '{self.entry.name}': {self.entry.config} starts from "
                f"'{path}', which is not there: train it, or name another in "
                'load_from'
            )
        return hash_of_file(path) if path else None

    @property
    def title(self) -> str:
        return f'{self.entry.name}, seed {self.seed}'

    @property
    def trained(self) -> 'Run':
        """The run whose training made the weights that this one tests."""
        return self.start if self.entry.checkpoint_of else self

    @property
    def checkpoint(self) -> Path | None:
        """What its training left, None before it is done."""
        report = read_marker(self.folder / f'{TRAIN}.done', self.key)
        name = report.get('checkpoint')
        return self.folder / TRAIN / name if name else None

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
        temporary = self.config.with_name(f'.{self.config.name}')
        cfg.dump(temporary)
        temporary.replace(self.config)

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
        runs (dict[Run, list[Stage]]): Runs and what each asks for, seed by
            seed, so that a first whole table is there early. Runs that are
            alike have stages in common.
        tests (dict): Run and protocol -> the stage that has the figures.
    """

    spec: Spec
    runs: dict[Run, list[Stage]]
    tests: dict[tuple[Run, Protocol], Stage]

    @property
    def stages(self) -> list[Stage]:
        """Of all runs, each once."""
        return self.of(self.spec.entries)

    def of(
        self, names: Iterable[str], seeds: Iterable[int] | None = None
    ) -> list[Stage]:
        """The stages that these entries ask for, each once.

        Args:
            names (Iterable[str]): Of the entries.
            seeds (Iterable[int] | None): Defaults to None, all.

        Raises:
            ValueError: If none of them has such a seed.
        """
        own = {run.seed for run in self.runs if run.entry.name in names}
        unknown = sorted(set(seeds or ()) - own)
        if unknown:
            raise ValueError(
                f'no run has the seed {unknown[0]}: choose of '
                + ', '.join(map(str, sorted(own)))
            )
        asked = [
            own
            for run, own in self.runs.items()
            if run.entry.name in names and (not seeds or run.seed in seeds)
        ]
        return list(dict.fromkeys(stage for own in asked for stage in own))

    def first_run(self, name: str | None) -> Run | None:
        """The run of an entry with its first seed."""
        return next((r for r in self.runs if r.entry.name == name), None)

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


def make_plan(spec: Spec, root: Path, processes: int = 1) -> Plan:
    """What an ablation consists of.

    Args:
        spec (Spec): What is compared.
        root (Path): The folder of all ablations.
        processes (int): How many do one training. Defaults to 1.
    """
    runs = {}
    stages: dict[tuple[Path, str], Stage] = {}
    tests = {}

    def stage(run: Run, name: str, *args) -> Stage:
        """Runs that are alike share a folder, and its stages."""
        return stages.setdefault((run.folder, name), Stage(run, name, *args))

    for run in _runs(spec, root, processes):
        own = runs[run] = []
        amp = ['--amp'] if run.entry.amp else []
        source = run.trained
        if source is run:
            starts = runs[run.start][:1] if run.start else []
            own.append(stage(run, TRAIN, run.key, starts, amp))
        for protocol in run.entry.protocols:
            read = protocol.arguments(framewise(run.cfg))
            arguments = read + amp
            key = test_key(run.cfg, source.key, arguments)
            name = f'test_{_label(protocol, read)}_{key[:8]}'
            test = stage(run, name, key, runs[source][:1], arguments)
            test.metrics = (*test.metrics, *protocol.metrics)
            tests[run, protocol] = test
            if test not in own:
                own.append(test)
    return Plan(spec, runs, tests)


def _runs(spec: Spec, root: Path, processes: int) -> list[Run]:
    """Seed by seed; what others start from comes before them."""
    configs = {name: resolve(entry) for name, entry in spec.entries.items()}
    seeds = dict.fromkeys(s for e in spec.entries.values() for s in e.seeds)
    runs = {}

    def make(name: str, seed: int) -> Run:
        if (name, seed) not in runs:
            entry = spec.entries[name]
            start = None
            if entry.start in spec.entries:
                start = make(entry.start, seed)
            cfg = Config(configs[name].to_dict())
            cfg.randomness.seed = seed
            runs[name, seed] = Run(entry, seed, cfg, start, root, processes)
        return runs[name, seed]

    for seed in seeds:
        for name, entry in spec.entries.items():
            if seed in entry.seeds:
                make(name, seed)
    return list(runs.values())


def _label(protocol: Protocol, arguments: list[str]) -> str:
    """The protocol's, but one name for what is one test."""
    return 't1' if arguments == ['--num-frames', '1'] else protocol.name


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
