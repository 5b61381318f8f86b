"""Predictions of recorded video that look at the future too."""

import functools
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import torch
from mmengine.logging import print_log

from ..flow.stream_frames import stream_frames
from ..io.prefetch import prefetch
from ..models.states import keep_finite
from ..models.two_sided import TwoSidedFilter
from .frames import as_array, begins_sequence

if TYPE_CHECKING:
    from .video_seg_inferencer import Prediction, VideoSegInferencer

OFFLINE = 'offline'
# Of what is so far away, less than 0.01 is left; a chunk as long makes two
# steps back for each frame.
FAR = 24


def two_sided(
    inferencer: 'VideoSegInferencer',
    source: Iterable[np.ndarray],
    lag: int | str = OFFLINE,
) -> Iterator['Prediction']:
    """Predictions of a whole video by a filter that looks at the past and at
    the future (:class:`TwoSidedFilter`), in order, every frame once.

    Memory does not grow with the length of the video. A flat or dark frame
    counts as one on which the net does not run, and which shows the same as
    the last usable one.

    Args:
        inferencer (VideoSegInferencer): With a model whose filter is an
            :class:`EMAFilter`.
        source (Iterable): Frames (H, W, 3) uint8 BGR. Where their size
            changes a new sequence begins.
        lag (int | str): The look-ahead in frames, or 'offline': 24, in
            chunks, which is less work. Defaults to 'offline'.

    Raises:
        ValueError: If there is no such lag, the model has no such filter, or
            it sees frames in windows.
    """
    check_two_sided(inferencer, lag)
    filter = inferencer.model.filter
    return _predictions(inferencer, source, filter, lag)


def check_two_sided(
    inferencer: 'VideoSegInferencer', lag: int | str = OFFLINE
) -> None:
    """Refuse a look-ahead that there is not, or that the model has no filter
    of whole frames for.

    Args:
        inferencer, lag: As of :func:`two_sided`.

    Raises:
        ValueError: If it is so.
    """
    filter = getattr(inferencer.model, 'filter', None)
    if not getattr(filter, 'averages', False):
        own = getattr(inferencer.model, 'own_filter', None)
        has = f', only its own {own}' if own else ''
        raise ValueError(
            f'lag={lag}: the net has no filter that could look at the '
            f"future{has}: take steady()'s filter='flow' (--steady flow)"
        )
    test_cfg = getattr(inferencer.model, 'test_cfg', None) or {}
    if test_cfg.get('mode') == 'slide':
        raise ValueError(
            f"lag={lag} needs test_cfg.mode='whole', got 'slide': the windows "
            'of a frame have no scores of the whole frame to filter; set '
            "mode='whole', or take steady()'s filter='flow' (--steady flow)"
        )
    number = isinstance(lag, int) and lag >= 1
    if lag != OFFLINE and not number:
        raise ValueError(
            f"lag is a number of frames >= 1, or 'offline', got {lag!r}"
        )


@torch.no_grad()
def _predictions(inferencer, source, filter, lag) -> Iterator['Prediction']:
    ahead, chunk = (FAR, FAR) if lag == OFFLINE else (lag, 1)
    smooth = TwoSidedFilter(filter, ahead, chunk)
    stepper, waiting = inferencer.stepper, deque()
    frames = (as_array(frame, 'video') for frame in source)
    items = stream_frames(
        *(frames, inferencer.flow, inferencer.usable),
        begins=functools.partial(begins_sequence, source),
        both_ways=True,
    )
    if inferencer.flow is not None:
        items = prefetch(items)

    def finished(answers):
        for scores in answers:
            frame, *how = waiting.popleft()
            (logits,) = stepper.resized(scores, frame.shape[:2])
            yield inferencer.prediction(frame, logits, *how)

    pace, states, maps = None, None, None
    with closing(items):
        for item in items:
            if item.begins:
                yield from finished(smooth.flush())
                pace, states = None, None
            usable, size = item.sight.usable, item.frame.shape[:2]
            pace = (
                inferencer.full_frames.next(pace, item.field)
                if usable
                else inferencer.full_frames.held(pace)
            )
            fields = item.field, item.field_back
            flows = [stepper.flow_of([field]) for field in fields]
            scores = like = None
            if pace.full:
                scores, after = stepper.scores([item.frame], states, flows[0])
                maps = scores.shape[2:]
                like, scores = scores, _finite(scores)
                states = keep_finite(after, states)
            elif usable:
                states = stepper.carried(states, flows[0], size)
            waiting.append((item.frame, pace.full, not usable))
            if item.begins:
                flows = None, None
            flows = [stepper.filter_flow(flow, size, maps) for flow in flows]
            if item.begins and scores is None and like is not None:
                yield from finished(smooth.begin_without(like))
            else:
                yield from finished(smooth.push(scores, *flows))
        yield from finished(smooth.flush())


def _finite(scores: torch.Tensor) -> torch.Tensor | None:
    """The scores, None where they are not finite, which would spoil every
    frame that they are averaged with."""
    if scores.isfinite().all():
        return scores
    print_log(
        'the net gave scores that are not finite: answered from the frames '
        'around',
        logger='current',
        level=30,
    )
    return None
