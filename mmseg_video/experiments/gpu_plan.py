"""What trainings on Cityscapes take on several GPUs, computed from what one
GPU was measured to do (``tools/gpu_day.sh``).

Measured: the step on one clip, its memory, the loader's images a second with
one GPU's share of cores. Extrapolated from these: more clips a GPU (as many
times the step: an upper bound, as a large GPU is not full with one), more
GPUs (each as fast as one alone), more cores (in proportion).
"""

import re
from dataclasses import dataclass

from mmengine import Config

from ..io.shipped import find_config
from .output import markdown_table

# Title -> config, and the net in the measurements.
TRAININGS = {
    'framewise': ('unet_cityscapes', 'framewise'),
    'framewise, fine-tuned': ('unet_finetune_cityscapes', 'framewise'),
    'laterals': ('rnn_unet_joint_cityscapes', 'laterals'),
    'gated EMA': ('rnn_unet_gated_ema_only_cityscapes', 'gated EMA'),
    'flow-compensated gated EMA': (
        'rnn_unet_gated_ema_flow_cityscapes',
        'flow-compensated gated EMA',
    ),
}
PRECISIONS = ('TF32', 'float16')
VALIDATED = 500  # images of val
LABELLED = 3475  # of train and val: a clip each
# Of the loader on the GPU's machine, before ClipAugment was there.
MEASURED_WAY = 'frame by frame'
ARCHIVE, ARCHIVE_FRAMES = 324e9, 150_000  # bytes, frames


@dataclass(frozen=True)
class Training:
    """What a config asks for.

    Attributes:
        num_frames (int): T.
        batch (int): Clips a GPU and step.
        steps (int): Of the optimiser.
        validations (int): On the way.
    """

    num_frames: int
    batch: int
    steps: int
    validations: int

    @classmethod
    def of(cls, config: str) -> 'Training':
        cfg = Config.fromfile(find_config(config))
        loader = cfg.train_dataloader
        steps = cfg.train_cfg.max_iters
        return cls(
            num_frames=loader.dataset.num_frames,
            batch=loader.batch_size,
            steps=steps,
            validations=steps // cfg.train_cfg.val_interval,
        )


class Measured:
    """A ``gpu_day.json``, asked by case.

    Args:
        content (dict): Of the file.

    Raises:
        ValueError: If a stage that is read was not done.
    """

    def __init__(self, content: dict):
        self._rows = {}
        for name in ('facts', 'training_short', 'loader'):
            stage = content.get('stages', {}).get(name, {})
            if stage.get('status') != 'done':
                raise ValueError(
                    f"stage '{name}' of the GPU day was not done: run bash "
                    f'tools/gpu_day.sh --stages {name}'
                )
            for row in stage['rows']:
                self._rows[row['case']] = row
        self.device = self._rows['device']['note']

    def step(self, net: str, precision: str) -> tuple[float, float]:
        """Seconds and MiB of a step on one clip of T = 5, or one still."""
        row = self._rows[f'{net}, T=5, {precision}']
        stills = 5 if net == 'framewise' else 1
        return row['ms'] / 1000 / stills, row['mib']

    def images(self, num_frames: int) -> tuple[float, int]:
        """Images a second that most workers load, and their number: of
        stills, or of clips."""
        net = 'framewise' if num_frames == 1 else 'laterals'
        found = re.compile(rf'{net}, T=\d+, (\d+) worker processes')
        return max(
            (row['rate'], int(match[1]))
            for case, row in self._rows.items()
            if (match := found.fullmatch(case))
        )


def plan_table(content: dict, gpus: int) -> str:
    """The Markdown table of all trainings on so many GPUs.

    Args:
        content (dict): Of ``gpu_day.json``.
        gpus (int): How many there are, each with as many cores as the
            measured one had workers.
    """
    measured = Measured(content)
    rows = []
    for title, (config, net) in TRAININGS.items():
        training = Training.of(config)
        rate, cores = measured.images(training.num_frames)
        images = training.batch * training.num_frames
        load = images / rate  # seconds of a GPU's share of a step
        validation = (
            training.validations
            * VALIDATED
            * training.num_frames
            / (rate * gpus)
        )
        for precision in PRECISIONS:
            seconds, mib = measured.step(net, precision)
            step = training.batch * seconds
            rows.append(
                [
                    *(title, precision, training.num_frames),
                    f'{training.steps:,} x {training.batch * gpus}',
                    1000 * step,
                    _hours(training.steps * step),
                    f'{gpus * images / step:.0f}',
                    f'{gpus * cores * load / step:.0f}',
                    _hours(training.steps * max(step, load) + validation),
                    training.batch * mib / 1024,
                ]
            )
    return markdown_table(
        [
            *('training', 'precision', 'T', 'steps x clips'),
            *('step, ms', 'net alone, h', 'images/s that it reads'),
            *('cores that load them', f'with {cores} cores a GPU, h'),
            'GiB a GPU',
        ],
        rows,
    )


def loading_table(content: dict, data: dict) -> str:
    """The Markdown table of the cores for each GPU that keep up with the
    laterals' net, for each way to load a sample.

    Args:
        content (dict): Of ``gpu_day.json``.
        data (dict): Of ``tools/dev/data_benchmark.py``: how much cheaper the
            other ways are.
    """
    measured = Measured(content)
    net = 'rnn_unet_joint_cityscapes'
    rate, workers = measured.images(Training.of(net).num_frames)
    needed = 5 / measured.step('laterals', 'TF32')[0]
    base = data['rows'][MEASURED_WAY]['ms']
    rows = [
        [way, found['ms'] / base, needed / rate * workers * found['ms'] / base]
        for way, found in data['rows'].items()
    ]
    return markdown_table(
        ['how samples are loaded', 'ratio', 'cores a GPU'], rows
    )


def disk_table(data: dict) -> str:
    """The Markdown table of the frames that clips of Cityscapes need.

    Args:
        data (dict): Of ``tools/dev/data_benchmark.py``: how much smaller a
            packed frame is.
    """
    size = ARCHIVE / ARCHIVE_FRAMES
    loose = data['rows'][MEASURED_WAY]['bytes']
    jpeg = data['rows']['packed as JPEG q95']['bytes'] / loose
    rows = [
        [
            *(name, f'{frames:,}', f'{frames * size / 1e9:.1f}'),
            f'{frames * size * jpeg / 1e9:.1f}',
        ]
        for name, frames in (
            ('clips of T = 5 of train and val', 5 * LABELLED),
            ('clips of T = 12 of train and val', 12 * LABELLED),
            ('streams of val: all 30 frames', 30 * VALIDATED),
            ('the archive', ARCHIVE_FRAMES),
        )
    ]
    return markdown_table(
        ['what', 'frames', 'GB as PNG', 'GB packed as JPEG'], rows
    )


def _hours(seconds: float) -> str:
    return f'{seconds / 3600:.1f}'
