"""What a video segmentor carries from frame to frame, as plain data."""

from collections.abc import Collection, Sequence

import torch
from mmengine.logging import print_log

from .recurrent import State

# The place of a module in the segmentor ('neck.0.1', 'conv_seg', 'filter') ->
# what it carries. None, or {}, at the start of a sequence.
States = dict[str, State]


def check_places(states: States, places: Collection[str]) -> None:
    """Refuse the states of another model.

    Args:
        states (dict[str, State]): Given; empty at the start of a sequence.
        places (Collection[str]): Of the model's own.

    Raises:
        ValueError: If the two have different places.
    """
    if states and states.keys() != set(places):
        raise ValueError(
            f'the states are those of {", ".join(states)}, this model has '
            f'{", ".join(places) or "none"}: they belong to another model; '
            'start from states=None'
        )


def join(states: Sequence[States | None]) -> States | None:
    """The states of N streams as those of a batch of N.

    A stream that begins has None, which is equivalent to maps of zeros.
    """
    begun = next((s for s in states if s), None)
    if begun is None:
        return None
    zeros = {
        place: tuple(torch.zeros_like(part) for part in state)
        for place, state in begun.items()
    }
    states = [s or zeros for s in states]
    return {
        place: tuple(
            torch.cat(parts)
            for parts in zip(*(s[place] for s in states), strict=True)
        )
        for place in begun
    }


def split(states: States, num_streams: int) -> list[States]:
    """The states of each stream of a batch, free of gradients and of the
    batch's memory."""
    return [
        {
            place: tuple(part[i : i + 1].detach().clone() for part in state)
            for place, state in states.items()
        }
        for i in range(num_streams)
    ]


def keep_finite(after: States, before: States | None) -> States | None:
    """The states after a frame, or those before it where they are not finite.

    One bad frame must not poison the rest of the stream.
    """
    # Not a sum of them: that of many float16 values is infinite itself.
    if all(part.isfinite().all() for s in after.values() for part in s):
        return after
    print_log(
        'a frame gave states that are not finite: the states from before it '
        'are kept',
        logger='current',
        level=30,
    )
    return before
