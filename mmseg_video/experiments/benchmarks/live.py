"""A net slower than its camera: what is on the screen, and how late."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import torch
from mmengine.registry import init_default_scope
from mmseg.registry import METRICS

from ...apis import LiveSegmentor, VideoSegInferencer, open_net, steady
from ...engine.launch import load_config, set_data_root
from ...io.atomic import write_text
from ..output import markdown_table, to_json
from .steady import Video

HEAD = (
    *('the net takes', 'way', 'frames answered, %', 'median latency, ms'),
    *('worst latency, ms', 'mIoU on the screen'),
)


@dataclass
class Way:
    """Label maps (H, W) of frames, by their number, and when each was there,
    in seconds since the camera began."""

    labels: dict[int, np.ndarray]
    there: dict[int, float]

    def shown(self, number: int, fps: float) -> np.ndarray | None:
        """The map that is on the screen when the frame behind this one comes:
        that of the newest frame that has one; None before the first."""
        until = (number + 1) / fps
        done = [i for i, at in self.there.items() if at <= until]
        return self.labels[max(done)] if done else None


def all_in_order(num: int, fps: float, seconds: float) -> dict[int, float]:
    """When each of the frames is done, where each waits for its turn."""
    there, free = {}, 0.0
    for i in range(num):
        free = max(free, i / fps) + seconds
        there[i] = free
    return there


def newest_only(num: int, fps: float, seconds: float) -> dict[int, float]:
    """When some of the frames are done, where a net that is free takes the
    newest one."""
    there, free, i = {}, 0.0, 0
    while i < num:
        free = max(free, i / fps) + seconds
        there[i] = free
        # A frame that comes right now is there.
        i = max(i + 1, int(free * fps + 1e-6))
    return there


def answered_live(
    inferencer: VideoSegInferencer,
    frames: Sequence[np.ndarray],
    fps: float,
    seconds: float,
) -> Way:
    """What :class:`LiveSegmentor` answers to a camera, as time goes by.

    Args:
        inferencer (VideoSegInferencer): Its net is slowed down.
        frames (Sequence[ndarray]): The camera's, (H, W, 3) uint8 BGR.
        fps (float): Its rate.
        seconds (float): What the net takes at least.
    """
    stepper, way = inferencer.stepper, Way({}, {})
    step = stepper.step

    def slow_step(*args):
        begin = time.perf_counter()
        result = step(*args)
        time.sleep(max(0.0, seconds - (time.perf_counter() - begin)))
        return result

    stepper.step = slow_step
    try:
        with LiveSegmentor(inferencer) as live:
            start = time.perf_counter()
            for i, frame in enumerate(frames):
                due = start + i / fps
                time.sleep(max(0.0, due - time.perf_counter()))
                way.labels[i] = live.answer(frame).label
                way.there[i] = time.perf_counter() - start
    finally:
        stepper.step = step
    return way


def figures_of(video: Video, way: Way, num: int, fps: float, since: int):
    """(frames answered in percent, median and worst latency in ms, mIoU of
    what is on the screen from the frame ``since`` on)."""
    metric = METRICS.build(dict(type='SequenceIoUMetric', on_missing='skip'))
    metric.dataset_meta = video.meta
    for i in range(since, num):
        label = way.shown(i, fps)
        if label is None:
            continue
        sample = video.samples[i]
        size = video.metas[i]['ori_shape'][:2]
        label = cv2.resize(label, size[::-1], None, 0, 0, cv2.INTER_NEAREST)
        data = sample['data_samples'].to_dict()
        data['pred_sem_seg'] = dict(data=torch.from_numpy(label)[None].long())
        data['gt_sem_seg'] = dict(data=sample['data_samples'].gt_sem_seg.data)
        metric.process(dict(inputs=[sample['inputs']]), [data])
    late = [1000 * (at - i / fps) for i, at in way.there.items()]
    figures = metric.compute_metrics(metric.results)
    if 'mIoU' not in figures:
        raise ValueError(
            f'none of the {num} frames of the camera has a label: take more, '
            'or a video that has them'
        )
    miou = float(figures['mIoU'])
    return 100 * len(way.there) / num, median(late), max(late), miou


def benchmark_live(
    config: str,
    checkpoint: str,
    out: Path,
    fps: float,
    periods: Sequence[float],
    data_root: str | None = None,
    cfg_options: dict | None = None,
    num_frames: int | None = None,
) -> str:
    """Measure a net on the first sequence of its config's validation video;
    writes OUT.json and OUT.md, and returns the latter.

    A net that takes so many periods of the camera is the net, which waits
    until they are over. Whoever waits for each frame falls behind; a net that
    takes the newest frame leaves some out, and the last map is held.

    Args:
        config, checkpoint (str): Of a framewise net.
        out (Path): Without a suffix.
        fps (float): Of the camera.
        periods (Sequence[float]): What the net takes, in periods of it.
        data_root, cfg_options: Of the config.
        num_frames (int | None): The first so many alone. Defaults to None.
    """
    cfg = load_config(config, cfg_options)
    set_data_root(cfg, data_root)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    video = Video(cfg, checkpoint, out.parent, 'live', 'net', num_frames)
    num = next(
        (i for i in range(1, len(video.frames)) if video.begins(i)),
        len(video.frames),
    )
    frames = video.frames[:num]
    net = open_net((config, checkpoint))
    inferencer = steady(net)
    labels = [p.label for p in inferencer.predict(frames)]
    alone = [p.label for p in steady(net, filter='none').predict(frames)]
    rows = []
    for each in periods:
        seconds = each / fps
        newest = newest_only(num, fps, seconds)
        ways = {
            'live': answered_live(inferencer, frames, fps, seconds),
            'each frame waits': Way(
                dict(enumerate(labels)), all_in_order(num, fps, seconds)
            ),
            'the newest frame, the last map held': Way(
                {i: alone[i] for i in newest}, newest
            ),
        }
        # Nobody has an answer before the net has its first.
        since = min(num - 1, int(np.ceil(each)) + 1)
        rows += [
            (f'{each:g} frames', name)
            + figures_of(video, way, num, fps, since)
            for name, way in ways.items()
        ]
    table = markdown_table(HEAD, rows)
    settings = dict(
        config=config,
        checkpoint=Path(checkpoint).name,
        **dict(fps=fps, frames=num, rows=rows),
    )
    write_text(out.with_suffix('.json'), to_json(settings))
    write_text(out.with_suffix('.md'), table)
    return table
