"""What filters, propagated frames and their rivals make of a net's scores."""

import json
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS, METRICS

from ...apis.segmentors import load_segmentor
from ...engine.launch import load_config, set_data_root
from ...evaluation.bootstrap import compare
from ...evaluation.figures import TEMPORAL_METRICS
from ...evaluation.protocol import Protocol
from ...flow.codec import CodecFlow
from ...flow.full_frames import FullFrames
from ...flow.opencv import DISFlow
from ...flow.previous import FlowToPrevious
from ...flow.usable_frames import UsableFrames
from ...io.atomic import atomic_path, write_text
from ...io.coded_frames import motion_of
from ...io.frames import open_frames
from ...models.filters import EMAFilter
from ...models.propagation import propagate
from ...models.two_sided import TwoSidedFilter
from .steady_settings import ALONE, Setting

SHOWN = (
    *('mIoU', 'mIoU_first_half', 'mIoU_second_half', 'mAcc'),
    *('flicker_static', 'VC8', 'VC16', 'full_frames'),
)

COMPARED = ('mIoU', 'mIoU_clean', 'mIoU_degraded', 'flicker_static')
BOUNDS = ('difference', 'low', 'high')

# A bootstrap draws sequences where there are so many, else blocks of frames.
ENOUGH, BLOCK = 10, 10


class Video:
    """The frames of a data set's streams with labels, a net's scores of them
    and their flow, both kept on disk.

    Args:
        cfg (Config): Of the net; its validation data are taken.
        checkpoint (str): The net's.
        cache (Path): Where scores and flow are kept.
        name (str): Of the data.
        net (str): Of the net.
        num_frames (int | None): The first so many alone. Defaults to None.
        protocol (Protocol | None): Whose frames they are. Defaults to None,
            clean streams.
        file (path | None): A video file of the same frames, which the net
            sees in place of them. Defaults to None.

    Raises:
        ValueError: If the file has other frames.
    """

    def __init__(
        self,
        cfg,
        checkpoint,
        cache,
        name,
        net,
        num_frames=None,
        protocol=None,
        file=None,
    ):
        self.cfg, self.checkpoint = cfg, checkpoint
        self.cache, self.name, self.net = Path(cache), name, net
        cfg.test_dataloader = cfg.val_dataloader
        (protocol or Protocol(stream=True)).apply(cfg)
        dataset = DATASETS.build(cfg.test_dataloader.dataset)
        self.meta = dataset.metainfo
        count = min(num_frames or len(dataset), len(dataset))
        self.samples = [dataset[i] for i in range(count)]
        self.frames = [
            np.ascontiguousarray(s['inputs'][-1].permute(1, 2, 0).numpy())
            for s in self.samples
        ]
        if file is not None:
            self.frames = self._decoded(file)
        self.metas = [s['data_samples'].metainfo for s in self.samples]
        self._flows = {}
        self._model = None

    def _decoded(self, file) -> list[np.ndarray]:
        frames = list(open_frames(file, vectors=True))[: len(self.frames)]
        shapes = [[f.shape for f in those] for those in (frames, self.frames)]
        if shapes[0] != shapes[1]:
            raise ValueError(
                f"'{file}' has not the frames of the data: encode those, in "
                'order'
            )
        return frames

    def begins(self, i: int) -> bool:
        """Whether a sequence begins with frame i."""
        if i == 0:
            return True
        now, before = self.metas[i], self.metas[i - 1]
        step = now['frame_id'] - before['frame_id']
        gap = now.get('max_gap')
        return (
            now['sequence'] != before['sequence']
            or step < 1
            or bool(gap and step > gap)
        )

    def block(self, i: int) -> str:
        """The part of the video that frame i belongs to: its sequence, or
        where there are few, ten frames of it."""
        sequence = self.metas[i]['sequence']
        if self._has_enough:
            return sequence
        return f'{sequence}, frames {i // BLOCK * BLOCK} on'

    @property
    def blocks(self) -> str:
        """How many blocks there are, and of what."""
        count = len({self.block(i) for i in range(len(self.metas))})
        of = 'sequences' if self._has_enough else f'blocks of {BLOCK} frames'
        return f'{count} {of}'

    @property
    def _has_enough(self) -> bool:
        return len({meta['sequence'] for meta in self.metas}) >= ENOUGH

    def scores(self, i: int, scale: float = 1.0) -> torch.Tensor:
        """Scores (1, classes, h, w) of frame i."""
        folder = self.cache / f'{self.name}_{self.net}_{scale:g}'
        path = folder / f'{i:05d}.npy'
        if not path.exists():
            scores, seconds = self.predict(self.frames[i], scale)
            with atomic_path(path) as temporary, open(temporary, 'wb') as file:
                np.save(file, scores)
            with open(folder / 'seconds.txt', 'a') as file:
                file.write(f'{seconds:.5f}\n')
        return torch.from_numpy(np.load(path)).float()[None]

    def predict(self, frame: np.ndarray, scale: float):
        """Scores (classes, h, w) float16 of a frame, and the seconds that
        the net took."""
        model = self._model or self._load()
        height, width = (round(n * scale) for n in frame.shape[:2])
        inputs = torch.from_numpy(frame).permute(2, 0, 1)[None]
        data = model.data_preprocessor(dict(inputs=[inputs]))['inputs']
        if scale != 1:
            data = F.interpolate(
                data[:, -1] if data.ndim == 5 else data,
                (height, width),
                mode='bilinear',
                antialias=True,
            )
        data = data[:, -1] if data.ndim == 5 else data
        start = time.perf_counter()
        with torch.no_grad():
            levels = model.extract_feat(data)
            scores = model.decode_head.forward(levels)
        seconds = time.perf_counter() - start
        # Less the best, which no argmax of averages sees: half precision is
        # finest near 0, where classes compete.
        scores = scores[0] - scores[0].amax(0)
        return scores.half().numpy(), seconds

    def _load(self):
        self._model = load_segmentor(self.cfg, self.checkpoint).model
        return self._model

    def flow_of(self, setting: Setting, cache: Path | None) -> FlowToPrevious:
        """What makes the flow of a setting."""
        folder = f'flow_{self.name}_{setting.preset}_{setting.min_size}'
        estimator = DISFlow(
            setting.preset, cache_dir=cache and str(cache / folder)
        )
        if setting.flow == 'codec':
            estimator = CodecFlow(estimator)
        return FlowToPrevious(
            estimator,
            min_size=setting.min_size,
            max_error_ratio=setting.max_error_ratio,
            photometric_scale=setting.photometric_scale,
            noise_scale=setting.noise_scale,
            blur=setting.blur,
        )

    def field(self, i: int, j: int, setting: Setting) -> torch.Tensor | None:
        """The flow field (1, 3, h, w) from frame i to frame j."""
        if setting.flow is None:
            return None
        key = (
            *(i, j, setting.preset, setting.min_size, setting.noise_scale),
            *(setting.photometric_scale, setting.blur),
            *(setting.max_error_ratio, setting.field_stride, setting.flow),
        )
        if key not in self._flows:
            if self._flows and next(iter(self._flows))[2:] != key[2:]:
                self._flows.clear()
            make = self.flow_of(setting, self.cache)
            now, before = (make.reduce(self.frames[n]) for n in (i, j))
            field = make(now, before, f'{i:05d}_{j:05d}')
            stride = setting.field_stride
            if stride > 1:
                h, w = (n // stride for n in field.shape[1:])
                field = cv2.resize(
                    field.transpose(1, 2, 0),
                    (w, h),
                    None,
                    0,
                    0,
                    cv2.INTER_AREA,
                ).transpose(2, 0, 1)
                field[:2] /= stride
            self._flows[key] = field.astype(np.float16)
        return torch.from_numpy(self._flows[key]).float()[None]


def predictions(video: Video, setting: Setting):
    """Each frame's scores (1, classes, h, w), filtered, and whether the net
    ran on it."""
    filter = EMAFilter(setting.weight, setting.of)
    rule = FullFrames(setting.every, setting.max_every, setting.tolerance)
    usable = UsableFrames(setting.min_contrast)
    smooth = None
    if setting.look_ahead is not None:
        chunk = 1 if setting.look_ahead < 10 else 16
        smooth = TwoSidedFilter(filter, setting.look_ahead, chunk)
    pace, state, paces = None, None, []
    sight, last, out = None, None, None
    for i, frame in enumerate(video.frames):
        flow = back = None
        if video.begins(i):
            if smooth is not None:
                yield from zip(smooth.flush(), paces, strict=False)
                paces = []
            pace, state, sight, last = None, None, None, None
        sight = usable.next(sight, frame)
        if sight.usable:
            if last is not None:
                flow = video.field(i, last, setting)
            if last is not None and smooth is not None:
                back = video.field(last, i, setting)
            last = i
            pace = rule.next(pace, None if flow is None else flow[0].numpy())
        else:
            pace = rule.held(pace)
            if smooth is None:
                yield out, False
                continue
        scores = video.scores(i, setting.scale) if pace.full else None
        if pace.full and setting.upsample > 1:
            scores = F.interpolate(
                scores, scale_factor=setting.upsample, mode='bilinear'
            )
        if smooth is not None:
            paces.append(pace.full)
            done = list(smooth.push(scores, flow, back))
            yield from zip(done, paces, strict=False)
            del paces[: len(done)]
            continue
        if pace.full:
            out, state = filter(scores, state, flow)
        else:
            average, state = propagate(state, flow, filter.decay)
            out = filter.answer(average)
        yield out, pace.full
    if smooth is not None:
        yield from zip(smooth.flush(), paces, strict=False)


@torch.no_grad()
def measure(
    video: Video,
    setting: Setting,
    quick: bool = False,
    blocks: Path | str = '',
) -> dict:
    """The figures of a setting, in percent.

    Args:
        video (Video): With its net.
        setting (Setting): What is done with the scores.
        quick (bool): Without TC. Defaults to False.
        blocks (Path | str): A folder for the results of each block of the
            video (:meth:`Video.block`), for a bootstrap over them. Defaults
            to none.
    """
    cache = str(video.cache / f'flow_metric_{video.name}')
    names = [n for n in TEMPORAL_METRICS if not quick or 'Consist' not in n]
    names += ['VideoConsistencyMetric'] * quick
    flow = dict(type='DISFlow', cache_dir=cache)

    def build(name, **kwargs):
        if name in ('TemporalConsistencyMetric', 'FlickerMetric'):
            kwargs['flow'] = flow
        return METRICS.build(dict(type=name, on_missing='skip', **kwargs))

    metrics = [build(name) for name in names]
    halves = [build('SequenceIoUMetric') for _ in range(2)]
    kept = [
        build(name, save_dir=str(blocks))
        for name in ('SequenceIoUMetric', 'FlickerMetric')
        if blocks
    ]
    for metric in (*metrics, *halves, *kept):
        metric.dataset_meta = video.meta
    full, start = 0, time.perf_counter()
    for i, (out, ran) in enumerate(predictions(video, setting)):
        full += ran
        sample = video.samples[i]
        logits = F.interpolate(out, video.frames[i].shape[:2], mode='bilinear')
        size = video.metas[i]['ori_shape'][:2]
        if logits.shape[2:] != size:  # the data set resized the frame
            logits = F.interpolate(logits, size, mode='bilinear')
        data = sample['data_samples'].to_dict()
        data['pred_sem_seg'] = dict(data=logits.argmax(1))
        data['gt_sem_seg'] = dict(data=sample['data_samples'].gt_sem_seg.data)
        batch = dict(inputs=[sample['inputs']])
        half = halves[int(2 * i >= len(video.frames))]
        for metric in (*metrics, half):
            metric.process(batch, [data])
        for metric in kept:
            metric.process(batch, [dict(data, sequence=video.block(i))])
    for metric in kept:
        metric.compute_metrics(metric.results)
    figures = {}
    for metric in metrics:
        figures |= metric.compute_metrics(metric.results)
    for name, metric in zip(('first', 'second'), halves, strict=True):
        figures[f'mIoU_{name}_half'] = metric.compute_metrics(metric.results)[
            'mIoU'
        ]
    figures['full_frames'] = round(100 * full / len(video.frames), 2)
    figures['seconds'] = round(time.perf_counter() - start, 1)
    return figures


@torch.no_grad()
def time_parts(video: Video, setting: Setting, num_frames: int = 20) -> dict:
    """Median milliseconds of a frame's parts, one after the other.

    Args:
        video (Video): With its net.
        setting (Setting): Of flow and filter.
        num_frames (int): How many are timed. Defaults to 20.
    """
    seconds = {'net': [], 'flow': [], 'filter': [], 'propagate': []}
    filter, state = EMAFilter(setting.weight, setting.of), None
    make = video.flow_of(setting, cache=None)
    others = dict(fast=replace(setting, preset='fast'))
    if motion_of(video.frames[0]) is not None:
        others['codec'] = replace(setting, flow='codec')
    seconds |= {f'flow, {name}': [] for name in others}

    def timed(part, function, *args):
        start = time.perf_counter()
        result = function(*args)
        seconds[part].append(time.perf_counter() - start)
        return result

    for i in range(1, min(num_frames + 1, len(video.frames))):
        now, before = (make.reduce(video.frames[n]) for n in (i, i - 1))
        for name, other in others.items():
            timed(f'flow, {name}', video.flow_of(other, None), now, before)
        field = timed('flow', make, now, before)
        field = torch.from_numpy(field)[None]
        scores, spent = video.predict(video.frames[i], 1.0)
        seconds['net'].append(spent)
        scores = torch.from_numpy(scores).float()[None]
        if state is not None:
            timed('propagate', propagate, state, field, filter.decay)
        _, state = timed('filter', filter, scores, state, field)
    return {
        part: round(1000 * float(np.median(values)), 2)
        for part, values in seconds.items()
    }


def benchmark(
    config: str,
    checkpoint: str,
    net: str,
    data: str,
    settings: dict[str, Setting],
    out: Path,
    cache: Path,
    data_root: str | None = None,
    cfg_options: dict | None = None,
    num_frames: int | None = None,
    quick: bool = False,
    timed: bool = False,
    degrade: float = 0.0,
    file: Path | None = None,
) -> None:
    """Measure all settings, and write a JSON file for each: ``setting``,
    ``figures``, ``differences`` to the net alone with 95 % intervals, and
    ``intervals_over``, what the bootstrap draws; what is there is not
    measured again.

    Args:
        config, checkpoint (str): Of the net.
        net, data (str): How they are called; folders of results.
        settings (dict[str, Setting]): By name.
        out (Path): Where results are written.
        cache (Path): Where scores, flow and the results of blocks of the
            video are kept.
        data_root, cfg_options: Of the config.
        num_frames (int | None): The first so many alone. Defaults to None.
        quick (bool): Without TC and differences. Defaults to False.
        timed (bool): Also the time of the parts. Defaults to False.
        degrade (float): Part of the frames that are made worse, see
            :class:`Protocol`. Defaults to 0.
        file (Path | None): A video file of the data's frames, for their
            motion vectors. Defaults to None.
    """
    protocol = Protocol(stream=True, degrade=degrade)
    cfg = load_config(config, cfg_options)
    set_data_root(cfg, data_root)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    folder = out / data / net
    kept = cache / f'blocks_{data}_{net}_{num_frames or "all"}'
    video = None

    def loaded():
        return video or Video(
            *(cfg, checkpoint, cache, data, net, num_frames, protocol, file)
        )

    for name, setting in settings.items():
        path = folder / f'{setting.key}{"_quick" * quick}.json'
        if not path.exists():
            video = loaded()
            report = dict(setting=setting.plain)
            blocks = '' if quick else kept / setting.key
            report['figures'] = measure(video, setting, quick, blocks)
            if not quick:
                alone = kept / ALONE.key
                if not (alone / 'whole').is_file():
                    measure(video, ALONE, blocks=alone)
                    (alone / 'whole').touch()  # last, so none is of a kill
                report['differences'] = differences(alone, blocks)
                report['intervals_over'] = video.blocks
            write_text(path, json.dumps(report, indent=1) + '\n')
        figures = json.loads(path.read_text())['figures']
        line = ' '.join(f'{figures.get(k, 0):6.2f}' for k in SHOWN)
        print(f'{net:14} {name:46} {line}', flush=True)
    if timed:
        video = loaded()
        write_text(
            folder / 'milliseconds.json',
            json.dumps(time_parts(video, Setting()), indent=1) + '\n',
        )


def differences(alone: Path, ours: Path) -> dict[str, list[float]]:
    """Figure -> its difference and the bounds of the 95 % interval, of a
    bootstrap over the blocks that :func:`measure` kept of both."""
    figures = compare(alone, ours)['figures']
    return {
        name: [round(figures[name][k], 2) for k in BOUNDS]
        for name in COMPARED
        if name in figures
    }
