"""What exact resumption and the checks cost: iterations with and without.

    python tools/dev/reliability_cost.py [CONFIG] [--iterations 60]

Trains a config without a break; every other iteration goes without the seeds,
the look at losses and weights, and the look for signals. The medians of both
kinds are printed and written to --out. Samples are loaded in
advance, so that their time is not counted; seeding one is timed by itself.
The ratio is the median over neighbours.
"""

import json
import statistics
import tempfile
import time
from pathlib import Path

import torch
from mmengine.runner import IterBasedTrainLoop, Runner

from mmseg_video.cli.arguments import tool_parser
from mmseg_video.datasets.seeded import mixed_seed, seed_all
from mmseg_video.datasets.street_scenes import write_street_scenes
from mmseg_video.engine import FiniteLossHook, PreemptionHook
from mmseg_video.engine.launch import (
    load_config,
    set_data_root,
    set_up_processes,
)
from mmseg_video.io.atomic import write_text

ROOT = Path(__file__).parents[2]
CHECKS = (FiniteLossHook, PreemptionHook)


class Timed:
    """Takes the loop's iterations, with and without in turn."""

    def __init__(self, loop):
        self.loop, self.run_iter = loop, loop.run_iter
        self.hooks = list(loop.runner.hooks)
        self.seconds = {'with': [], 'without': []}

    def __call__(self, data_batch: dict) -> None:
        runner, number = self.loop.runner, self.loop.iter
        # Pairs in both orders: with, without, without, with.
        plain = number % 4 in (1, 2)
        _wait()
        start = time.perf_counter()
        if plain:
            runner._hooks = [
                h for h in self.hooks if not isinstance(h, CHECKS)
            ]
            IterBasedTrainLoop.run_iter(self.loop, data_batch)
        else:
            runner._hooks = self.hooks
            self.run_iter(data_batch)
        _wait()
        kind = 'without' if plain else 'with'
        self.seconds[kind].append(time.perf_counter() - start)
        runner._hooks = self.hooks


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def seconds_of_a_seed(times: int = 2000) -> float:
    start = time.perf_counter()
    for i in range(times):
        seed_all(mixed_seed(0, 0, i))
    return (time.perf_counter() - start) / times


def main():
    parser = tool_parser(__doc__)
    parser.add_argument('config', nargs='?', default='rnn_unet_street')
    parser.add_argument('--iterations', type=int, default=60)
    parser.add_argument(
        '--out',
        type=Path,
        default=ROOT / 'work_dirs/results/reliability/cost.json',
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix='cost_') as name:
        folder = Path(name)
        write_street_scenes(folder / 'data', 2, 1, size=(128, 256))
        cfg = load_config(args.config)
        set_data_root(cfg, str(folder / 'data'))
        cfg.work_dir = str(folder / 'run')
        cfg.train_cfg.max_iters = args.iterations + 8
        cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
        cfg.default_hooks.checkpoint.interval = 10**9
        cfg.visualizer.vis_backends = []
        set_up_processes(cfg, 'none')
        runner = Runner.from_cfg(cfg)
        runner._train_loop = runner.build_train_loop(runner._train_loop)
        timed = Timed(runner._train_loop)
        runner._train_loop.run_iter = timed
        runner.train()
    # The first ones are of another kind: memory, kernels.
    seconds = {k: values[4:] for k, values in timed.seconds.items()}
    # Neighbours are compared: the machine's pace may change.
    pairs = zip(seconds['with'], seconds['without'], strict=False)
    medians = {k: statistics.median(v) for k, v in seconds.items()}
    report = dict(
        config=args.config,
        iterations=args.iterations,
        device='cuda' if torch.cuda.is_available() else 'cpu',
        milliseconds={k: round(1e3 * v, 3) for k, v in medians.items()},
        ratio=round(statistics.median(a / b for a, b in pairs), 4),
        microseconds_of_a_seed=round(1e6 * seconds_of_a_seed(), 1),
    )
    text = json.dumps(report, indent=1)
    print(text)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write_text(args.out, text + '\n')


if __name__ == '__main__':
    main()
