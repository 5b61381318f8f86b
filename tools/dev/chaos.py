"""Kills trainings at random moments, and loads checkpoints that attack.

    python tools/dev/chaos.py --kills 4 --only framewise   # about a minute
    python tools/dev/chaos.py                              # all of it

Ten settings train tiny nets on generated scenes. Each is trained without a
break, then again, killed (-9) at random moments of its time and resumed. What
is counted: trainings that came to their end (recovered), kills that lost no
more than one interval of checkpoints, and trainings that are bit for bit the
unbroken one. Then every way in is tried with checkpoints that attack.

Leaves chaos.json and chaos.log in --out. Exit status 0 means that nothing was
lost and nothing ran. Stopped, the same command goes on with the next setting.
"""

import contextlib
import json
import os
import random
import re
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from attacks import attack_all  # noqa: E402

from mmseg_video.apis.training import train  # noqa: E402
from mmseg_video.cli.arguments import tool_parser  # noqa: E402
from mmseg_video.datasets.street_scenes import (  # noqa: E402
    write_street_scenes,
)
from mmseg_video.datasets.unlabelled_frames import (  # noqa: E402
    PSEUDO_LABELS,
)
from mmseg_video.engine.launch import cli  # noqa: E402
from mmseg_video.io.atomic import write_text  # noqa: E402
from tests.checkpoints import differences  # noqa: E402
from tests.runs import leaf, options  # noqa: E402

ITERATIONS, INTERVAL = 12, 2
COMMON = {
    'train_cfg.max_iters': ITERATIONS,
    'train_cfg.val_interval': 4,
    'default_hooks.checkpoint.interval': INTERVAL,
    'default_hooks.checkpoint.max_keep_ckpts': 1,
    'default_hooks.logger.interval': 1,
    'visualizer.vis_backends': [],
}
WORKERS = {'train_dataloader.num_workers': 2}
# Name -> config, changes, processes.
SETTINGS = {
    'framewise': ('unet_street', {}, 1),
    'recurrent': ('rnn_unet_street', WORKERS, 1),
    'augmented': ('rnn_unet_augmented_street', WORKERS, 1),
    'burn_in': ('rnn_unet_burn_in_street', {}, 1),
    'mean_teacher': ('rnn_unet_mean_teacher_street', WORKERS, 1),
    'pseudo': ('rnn_unet_pseudo_street', {}, 1),
    'clip_losses': ('rnn_unet_consistency_street', {}, 1),
    'grow': ('rnn_unet_grow_street', WORKERS, 1),
    'ema_accumulate': (
        'rnn_unet_joint_street',
        {
            'default_hooks.ema.type': 'EMAHook',
            'optim_wrapper.accumulative_counts': 3,
            'model.decode_head.dropout_ratio': 0.3,
            'default_hooks.checkpoint.save_best': 'aAcc',
            'default_hooks.checkpoint.rule': 'greater',
        },
        1,
    ),
    'two_processes': ('rnn_unet_mean_teacher_street', {}, 2),
}


@dataclass
class Result:
    """Of one setting."""

    name: str
    kills: int = 0
    recovered: int = 0
    within_one_interval: int = 0
    trainings: int = 0
    identical: int = 0
    seconds: int = 0
    notes: list[str] = field(default_factory=list)


class Kept:
    """Results of settings, for a run that was stopped.

    Args:
        path (Path): The file.
        seed (int): Of the run: those of another one are none of it.
    """

    def __init__(self, path: Path, seed: int):
        self.path, self.seed = path, seed
        self._known = json.loads(path.read_text()) if path.exists() else {}

    def result(self, name: str, kills: int) -> Result | None:
        """Of so many kills, None where it is not known."""
        known = self._known.get(self._key(name, kills))
        return None if known is None else Result(**known)

    def keep(self, result: Result, kills: int) -> None:
        """Write it down."""
        self._known[self._key(result.name, kills)] = asdict(result)
        write_text(self.path, json.dumps(self._known, indent=1))

    def _key(self, name: str, kills: int) -> str:
        return f'{name}, {kills} kills, seed {self.seed}'


class Trainings:
    """Trains one setting, in processes that are forked and not started, since
    a start takes seconds."""

    def __init__(self, name: str, root: Path, folder: Path):
        config, changes, self.processes = SETTINGS[name]
        self.config = str(leaf(config))
        self.folder = folder
        tiny = options(root)
        data_root = {k for k in tiny if k.endswith('data_root')}
        tiny = {k: v for k, v in tiny.items() if k not in data_root}
        self.options = {**tiny, **COMMON, **changes}
        if config.startswith('rnn'):
            self.options['model.neck.in_channels'] = [8, 16, 32, 64]
        if name == 'grow':
            self.options['default_hooks.grow.milestones'] = {
                '4': 6,
                '8': 7,
            }
        self.root = str(root)

    def start(self, work_dir: Path) -> list[int]:
        """Start, or go on; returns the processes."""
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        return [self._fork(work_dir, rank, port) for rank in self._ranks()]

    def _ranks(self) -> range:
        return range(self.processes)

    def _fork(self, work_dir: Path, rank: int, port: int) -> int:
        log = self.folder / f'{work_dir.name}_{rank}.log'
        pid = os.fork()
        if pid:
            return pid
        status = 1
        try:
            with open(log, 'a') as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            torch.set_num_threads(1)
            if self.processes > 1:
                os.environ.update(
                    RANK=str(rank),
                    LOCAL_RANK=str(rank),
                    WORLD_SIZE=str(self.processes),
                    LOCAL_WORLD_SIZE=str(self.processes),
                    MASTER_ADDR='127.0.0.1',
                    MASTER_PORT=str(port),
                )
            self._train(work_dir)
            status = 0
        except SystemExit as end:
            status = end.code or 0
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    @property
    def _train(self) -> Callable[[Path], None]:
        launcher = 'pytorch' if self.processes > 1 else 'none'

        @cli
        def run(work_dir):
            train(
                self.config,
                str(work_dir),
                resume='auto',
                data_root=self.root,
                cfg_options=self.options,
                launcher=launcher,
            )

        return run

    def log(self, work_dir: Path) -> str:
        path = self.folder / f'{work_dir.name}_0.log'
        return path.read_text() if path.exists() else ''

    def last(self, work_dir: Path) -> dict:
        path = work_dir / f'iter_{ITERATIONS}.pth'
        return torch.load(path, weights_only=True)


def wait(pids: list[int], seconds: float = 300) -> list[int | None]:
    """Exit statuses; None of those that had to be killed."""
    end = time.monotonic() + seconds
    left, statuses = set(pids), dict.fromkeys(pids)
    while left and time.monotonic() < end:
        for pid in list(left):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                left.discard(pid)
                statuses[pid] = os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return [statuses[pid] for pid in pids]


def kill(pids: list[int]) -> bool:
    """Whether there was one left to kill."""
    killed = False
    for pid in pids:
        if os.waitpid(pid, os.WNOHANG)[0]:
            continue
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        killed = True
    return killed


def torment(
    name: str, kills: int, root: Path, folder: Path, rng: random.Random
) -> Result:
    """One setting: without a break, and killed so many times."""
    folder.mkdir()
    trainings, result = Trainings(name, root, folder), Result(name)
    whole, broken = folder / 'whole', folder / 'broken'
    start = time.monotonic()
    if any(wait(trainings.start(whole))):
        result.trainings = 1  # and it is not recovered
        result.notes.append(trainings.log(whole)[-500:])
        return result
    seconds = time.monotonic() - start
    wanted = trainings.last(whole)
    while result.kills < kills:
        # Two or three kills, then it may come to its end.
        result.trainings += 1
        done = 0
        for _ in range(min(rng.choice((2, 3)), kills - result.kills)):
            pids = trainings.start(broken)
            time.sleep(rng.uniform(0.2, 1.0) * seconds)
            if not kill(pids):
                break  # it was faster
            result.kills += 1
            reached = _iterations(trainings.log(broken))
            lost = reached[-1] - _saved(broken) if reached else 0
            done = max(done, reached[-1] if reached else 0)
            result.within_one_interval += lost <= INTERVAL
            if lost > INTERVAL:
                result.notes.append(f'lost {lost} of {reached[-1]} iterations')
        statuses = wait(trainings.start(broken))
        if any(statuses):
            result.notes.append(trainings.log(broken)[-500:])
        else:
            result.recovered += 1
            found = list(differences(wanted, trainings.last(broken)))
            result.identical += not found
            result.notes += found[:3]
        aside = folder / f'broken_{result.trainings}'
        broken.rename(aside)
        (folder / 'broken_0.log').rename(f'{aside}.log')
    return result


def _iterations(log: str) -> list[int]:
    return [int(n) for n in re.findall(r'Iter\(train\) \[ *(\d+)/', log)]


def _saved(work_dir: Path) -> int:
    names = [path.stem[5:] for path in work_dir.glob('iter_*.pth')]
    return max((int(name) for name in names if name.isdigit()), default=0)


def label_some(root: Path) -> None:
    """Pseudo-labels for the setting that reads some."""
    import cv2
    import numpy as np

    rng = np.random.default_rng(0)
    folder = root / 'pseudo_labels/train'
    for path in (root / 'leftImg8bit_sequence/train').rglob('*.png'):
        name = path.name.replace('leftImg8bit', 'gtFine_labelTrainIds')
        label = rng.integers(0, 19, cv2.imread(str(path)).shape[:2], np.uint8)
        out = folder / path.parent.name / name
        out.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(out), label)
    (folder / PSEUDO_LABELS).unlink(missing_ok=True)


def _anywhere(text: str) -> str:
    """Without the temporary folder that it happened in."""
    return re.sub(r'[^"\'\s]*/chaos_\w+', 'FOLDER', text)


def main():
    parser = tool_parser(__doc__)
    parser.add_argument('--kills', type=int, default=50, help='in all')
    parser.add_argument('--only', nargs='+', choices=SETTINGS, metavar='NAME')
    parser.add_argument('--no-attacks', action='store_true')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--out', type=Path, default=ROOT / 'work_dirs/results/reliability'
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    names = args.only or list(SETTINGS)
    shares = [args.kills // len(names)] * len(names)
    for i in range(args.kills % len(names)):
        shares[i] += 1
    lines, results, attacks = [], [], []
    kept = Kept(args.out / 'chaos_settings.json', args.seed)

    def say(text):
        lines.append(_anywhere(text))
        print(lines[-1], flush=True)

    say(f'$ python tools/dev/chaos.py {" ".join(sys.argv[1:])}')
    say(f'torch {torch.__version__}, {os.cpu_count()} cores, seed {args.seed}')
    with tempfile.TemporaryDirectory(prefix='chaos_') as name:
        folder = Path(name)
        root = folder / 'data'
        write_street_scenes(root, 2, 2, size=(64, 128), frames=(0, 19))
        label_some(root)
        for name, share in zip(names, shares, strict=True):
            if not share:
                continue
            found = kept.result(name, share)
            if found is None:
                rng = random.Random(f'{args.seed} {name}')
                begin = time.monotonic()
                found = torment(name, share, root, folder / name, rng)
                found.seconds = round(time.monotonic() - begin)
                kept.keep(found, share)
            results.append(found)
            say(
                f'{name}: {found.kills} kills, {found.within_one_interval} '
                f'within one interval; {found.trainings} trainings, '
                f'{found.recovered} recovered, {found.identical} identical'
            )
            for note in found.notes:
                say(f'  {note}')
        if not args.no_attacks:
            trained = folder / names[0] / 'whole'
            if not trained.exists():
                trained.parent.mkdir(exist_ok=True)
                first = Trainings(names[0], root, trained.parent)
                wait(first.start(trained))
            (folder / 'attacks').mkdir()
            with (
                open(os.devnull, 'w') as nothing,
                contextlib.redirect_stdout(nothing),
            ):
                attacks = attack_all(root, trained, folder / 'attacks')
            for found in attacks:
                state = 'RAN' if found['ran'] else 'refused'
                say(f'{state}: {found["what"]}: {found["said"]}')
    totals = {
        key: sum(getattr(result, key) for result in results)
        for key in (
            *('kills', 'within_one_interval', 'trainings'),
            *('recovered', 'identical'),
        )
    }
    totals |= dict(
        attacks=len(attacks), ran=sum(found['ran'] for found in attacks)
    )
    seconds = sum(result.seconds for result in results)
    say(f'{totals}, the trainings in {seconds} s')
    report = dict(
        totals=totals, settings=[asdict(r) for r in results], attacks=attacks
    )
    args.out.mkdir(parents=True, exist_ok=True)
    text = _anywhere(json.dumps(report, indent=1))
    write_text(args.out / 'chaos.json', text + '\n')
    write_text(args.out / 'chaos.log', '\n'.join(lines) + '\n')
    kept.path.unlink(missing_ok=True)
    good = (
        totals['within_one_interval'] == totals['kills']
        and totals['recovered'] == totals['identical'] == totals['trainings']
        and not totals['ran']
    )
    sys.exit(not good)


if __name__ == '__main__':
    main()
