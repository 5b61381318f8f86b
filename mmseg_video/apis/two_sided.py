"""Predictions of recorded video that look at the future too."""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import torch
from mmengine.logging import print_log

from ..engine.launch import autocast_test
from ..flow.full_frames import Pace
from ..io.prefetch import prefetch
from ..models.data_preprocessor import pad_flow
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

    Memory does not grow with the length of the video.

    Args:
        inferencer (VideoSegInferencer): With a model whose filter is an
            :class:`EMAFilter`.
        source (Iterable): Frames (H, W, 3) uint8 BGR. Where their size
            changes a new sequence begins.
        lag (int | str): The look-ahead in frames, or 'offline': 24, in
            chunks, which is less work. Defaults to 'offline'.

    Raises:
        ValueError: If there is no such lag, or the model has no such filter.
    """
    filter = getattr(inferencer.model, 'filter', None)
    if not getattr(filter, 'averages', False):
        raise ValueError(
            f'lag={lag}: {type(inferencer.model).__name__} has no filter that '
            'could look at the future: steady a net, or give the model '
            "filter=dict(type='EMAFilter', weight=0.1)"
        )
    number = isinstance(lag, int) and lag >= 1
    if lag != OFFLINE and not number:
        raise ValueError(
            f"lag is a number of frames >= 1, or 'offline', got {lag!r}"
        )
    return _predictions(inferencer, source, filter, lag)


@torch.no_grad()
def _predictions(inferencer, source, filter, lag) -> Iterator['Prediction']:
    ahead, chunk = (FAR, FAR) if lag == OFFLINE else (lag, 1)
    smooth = TwoSidedFilter(filter, ahead, chunk)
    waiting: deque = deque()
    frames = (as_array(frame, 'video') for frame in source)
    items = ((frame, None, None) for frame in frames)
    if inferencer.flow is not None:
        items = prefetch(inferencer.flow.both_ways(frames))

    def finished(answers):
        for scores in answers:
            frame, pace = waiting.popleft()
            height, width = frame.shape[:2]
            padded = inferencer.padded((height, width))
            logits = inferencer.model.resized(scores, padded)
            logits = logits[0, :, :height, :width]
            yield inferencer.prediction(frame, logits, pace.full)

    pace, states, size = None, None, None
    with closing(items):
        for number, (frame, flow, flow_back) in enumerate(items):
            begins = frame.shape != size or begins_sequence(source, number)
            if begins and number:
                yield from finished(smooth.flush())
                pace, states = None, None
            size = frame.shape
            pace = inferencer.full_frames.next(pace, flow)
            scores, states, fields = _scores(
                inferencer, frame, states, (flow, flow_back), pace
            )
            waiting.append((frame, pace))
            if begins:
                fields = None, None
            yield from finished(smooth.push(scores, *fields))
        yield from finished(smooth.flush())


def _scores(inferencer, frame, states, fields, pace: Pace):
    """Scores (1, classes, h, w) of a frame, None where the net does not run
    or gives what is not finite; the net's states; the flow fields as
    tensors."""
    model = inferencer.model
    inputs = inferencer.inputs_of([frame])[:, 0]
    size, padded = frame.shape[:2], tuple(inputs.shape[2:])
    flow, back = (
        None
        if f is None
        else pad_flow(
            torch.from_numpy(f)[None].to(inputs.device), size, padded
        )
        for f in fields
    )
    scores = None
    if pace.full:
        with autocast_test(inferencer.amp):
            scores, after = model.scores(inputs, states, flow)
        scores = _finite(scores, begins=states is None)
        states = keep_finite(after, states)
    else:
        states = model.carried(states, flow, padded)
    fields = [model.filter_flow(f, padded) for f in (flow, back)]
    return scores, states, fields


def _finite(scores: torch.Tensor, begins: bool) -> torch.Tensor | None:
    """The scores, None where they are not finite, which would spoil every
    frame that they are averaged with; zeros where a sequence begins."""
    if scores.isfinite().all():
        return scores
    print_log(
        'the net gave scores that are not finite: answered from the frames '
        'around',
        logger='current',
        level=30,
    )
    return torch.zeros_like(scores) if begins else None
