"""Two models on the same video, tested and reported with intervals."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..choices import CORRUPTIONS
from ..datasets.corruptions import SEVERITIES
from ..engine.checkpoints import check_checkpoint
from ..engine.published import find_checkpoint
from ..evaluation.bootstrap import compare
from ..evaluation.protocol import Protocol
from ..io.locks import FolderLock
from .comparison_report import (
    write_degraded,
    write_report,
    write_robustness,
)
from .costs import Costs, chosen_device
from .launch import Launcher
from .perform import perform, report_failures
from .plan import make_plan
from .spec import SIZE, Entry, Spec


def compare_models(
    config: str,
    checkpoint: str | None,
    baseline: tuple[str, str | None],
    out: Path,
    launcher: Launcher,
    num_frames: int | None = None,
    every: int | str = 1,
    degrade: Sequence[float] = (0.0,),
    robustness: bool = False,
    size: tuple[int, int] | None = None,
    data_root: str | None = None,
    cfg_options: dict | None = None,
) -> None:
    """Test both models and write comparison.md, .json and .png.

    The arguments are those of ``tools/compare.py``; where a checkpoint is
    None, it is the one that is published for the config's name.

    Raises:
        ValueError: If ``robustness`` is asked for without labels.
        RuntimeError: If a test failed.
    """
    protocol = Protocol(num_frames, stream=num_frames is None, every=every)
    files = dict(baseline=baseline, model=(config, checkpoint))
    models = {
        name: (config, find_checkpoint(checkpoint, config))
        for name, (config, checkpoint) in files.items()
    }
    for _, weights in models.values():
        check_checkpoint(weights)
    parts = [replace(protocol, degrade=part) for part in degrade]
    corrupted = {
        kind: [replace(protocol, corrupt=(kind, n)) for n in SEVERITIES]
        for kind in CORRUPTIONS
    }
    asked = [*parts, *(p for each in corrupted.values() for p in each)]
    entries = {
        name: Entry(
            name,
            Path(config),
            checkpoint_of=checkpoint,
            data_root=data_root,
            overrides=(cfg_options,) if cfg_options else (),
            protocols=dict.fromkeys(asked, ()),
            sequences=True,
        )
        for name, (config, checkpoint) in models.items()
    }
    plan = make_plan(Spec('comparison', entries), out)
    runs = [plan.first_run(name) for name in entries]

    def reports(protocols: Sequence[Protocol]) -> list[dict]:
        stages = [[plan.tests[r, p] for r in runs] for p in protocols]
        both = [stage for pair in stages for stage in pair]
        done = len(both) - len(plan.to_do(both))
        print(f'{done} of {len(both)} tests are done')
        report_failures(perform(plan, both, launcher))
        return [compare(*(s.work_dir for s in pair)) for pair in stages]

    with FolderLock(out):
        for run in runs:
            run.link(out)
        by_part = dict(zip(degrade, reports(parts), strict=True))
        clean = by_part[degrade[0]]
        report = dict(
            clean,
            models=files,
            command=sys.argv[1:],
        )
        report['figures'] = clean['figures'] | _costs(runs, out, size)
        print(write_report(report, out))
        names = ['comparison.md', 'comparison.json', 'comparison.png']
        if len(by_part) > 1:
            write_degraded(by_part, out)
            names += ['degraded.json', 'degraded.png']
        if robustness:
            if 'mIoU' not in clean['figures']:
                raise ValueError('--robustness is about mIoU: it needs labels')
            if 0 not in by_part:  # what stands first was degraded
                (clean,) = reports([replace(parts[0], degrade=0.0)])
            by_kind = {
                kind: dict(enumerate([clean, *reports(protocols)]))
                for kind, protocols in corrupted.items()
            }
            print(write_robustness(by_kind, out))
            names += [f'robustness.{end}' for end in ('md', 'json', 'png')]
    print('\n'.join(str(out / name) for name in names))


def _costs(runs, out: Path, size: tuple[int, int] | None) -> dict[str, dict]:
    """Parameters, and the latency of a streamed frame of this size."""
    costs = Costs(out / 'costs', size or SIZE, chosen_device())
    base, ours = (run.cfg for run in runs)
    figures = costs.measure(ours, base, latency=size is not None)
    rows = {
        'parameters (M)': (
            costs.get(base)['parameters'] / 1e6,
            figures['parameters'] / 1e6,
        )
    }
    if size:
        latency = figures['latency_ms']
        rows[f'latency (ms, {size[0]}x{size[1]})'] = (
            latency / figures['ratio'],
            latency,
        )
    return {
        name: dict(baseline=base, model=ours, difference=ours - base)
        for name, (base, ours) in rows.items()
    }
