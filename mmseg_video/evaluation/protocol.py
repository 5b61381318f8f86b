"""How a model is tested: parsed, named and applied here alone."""

import re
from dataclasses import dataclass, replace

from mmengine import Config
from mmseg.registry import MODELS

from ..choices import AMP, CORRUPTIONS
from ..datasets.corruptions import SEVERITIES
from ..flow.full_frames import ADAPTIVE, FullFrames

_NAME = re.compile(
    r'(?:t(?P<num_frames>[1-9]\d*)(?:_interval(?P<interval>[1-9]\d*))?'
    r'|(?P<stream>stream)'
    r'(?:_every(?P<every>[2-9]|[1-9]\d+)|_(?P<adaptive>adaptive))?)'
    r'(?:_degrade(?P<degrade>[\d.e-]+))?'
    rf'(?:_(?P<kind>{"|".join(CORRUPTIONS)})_(?P<severity>\d))?'
    rf'(?P<tta>_tta)?(?:_(?P<amp>amp|{"|".join(AMP)}))?'
)


@dataclass(frozen=True)
class Protocol:
    """A way of testing: on clips or streams, clean or degraded.

    Args:
        num_frames (int | None): T of the clips. Defaults to None, the
            config's.
        interval (int | None): Their stride in frames. Defaults to None, the
            config's.
        stream (bool): Whether every frame of every sequence is tested in
            order, with states carried, and no clips. Defaults to False.
        every (int | str): In a stream, the net runs on every so many frames,
            or 'adaptive', see :class:`FullFrames`; the warped state answers
            on the others. Defaults to 1, all frames.
        degrade (float): Part of the frames that are dropped, dark, noisy or
            blurred, the same ones for all models. Defaults to 0.
        corrupt (tuple[str, int] | None): A corruption of all frames and its
            severity. Defaults to None.
        tta (bool): Whether with the config's test-time augmentation.
            Defaults to False.
        amp (bool | str): Whether in mixed precision: 'float16', 'bfloat16',
            or True, the one of the device. Defaults to False.

    Raises:
        ValueError: If a value is out of range, or two do not go together.
    """

    num_frames: int | None = None
    interval: int | None = None
    stream: bool = False
    every: int | str = 1
    degrade: float = 0.0
    corrupt: tuple[str, int] | None = None
    tta: bool = False
    amp: bool | str = False

    def __post_init__(self):
        if self.stream and (self.num_frames or self.interval or self.tta):
            raise ValueError(
                '--stream goes with none of --num-frames, --frame-interval, '
                '--tta'
            )
        object.__setattr__(self, 'every', _every(self.every))
        if self.amp not in (False, True, *AMP):
            raise ValueError(f'--amp is {" or ".join(AMP)}, got {self.amp!r}')
        if self.every != 1 and not self.stream:
            raise ValueError('--every is of streams: add --stream')
        if self.tta and not self.is_clean:
            raise ValueError('--tta goes with neither --degrade nor --corrupt')
        if not 0 <= self.degrade <= 1:
            raise ValueError(
                f'--degrade is a part of the frames, 0 to 1: {self.degrade}'
            )
        if self.corrupt:
            kind, severity = self.corrupt
            # A command line gives text.
            known = [str(severity) for severity in SEVERITIES]
            if kind not in CORRUPTIONS or str(severity) not in known:
                raise ValueError(
                    f'--corrupt {kind} {severity}: choose of '
                    f'{", ".join(CORRUPTIONS)}, and a severity of '
                    + ', '.join(known)
                )
            object.__setattr__(self, 'corrupt', (kind, int(severity)))

    @classmethod
    def parse(cls, name: str) -> 'Protocol':
        """The protocol of a name such as ``t5_interval3_degrade0.2``.

        Raises:
            ValueError: If no protocol has this name.
        """
        match = _NAME.fullmatch(name)
        try:
            return cls(
                num_frames=match['num_frames'] and int(match['num_frames']),
                interval=match['interval'] and int(match['interval']),
                stream=bool(match['stream']),
                every=match['adaptive'] or match['every'] or 1,
                degrade=float(match['degrade'] or 0),
                corrupt=match['kind']
                and (match['kind'], int(match['severity'])),
                tta=bool(match['tta']),
                amp=True if match['amp'] == 'amp' else match['amp'] or False,
            )
        except (TypeError, ValueError):
            raise ValueError(
                f"unknown protocol '{name}': choose stream, stream_every3, "
                'stream_adaptive, or clips of T frames such as t5 or '
                't5_interval3, and where the video is '
                'made worse _degrade0.2 or one of '
                + ', '.join(f'_{kind}_1' for kind in CORRUPTIONS)
                + ' (to _3) behind it'
            ) from None

    @property
    def name(self) -> str:
        """Of reports and folders; :meth:`parse` reads it again."""
        parts = [] if self.num_frames is None else [f't{self.num_frames}']
        if self.stream:
            parts = ['stream']
        if self.every != 1:
            adaptive = self.every == ADAPTIVE
            parts.append(ADAPTIVE if adaptive else f'every{self.every}')
        if (self.interval or 1) > 1:
            parts.append(f'interval{self.interval}')
        if self.degrade:
            parts.append(f'degrade{self.degrade:g}')
        parts += map(str, self.corrupt or ())
        parts += ['tta'] * self.tta
        if self.amp:
            parts.append('amp' if self.amp is True else self.amp)
        return '_'.join(parts)

    @property
    def is_clean(self) -> bool:
        """Whether the video is as it is."""
        return not (self.degrade or self.corrupt)

    @property
    def of_key_frame(self) -> 'Protocol':
        """The same test of a model that reads the key frame alone: all clips
        of clean video are one to it, and it runs on all frames."""
        if self.stream or not self.is_clean:
            return replace(self, every=1)
        return replace(self, num_frames=1, interval=None)

    @property
    def arguments(self) -> list[str]:
        """What ``tools/test.py`` takes."""
        arguments = ['--stream'] * self.stream
        if self.every != 1:
            arguments += ['--every', str(self.every)]
        if self.num_frames:
            arguments += ['--num-frames', str(self.num_frames)]
        if self.interval:
            arguments += ['--frame-interval', str(self.interval)]
        if self.degrade:
            arguments += ['--degrade', str(self.degrade)]
        if self.corrupt:
            arguments += ['--corrupt', *map(str, self.corrupt)]
        if self.amp:
            arguments += ['--amp', *([] if self.amp is True else [self.amp])]
        return arguments + ['--tta'] * self.tta

    def apply(self, cfg: Config) -> 'Protocol':
        """Make a config test so, in place; the protocol with T and stride
        filled in.

        Raises:
            ValueError: If the config has no test-time augmentation to apply,
                or its model sees every frame alone but is to skip some.
        """
        dataset = cfg.test_dataloader.dataset
        if self.stream and not cfg.model.get('test_cfg'):
            cfg.model.test_cfg = dict(mode='whole')
        if self.num_frames:
            dataset.num_frames = self.num_frames
        if self.interval:
            dataset.frame_interval = self.interval
        if self.stream:
            dataset.update(mode='stream', num_frames=1, frame_interval=1)
            read_in_order(cfg)
            cfg.model.test_cfg.streaming = True
        if self.every != 1:
            if not hasattr(MODELS.get(cfg.model.type), 'propagate'):
                raise ValueError(
                    f'--every {self.every}: {cfg.model.type} sees every frame '
                    'alone, and has nothing to answer with where the net does '
                    'not run: test it with a filter (temporal_smoothing)'
                )
            cfg.model.test_cfg.every = self.every
        self._make_worse(dataset.pipeline)
        if self.amp:
            cfg.test_cfg.amp = self.amp
        if self.tta:
            for key in ('tta_pipeline', 'tta_model'):
                if not cfg.get(key):
                    raise ValueError(f'--tta: the config has no {key}')
            dataset.pipeline = cfg.tta_pipeline
            cfg.tta_model.module = cfg.model
            cfg.model = cfg.tta_model
        if dataset.get('mode') == 'stream':
            every = (cfg.model.get('test_cfg') or {}).get('every', self.every)
            return replace(
                self,
                stream=True,
                every=every,
                num_frames=None,
                interval=None,
            )
        return replace(
            self,
            num_frames=dataset.get('num_frames', 1),
            interval=dataset.get('frame_interval', 1),
        )

    def _make_worse(self, pipeline: list[dict]) -> None:
        """Right after the frames are loaded."""
        worse = []
        if self.corrupt:
            kind, severity = self.corrupt
            worse.append(
                dict(type='CorruptFrames', kind=kind, severity=severity)
            )
        if self.degrade:
            worse.append(
                dict(
                    type='RandomBurst', prob=self.degrade, max_length=1, seed=0
                )
            )
        if worse:
            types = [transform['type'] for transform in pipeline]
            if 'LoadRefFrames' not in types:
                raise ValueError(
                    '--degrade and --corrupt change frames behind '
                    'LoadRefFrames, which the test pipeline has not: test a '
                    'config of video (_base_/datasets)'
                )
            after = types.index('LoadRefFrames') + 1
            pipeline[after:after] = worse


def _every(value: int | str) -> int | str:
    """As :class:`FullFrames` takes it; a command line gives text."""
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    try:
        return FullFrames(value).every
    except ValueError as error:
        raise ValueError(f'--every: {error}') from None


def read_in_order(cfg: Config) -> None:
    """Frame by frame, the sequences whole to one process each."""
    cfg.test_dataloader.batch_size = 1
    cfg.test_dataloader.sampler = dict(type='SequenceSampler')
