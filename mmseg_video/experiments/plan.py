"""What is to be done for an ablation, and what of it is done."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from mmengine import Config

from ..evaluation.figures import check_figures
from ..evaluation.protocol import Protocol
from .resolve import framewise, resolve, test_key
from .spec import Entry, Spec
from .stages import TRAIN, Run, Stage


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

    def models(self, entry: Entry) -> tuple[Config, Config | None]:
        """The configs of an entry and of its baseline, if it has one."""
        base = self.first_run(entry.baseline)
        return self.first_run(entry.name).cfg, base and base.cfg

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

    def check_weights(self, stages: Iterable[Stage]) -> None:
        """Refuse stages whose weights nobody has made or will make.

        Raises:
            FileNotFoundError: If a checkpoint that an entry names is missing.
        """
        for stage in stages:
            run = stage.run
            if run.missing:
                raise FileNotFoundError(
                    f"entry '{run.entry.name}': {run.entry.key_of_start} "
                    f"'{run.missing}' is not there, and nothing in this spec "
                    'makes it: bring it, or name another'
                )


def make_plan(spec: Spec, root: Path, processes: int = 1) -> Plan:
    """What an ablation consists of.

    Args:
        spec (Spec): What is compared.
        root (Path): The folder of all ablations.
        processes (int): How many do one training. Defaults to 1.

    Raises:
        FileNotFoundError: If a checkpoint that an entry names is not there.
    """
    plan = outline(spec, root, processes)
    plan.check_weights(plan.stages)
    return plan


def outline(spec: Spec, root: Path, processes: int = 1) -> Plan:
    """As :func:`make_plan`, but checkpoints may be missing: of what is not
    asked for, or where nothing is carried out (:meth:`Plan.check_weights`)."""
    runs = {}
    stages: dict[tuple[Path, str], Stage] = {}
    tests = {}

    def stage(run: Run, name: str, *args) -> Stage:
        """Runs that are alike share a folder, and its stages."""
        return stages.setdefault((run.folder, name), Stage(run, name, *args))

    for run in _runs(spec, root, processes):
        entry, own = run.entry, []
        runs[run] = own
        needs = runs[run.start][:1] if run.start else []
        if not entry.checkpoint_of:
            amp = ['--amp'] if entry.amp else []
            own.append(stage(run, TRAIN, run.key, needs, amp))
            needs = own[:1]
        for protocol, metrics in entry.protocols.items():
            seen = protocol.of_key_frame if framewise(run.cfg) else protocol
            read = replace(seen, amp=seen.amp or entry.amp)
            arguments = read.arguments
            if entry.sequences or check_figures(metrics):
                arguments += ['--temporal']
            if entry.sequences:
                arguments += ['--sequences']
            key = test_key(run.cfg, run.weights, arguments)
            name = f'test_{seen.name}_{key[:8]}'
            test = stage(run, name, key, needs, arguments)
            test.metrics = (*test.metrics, *metrics)
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
            entry = spec.entries[name].of_seed(seed)
            start = None
            if entry.start in spec.entries:
                start = make(entry.start, seed)
            cfg = Config(configs[name].to_dict())
            cfg.randomness.seed = seed
            if entry.load_from:
                cfg.load_from = entry.load_from
            runs[name, seed] = Run(entry, seed, cfg, start, root, processes)
        return runs[name, seed]

    for seed in seeds:
        for name, entry in spec.entries.items():
            if seed in entry.seeds:
                make(name, seed)
    return list(runs.values())


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
        name = stage.run.entry.name
        own = [a for a in alike if a[0].run.entry.name == name] or alike
        if not own:
            return None
        work = sum(s.work for s, _ in own)
        total += stage.work * sum(seconds for _, seconds in own) / work
    return total
