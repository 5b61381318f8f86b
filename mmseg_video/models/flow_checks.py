"""Whether optical flow is there and fits the frames that it came with."""

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor


def used_flow(
    flow: Tensor | None,
    clips: Tensor,
    has_past: bool,
    on_missing: str | None,
    channels: Collection[int] = (3,),
) -> Tensor | None:
    """The flow along which states are warped; None: they stay.

    Flow that is missing, of other frames, or not finite is refused.

    Args:
        flow (Tensor | None): Flow fields (N, T, 3, h, w), of frames that may
            have been reduced.
        clips (Tensor): The frames (N, T, C, H, W).
        has_past (bool): Whether something came before the clips.
        on_missing (str | None): 'error' or 'still'; None where nothing is
            compensated.
        channels (Collection[int]): How many the fields may have, of models
            that take several. Defaults to (3,).

    Raises:
        ValueError: With what was given and expected.
    """
    num_clips, num_frames, _, *size = clips.shape
    if on_missing is None:
        return None
    if flow is None:
        if on_missing == 'error' and (has_past or num_frames > 1):
            raise ValueError(
                'a flow-compensated model needs the optical flow of each '
                "frame that has a past: add augments.flow=dict(type='AddFlow')"
                ' to the data set, give step() a flow, or set '
                "on_missing_flow='still'"
            )
        return None
    check_flow(flow, num_clips, num_frames, size, channels)
    return flow


def flow_of_frame(
    flow: Tensor | None,
    states: Mapping[str, tuple[Tensor, ...]],
    size: Sequence[int],
    on_missing: str | None,
    channels: Collection[int] = (3,),
) -> Tensor | None:
    """The flow (N, 3, h, w) along which states are propagated.

    Args:
        flow (Tensor | None): Flow fields (N, 3, h, w).
        states (Mapping): Of the N streams.
        size (Sequence[int]): Height and width of the frame.
        on_missing, channels: As of :func:`used_flow`.

    Raises:
        ValueError: If it is missing, of other frames, or not finite.
    """
    if flow is None and on_missing == 'error':
        raise ValueError(
            'a flow-compensated model needs the optical flow of each '
            "propagated frame, or on_missing_flow='still'"
        )
    if flow is None or on_missing is None:
        return None
    num_streams = next(iter(states.values()))[0].shape[0]
    check_flow(flow.unsqueeze(1), num_streams, 1, size, channels)
    return flow


def check_flow(
    flow: Tensor,
    num_clips: int,
    num_frames: int,
    size: Sequence[int],
    channels: Collection[int] = (3,),
) -> None:
    """Refuse flow that is of other frames, or not finite.

    Args:
        flow (Tensor): Flow fields (N, T, 3, h, w).
        num_clips (int): N.
        num_frames (int): T.
        size (Sequence[int]): Height and width of the frames.
        channels (Collection[int]): As of :func:`used_flow`.

    Raises:
        ValueError: With what was given and expected.
    """
    height, width = size
    given = tuple(flow.shape)
    fits = len(given) == 5 and given[:2] == (num_clips, num_frames)
    if not fits or given[2] not in channels:
        expected = ' or '.join(map(str, sorted(channels)))
        raise ValueError(
            f'the flow has shape {given}, the frames need '
            f'({num_clips}, {num_frames}, {expected}, h, w): dx, dy and a '
            'weight for each frame'
        )
    h, w = given[3:]
    # A reduced frame lost less than one of its pixels on each side.
    if abs(w * height - h * width) > max(height, width):
        raise ValueError(
            f'the flow is {h}x{w}, the frames are {height}x{width}: it '
            'belongs to frames of another shape'
        )
    # An exported graph cannot look at values, and to ask a GPU is to wait.
    on_cpu = flow.device.type == 'cpu' and not torch.compiler.is_compiling()
    if on_cpu and not flow.isfinite().all():
        raise ValueError(
            'the flow has values that are not finite: look at the estimator '
            'or at the file that it came from'
        )
