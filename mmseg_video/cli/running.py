"""What ``mmseg-video run`` does with its arguments."""

import argparse
import functools
import os
import sys

from ..apis import VideoSegInferencer, steady
from ..apis.run import (
    Drawing,
    Excerpt,
    Targets,
    Way,
    find_videos,
    run_video,
    run_videos,
)
from ..apis.segmentors import load_segmentor
from ..apis.steady import filter_in_words
from ..engine.processes import Processes, join_processes
from ..io.class_names import read_class_names
from ..io.shipped import find_config
from ..models.steady_filters import default_filter

# Where no model is named: the one of ours that has seen real streets.
OURS = 'unet_imagenet_camvid'


def run(args: argparse.Namespace) -> None:
    """Run what the arguments name on one video, or on many."""
    if not args.model and not args.config:
        args.config = OURS
        print(
            f"no model is named: {OURS}, CamVid's 11 classes of streets by "
            'day, not for commercial use; --model NAME takes another',
            file=sys.stderr,
        )
    targets = Targets(
        args.out, args.labels, args.json, args.heat_map, args.show
    )
    size = args.resize and tuple(args.resize)
    excerpt = Excerpt(
        *(args.start, args.end, args.stride, args.max_frames),
        *(size, args.fps, args.broken, args.flow == 'codec'),
    )
    kind = args.draw or ('beside' if args.baseline else 'overlay')
    drawing = Drawing(kind, args.opacity, args.panel_width, args.legend)
    way = Way('offline' if args.offline else args.lag, args.live)
    videos = find_videos(args.input)
    if videos is None:
        _run_one(args, targets, excerpt, drawing, way)
    else:
        _run_many(args, videos, targets, excerpt, drawing, way)


def open_model(
    args: argparse.Namespace, processes: Processes
) -> VideoSegInferencer:
    """The model that the arguments name."""
    device = args.device
    if device is None and processes.size > 1:
        device = processes.device
    options = dict(
        device=device,
        amp=args.amp,
        every=args.every,
        min_contrast=args.min_contrast,
    )
    for name in ('max_every', 'tolerance', 'max_held'):
        if getattr(args, name) is not None:
            options[name] = getattr(args, name)
    options |= net_options(args)
    net, filter = args.model, args.steady
    if not net:
        net = load_segmentor(config_path(args.config), args.checkpoint)
        if filter is None:
            own = getattr(net.model, 'own_filter', None)
            filter = default_filter(own, args.flow)
        if filter == 'gated' and not getattr(net.model, 'state_maps', None):
            raise ValueError(
                '--steady gated is the gated EMA of a model that was trained '
                f"with one; '{args.config}' has no states: take flow"
            )
        if filter in ('none', 'gated') and not args.classes:
            # Its own step, filter and flow.
            return VideoSegInferencer.from_loaded(net, **options)
    return steady(net, filter=filter, flow=args.flow, **options)


def filter_line(model: VideoSegInferencer, args: argparse.Namespace) -> str:
    """Which filter a model runs with, and whether nobody asked for it."""
    words = filter_in_words(model.model)
    if args.flow == 'codec':
        return f"filter: {words} along the codec's motion vectors"
    default = args.steady is None and '(' not in words
    return f'filter: {words}{" (default)" if default else ""}'


def net_options(args: argparse.Namespace) -> dict:
    """What the arguments say of the net itself, for :func:`steady`."""
    options = dict(providers=getattr(args, 'providers', None))
    for name in ('mean', 'std', 'bgr'):
        options[name] = getattr(args, name, None) or None
    if args.classes:
        first = args.classes[0]
        options['classes'] = args.classes
        is_list = first.lower().endswith(('.json', '.txt'))
        if len(args.classes) == 1 and (is_list or os.path.isfile(first)):
            options['classes'], colours = read_class_names(first)
            options['palette'] = colours
    return {k: value for k, value in options.items() if value is not None}


def config_path(config: str) -> str:
    """The path of a config; where there is none, what may have been meant."""
    try:
        return find_config(config)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{error}. A net of mmseg's zoo, hf://ID, torchvision://NAME or "
            'MODEL.onnx is named by --model'
        ) from None


def _run_one(args, targets, excerpt, drawing, way) -> None:
    if args.launcher != 'none':
        raise ValueError(
            f"--launcher {args.launcher} shares many videos, '{args.input}' "
            'is one: leave it out'
        )
    targets.check(args.input)
    frames = excerpt.open(args.input)
    model = open_model(args, Processes())
    words = filter_in_words(model.model)
    caption = 'prediction' if words.startswith('none') else words
    models = {caption: model}
    if args.baseline:
        baseline = VideoSegInferencer(
            *args.baseline, device=args.device, amp=args.amp
        )
        if tuple(baseline.classes) != tuple(model.classes):
            raise ValueError(
                f'the model has {len(model.classes)} classes, the baseline '
                f'{len(baseline.classes)} others: they cannot share a legend'
            )
        models['baseline'] = baseline
    run = run_video(frames, models, targets, excerpt, drawing, way)
    print(run.report)
    print(filter_line(model, args))
    if targets.paths:
        print(f'written to {targets}')


def _run_many(args, videos, targets, excerpt, drawing, way) -> None:
    if args.baseline:
        raise ValueError('--baseline is drawn beside one video, not many')
    processes = join_processes(args.launcher)
    names = ('model', 'config', 'checkpoint', 'steady', 'every', 'amp')
    names = (*names, 'max_every', 'tolerance', 'flow')
    names = (*names, 'min_contrast', 'max_held', 'classes')
    names = (*names, 'mean', 'std', 'bgr')
    opened = functools.cache(lambda: open_model(args, processes))
    many = run_videos(
        videos,
        opened,
        targets,
        {name: getattr(args, name) for name in names},
        *(excerpt, drawing, way),
        suffix='' if args.format == 'frames' else f'.{args.format}',
        processes=processes,
    )
    if processes.rank == 0:
        print(many.report)
        if opened.cache_info().currsize:  # not where all were done before
            print(filter_line(opened(), args))
        print(f'written to {targets}')
    if many.failed and processes.rank > 0:
        sys.exit(1)  # the first one says it
    if many.failed:
        raise RuntimeError(
            f'{len(many.failed)} of {len(videos)} videos failed'
        )
