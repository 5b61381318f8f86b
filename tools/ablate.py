"""Train and test many configs, with several seeds, into one table.

    python tools/ablate.py configs/ablations/cells_and_connections.yml
    python tools/ablate.py SPEC --dry-run       # what there is to do
    python tools/ablate.py SPEC --only v1 v2    # these, and their starts
    python tools/ablate.py SPEC --seeds 0       # a first table early
    python tools/ablate.py SPEC --report        # tables of what is there

Leaves in work_dirs/ablations/NAME: table.md, table.csv, cost.png and
flicker.png (accuracy against latency and against flicker), matrix.md and .png
(one figure over all protocols), and ENTRY/seedN, links to the runs. Run again,
it goes on where it stopped, and does what the spec has changed; specs share
the runs that they have in common. What fails is reported and does not stop the
rest.
"""

import argparse
import fcntl
import signal
import sys
from contextlib import contextmanager
from pathlib import Path

import torch
from tqdm import tqdm

import mmseg_video.engine.registration  # noqa: F401
from mmseg_video.engine.arguments import CfgOptions, at_least
from mmseg_video.engine.launch import cli
from mmseg_video.experiments import (
    LAUNCHERS,
    Costs,
    Launcher,
    describe,
    execute,
    make_plan,
    missing_files,
    read_spec,
    time_left,
    visible_devices,
    write_report,
)
from mmseg_video.experiments.costs import build_from
from mmseg_video.experiments.report import duration

TOOLS = Path(__file__).resolve().parent


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('spec', help='a YAML file, see configs/ablations/')
    parser.add_argument(
        '--out',
        default='work_dirs/ablations',
        help='the folder of all ablations, default: %(default)s',
    )
    parser.add_argument(
        '--only', nargs='+', metavar='NAME', help='entries to do'
    )
    parser.add_argument(
        '--seeds', nargs='+', type=at_least(0), help='of the runs to do'
    )
    parser.add_argument(
        '--dry-run', action='store_true', help='list what there is to do'
    )
    parser.add_argument(
        '--report', action='store_true', help='only write the tables'
    )
    parser.add_argument(
        '--jobs', type=at_least(1), default=1, help='runs at the same time'
    )
    parser.add_argument('--launcher', choices=LAUNCHERS, default='none')
    parser.add_argument(
        '--gpus',
        type=at_least(1),
        default=1,
        help='processes of each run, with --launcher pytorch or slurm: each '
        'takes a batch, so another number is another training',
    )
    parser.add_argument('--partition', help='of SLURM')
    parser.add_argument('--data-root', help="the data, instead of the spec's")
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=CfgOptions,
        help='merged into every config, after the overrides',
    )
    return parser.parse_args()


@contextmanager
def alone_in(folder):
    """Two at work in one folder would do the same runs."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / '.lock', 'w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ValueError(
                f"another tools/ablate.py is at work in '{folder}': wait for "
                'it, or name another folder with --out'
            ) from None
        yield


def check(plan, names):
    """Refuse what cannot be run before anything is."""
    for name in names:
        run = plan.first_run(name)
        for path in missing_files(run.cfg):
            raise FileNotFoundError(
                f"entry '{name}': there is no '{path}': see Data and Encoders "
                'in the README, or name your data with --data-root'
            )
        try:
            build_from(run.cfg, 'cpu')
        except Exception as error:
            raise ValueError(
                f"entry '{name}' does not build: {error}"
            ) from error


class Progress:
    """Says what ended, and how long the rest will take."""

    def __init__(self, plan, to_do, jobs):
        self.plan, self.left, self.jobs = plan, list(to_do), jobs

    def __call__(self, stage, why):
        self.left.remove(stage)
        if why:
            tqdm.write(f'FAILED: {stage.title}: {why}')
            return
        line = f'{stage.title}: {duration(stage.report["seconds"])}'
        if self.left:
            line += f'; {len(self.left)} left'
        seconds = time_left(self.plan, self.left)
        if seconds:
            line += f', about {duration(seconds / self.jobs)}'
        tqdm.write(line)


def do(args, plan, names, to_do):
    """Do the stages; returns what failed and why."""
    devices = visible_devices(torch.cuda.device_count())
    launcher = Launcher(
        *(TOOLS, args.launcher, args.jobs, args.gpus, devices),
        partition=args.partition,
    )
    if to_do:
        check(plan, names)
    failed = execute(
        to_do,
        launcher,
        args.jobs,
        Progress(plan, to_do, args.jobs),
        launcher.stop,
    )
    return {stage.title: why for stage, why in failed.items()}


def measure(plan, names, costs):
    """The cost of every entry that has a row; returns what failed."""
    rows = [entry for entry in plan.spec.rows if entry.name in names]
    print('measuring parameters and latency ...')
    by_baseline = {}
    for entry in rows:
        by_baseline.setdefault(entry.baseline, []).append(entry.name)
    failed = {}
    for baseline, own in by_baseline.items():
        failed |= costs.measure(
            [plan.first_run(name) for name in own], plan.first_run(baseline)
        )
    return failed


@cli
def main():
    args = parse_args()
    spec = read_spec(
        args.spec, data_root=args.data_root, overrides=args.cfg_options
    )
    root, out = Path(args.out), Path(args.out) / spec.name
    plan = make_plan(spec, root, args.gpus)
    names = spec.with_starts(args.only or spec.entries)
    to_do = plan.to_do(plan.of(names, args.seeds))
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    costs = Costs(root / 'costs.json', spec.size, device)
    failed = {}
    if not args.report:
        print(f'{args.spec}, into {out}')
        print(describe(plan, names, to_do, args.seeds))
    if args.dry_run:
        return
    if not args.report:
        with alone_in(root):
            for run in plan.runs:
                run.link(out)
            failed = do(args, plan, names, to_do)
            failed |= measure(plan, names, costs)
    paths = write_report(plan, out, costs)
    if paths:
        print(f'\n{paths[0].read_text()}')
    print('\n'.join(map(str, paths)))
    for title, why in failed.items():
        print(f'\nFAILED: {title}: {why}')
    if failed:
        raise RuntimeError(
            f'{len(failed)} failed, see above; the same command does them '
            'again, and only them'
        )


def interrupt(*_):
    raise KeyboardInterrupt


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, interrupt)
    try:
        main()
    except KeyboardInterrupt:
        print('\nstopped; the same command goes on from here', file=sys.stderr)
        sys.exit(130)
