"""What a stream remembers, frame by frame."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ..flow.stream_frames import stream_frames
from ..flow.warp import warp_state
from ..models.decode_heads import per_class
from ..models.recurrent import State
from .video_seg_inferencer import VideoSegInferencer

LEAST = 1e-3  # of a count: below it a state holds nothing


@dataclass
class FrameMemory:
    """The average of the scores, as a gated EMA or a filter keeps it, when a
    frame of a stream is predicted. Maps (h, w) are of the scores' own size.

    Attributes:
        frame (ndarray): (H, W, 3) uint8 BGR.
        label (ndarray): Its prediction (H, W) uint8.
        past (ndarray): (h, w) float32 in [0, 1): the share of the previous
            frames in the average that is the prediction; 0 at the start of a
            sequence, 1 where the net did not run.
        keep (ndarray): (h, w) float32 in [0, 1]: k, how much of the (warped)
            past is kept, 1 on a flat or dark frame; NaN where there is none.
        before (ndarray | None): What the state that the last frame left
            answers with, as labels (H, W) uint8; None at the start of a
            sequence.
        warped (ndarray | None): The same of the state warped to this frame
            by its flow; 255 where the state holds nothing.
        flow (ndarray | None): The flow field (3, h', w') that it was warped
            by: dx, dy and the weight of the past, its reliability; None of a
            model without flow, and of a flat or dark frame, on which nothing
            moves.
        held (bool): Whether the frame is flat or dark: the last answer is
            held there, and the next flow leads over it.
    """

    frame: np.ndarray
    label: np.ndarray
    past: np.ndarray
    keep: np.ndarray
    before: np.ndarray | None
    warped: np.ndarray | None
    flow: np.ndarray | None
    held: bool = False


def watch_memory(
    inferencer: VideoSegInferencer, frames: Iterable[np.ndarray]
) -> Iterator[FrameMemory]:
    """What a stream's average of scores is made of, frame by frame.

    The average is s / n with n' = k n + a: k is what is kept of the past, and
    a the weight of the present frame, 1 of a :class:`GatedEMACell`. So the
    states alone tell k, and the share of the past, 1 - a / n'. Where the net
    does not run, a is 0.

    Args:
        inferencer (VideoSegInferencer): Of a model with a gated EMA or a
            filter.
        frames (Iterable[ndarray]): (H, W, 3) uint8 BGR of one size.

    Raises:
        ValueError: If the model keeps no average of its scores.
    """
    average = getattr(inferencer.model, 'average', None)
    if average is None:
        raise ValueError(
            f'{type(inferencer.model).__name__} keeps no average of its '
            'scores to look at: take a model with a gated EMA, or steady(...)'
        )
    return _watch(inferencer, frames, *average)


def _watch(
    inferencer: VideoSegInferencer,
    frames: Iterable[np.ndarray],
    place: str,
    present: float,
) -> Iterator[FrameMemory]:
    stream_id, before = object(), None
    stepper, model = inferencer.stepper, inferencer.model
    try:
        for item in stream_frames(frames, inferencer.flow, inferencer.usable):
            frame, flow, size = item.frame, item.field, item.frame.shape[:2]
            flows = None if inferencer.flow is None else {stream_id: flow}
            prediction = inferencer.predict_frames({stream_id: frame}, flows)[
                stream_id
            ]
            state = inferencer.streams[stream_id].states[place]
            before = None if item.begins else before
            warped = before
            if before is not None and flow is not None:
                field = stepper.filter_flow(
                    stepper.flow_of([flow]), size, before[0].shape[2:]
                )
                warped = before if field is None else warp_state(before, field)
            count = state[1][0, 0].float()
            own = present if prediction.full else 0.0
            keep = torch.full_like(count, torch.nan)
            if warped is not None:
                was = warped[1][0, 0].float()
                keep = torch.where(was > LEAST, (count - own) / was, keep)
            yield FrameMemory(
                frame,
                prediction.label,
                (1 - own / count).clamp(0, 1).cpu().numpy(),
                keep.clamp(0, 1).cpu().numpy(),
                *(
                    None if past is None else _answer(model, past, size)
                    for past in (before, warped)
                ),
                flow,
                prediction.held,
            )
            before = state
    finally:
        inferencer.reset(stream_id)


def _answer(
    model: nn.Module, state: State, size: tuple[int, int]
) -> np.ndarray:
    """Labels (H, W) uint8 of s / n; 255 where n is nothing."""
    total, count = (part.float() for part in state)
    scores = total / count.clamp(min=LEAST)
    if model.filter is not None:
        scores = model.filter.answer(scores)
    # Of a steadied net without a filter it is the net's own average.
    net = getattr(getattr(model, 'framewise', None), 'net', model)
    scores = per_class(net, scores)
    label = F.interpolate(scores, size, mode='bilinear').argmax(1)
    label[F.interpolate(count, size)[:, 0] <= LEAST] = 255
    return label[0].to(torch.uint8).cpu().numpy()
