"""What a training step of clips costs, net by net and way by way, in one run.

Time in units of as many framewise steps, and memory; measured once each, so
that a run that was stopped goes on.
"""

import functools
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from mmengine import Config
from tqdm import tqdm

from ...engine.speed import speed_up
from ...io.atomic import write_text
from ...io.locks import FolderLock
from ...io.shipped import find_config
from ..costs import build, device_name, interleaved
from ..output import markdown_table, to_json
from ..store import Store
from .training_step import step_cost, tensor_peak, trainer

FRAMEWISE = 'framewise'
GATED = dict(cell=dict(type='GatedEMACell'), connection='standard')
# Name -> config, and what it changes of the model.
NETWORKS = {
    FRAMEWISE: ('unet_cityscapes', {}),
    'laterals': ('rnn_unet_joint_cityscapes', {}),
    'split laterals': ('rnn_rvm_laterals_cityscapes', {}),
    'gated EMA': ('rnn_unet_gated_ema_only_cityscapes', {}),
    'flow-compensated gated EMA': ('rnn_unet_gated_ema_flow_cityscapes', {}),
    'split laterals, gated EMA': (
        'rnn_rvm_laterals_cityscapes',
        dict(head_rnns=dict(conv_seg=GATED)),
    ),
}


@dataclass(frozen=True)
class Way:
    """How steps are made.

    Args:
        train_cfg (dict): Of the segmentor. Defaults to an empty one.
        speed (dict): Of :func:`speed_up`. Defaults to an empty one.
        bfloat16 (bool): Mixed precision. Defaults to False.
    """

    train_cfg: dict = field(default_factory=dict)
    speed: dict = field(default_factory=dict)
    bfloat16: bool = False


PLAIN = 'all gradients'
WAYS = {
    PLAIN: Way(),
    'checkpoint_frames=1': Way(dict(checkpoint_frames=1)),
    "ref_grad='states'": Way(dict(ref_grad='states')),
    'channels-last': Way(speed=dict(channels_last=True)),
    'compiled': Way(speed=dict(compile=True)),
    'bfloat16, channels-last': Way(
        speed=dict(channels_last=True), bfloat16=True
    ),
}
DEFAULT_WAYS = list(WAYS)[:3]


@dataclass(frozen=True)
class Case:
    """A net that trains in one way on clips of T frames.

    Args:
        network (str): Of :data:`NETWORKS`.
        way (str): Of :data:`WAYS`.
        num_frames (int): T, or how many stills a framewise net takes.
    """

    network: str
    way: str
    num_frames: int

    @property
    def title(self) -> str:
        return f'{self.network}, {self.way}, T={self.num_frames}'

    def build(self, device: torch.device) -> torch.nn.Module:
        """The segmentor, in train mode, with random weights."""
        name, changes = NETWORKS[self.network]
        cfg = Config.fromfile(find_config(name))
        cfg.merge_from_dict(dict(model=changes))
        way = WAYS[self.way]
        recurs = self.network != FRAMEWISE
        model = build(
            cfg,
            device,
            trainable=True,
            train_cfg=way.train_cfg if recurs else None,
        )
        speed_up(model, **way.speed)
        return model

    def step(
        self, size: tuple[int, int], device: torch.device, model=None
    ) -> Callable[[], None]:
        """A function that trains on T frames: one clip, or T stills."""
        stills = self.network == FRAMEWISE
        train = trainer(
            model or self.build(device),
            0 if stills else self.num_frames,
            size,
            device,
            self.num_frames if stills else 1,
        )

        @functools.wraps(train)
        def step() -> None:
            with torch.autocast(
                device.type,
                torch.bfloat16,
                enabled=WAYS[self.way].bfloat16,
            ):
                train()

        return step


def benchmark_steps(
    size: tuple[int, int],
    lengths: Sequence[int],
    networks: Sequence[str],
    ways: Sequence[str],
    repeats: int,
    device: torch.device,
    out: Path,
) -> None:
    """Measure what was not, and write ``steps.json`` and ``steps.md``.

    The arguments are those of ``tools/benchmark_steps.py``.

    Raises:
        RuntimeError: If steps need more memory than there is.
        ValueError: If another process is at work in the folder.
    """
    cases = list(_cases(lengths, networks, ways))
    setting = dict(
        size=list(size), device=device_name(device), torch=torch.__version__
    )
    with FolderLock(out):
        store = Store(out / 'store')
        memory = _memory(cases, size, device, store, setting)
        rounds = _rounds(cases, size, device, repeats, store, setting)
        rows = _rows(cases, memory, rounds, lengths[0])
        report = setting | dict(repeats=repeats, rows=rows)
        write_text(out / 'steps.json', to_json(report))
        page = _page(setting, rows, repeats)
        write_text(out / 'steps.md', page)
    print(page)
    print(f'written to {out}: steps.json, steps.md')


def _cases(lengths, networks, ways) -> Iterator[Case]:
    """The reference first: framewise, plain, as many stills as T is first."""
    yield Case(FRAMEWISE, PLAIN, lengths[0])
    for way in ways:
        if not WAYS[way].train_cfg and way != PLAIN:
            yield Case(FRAMEWISE, way, lengths[0])
        for num_frames in lengths:
            for network in networks:
                yield Case(network, way, num_frames)


def _memory(cases, size, device, store, setting) -> dict[Case, dict]:
    """MiB that steps add at their peak. First, while this process has no
    threads that a fork would lose."""
    found = {}
    for case in tqdm(cases, unit='case', desc='memory'):

        def measure(case=case) -> dict:
            # A framewise net's steps follow each other: one is the peak.
            frames = 1 if case.network == FRAMEWISE else case.num_frames
            alone = Case(case.network, case.way, frames)

            def make() -> Callable[[], None]:
                return alone.step(size, device)

            cost = step_cost(make, device, steps=1)
            if cost is None:
                raise RuntimeError(
                    f'{case.title}: a training step at {size[0]}x{size[1]} '
                    'needs more memory than there is: give a smaller --size, '
                    'or fewer --networks'
                )
            # What a GPU's allocator counts are tensors already.
            on_gpu = device.type == 'cuda'
            tensors = None if on_gpu else tensor_peak(make)
            return dict(mebibytes=cost[1], tensors=tensors)

        what = setting | dict(memory=case.title)
        found[case] = store.once(what, measure)
    return found


def _rounds(
    cases, size, device, repeats, store, setting
) -> list[dict[str, float]]:
    """Seconds of each case, round after round, all in turn."""
    steps = {}

    def one_round() -> dict[str, float]:
        if not steps:
            _prepare(steps, cases, size, device)
        return interleaved(steps, 1, device, warmup=0)

    titles = [case.title for case in cases]
    return [
        store.once(setting | dict(cases=titles, round=i), one_round)
        for i in tqdm(range(repeats), unit='round', desc='time')
    ]


def _prepare(steps, cases, size, device) -> None:
    """One net for the cases that share it, each step made once before."""
    models = {}
    for case in cases:
        way = WAYS[case.way]
        key = (case.network, str(way.speed))
        if key not in models:
            models[key] = case.build(device)
        model = models[key]
        step = case.step(size, device, model)

        def train(model=model, step=step, way=way) -> None:
            model.train_cfg = dict(way.train_cfg)
            step()

        steps[case.title] = train
        train()


def _rows(cases, memory, rounds, reference: int) -> list[dict]:
    base = cases[0]
    stills = statistics.median(r[base.title] for r in rounds) / reference
    rows = []
    for case in cases:
        seconds = statistics.median(r[case.title] for r in rounds)
        ratios = [
            r[case.title] * reference / (r[base.title] * case.num_frames)
            for r in rounds
        ]
        rows.append(
            dict(
                network=case.network,
                way=case.way,
                num_frames=case.num_frames,
                seconds=seconds,
                ratio=seconds / (stills * case.num_frames),
                lowest=min(ratios),
                highest=max(ratios),
                **memory[case],
            )
        )
    for row in rows:
        row['per_frame'] = _per_frame(row, rows)
        for key in ('mebibytes', 'tensors'):
            if row[key]:
                row[f'{key}_ratio'] = row[key] / rows[0][key]
    return rows


def _per_frame(row: dict, rows: list[dict]) -> float | None:
    """MiB of one more frame, from the shortest clips to the longest."""
    key = 'tensors' if row['tensors'] else 'mebibytes'
    same = [
        r
        for r in rows
        if (r['network'], r['way']) == (row['network'], row['way'])
    ]
    first, last = same[0], same[-1]
    frames = last['num_frames'] - first['num_frames']
    return (last[key] - first[key]) / frames if frames else None


def _page(setting: dict, rows: list[dict], repeats: int) -> str:
    height, width = setting['size']
    table = markdown_table(
        [
            *('net', 'gradients', 'T', 's', 'time, ratio', 'MiB'),
            *('ratio', 'MiB of tensors', 'ratio', 'MiB of one more frame'),
        ],
        [
            [
                *(row['network'], row['way'], row['num_frames']),
                row['seconds'],
                f'{row["ratio"]:.2f} ({row["lowest"]:.2f} to '
                f'{row["highest"]:.2f})',
                *(row['mebibytes'], row['mebibytes_ratio']),
                *(row['tensors'], row.get('tensors_ratio')),
                row['per_frame'],
            ]
            for row in rows
        ],
    )
    return (
        f'Training steps at {height}x{width}, {setting["device"]}, torch '
        f'{setting["torch"]}; medians of {repeats} rounds in turn. Time: '
        'against as many framewise steps on stills (in brackets the lowest '
        'and highest round). Memory: what a step adds at its peak, to the '
        'process and in tensors alone, against one framewise step.\n\n'
        f'{table}'
    )
