"""What a segmentor is made of: its parts, their parameters and states."""

from dataclasses import dataclass

import torch
from torch import nn

from ..models import RecurrentUNet
from ..models.necks import neck_rnns
from ..models.recurrent import State
from ..models.recurrent_unet import FILTER
from ..models.states import States

PARTS = ('backbone', 'neck', 'decode_head', 'head_rnns', 'auxiliary_head')


@dataclass
class Part:
    """A part of a segmentor.

    Attributes:
        name (str): Its place in the segmentor; of a recurrent module, the
            place of its state.
        kind (str): Its class; of a recurrent module, that of its cell.
        parameters (int): Of the part alone, without those listed below it.
        state (tuple[tuple[int, ...], ...]): Shapes (C, h, w) of the maps that
            it carries from frame to frame; empty of what has no memory.
        state_bytes (int): Their size in memory.
    """

    name: str
    kind: str
    parameters: int
    state: tuple[tuple[int, ...], ...] = ()
    state_bytes: int = 0


def parts_of(model: nn.Module, size: tuple[int, int]) -> list[Part]:
    """The parts of a segmentor, in the order in which a frame meets them.

    Args:
        model (nn.Module): mmseg's or ours, in eval mode.
        size (tuple[int, int]): Height and width of a frame, on which the size
            of the states depends.
    """
    rnns, states = {}, {}
    if isinstance(model, RecurrentUNet):
        rnns = neck_rnns(model.necks) | model.head_rnns.by_place
        states = _states(model, size)
    parts = []
    for name in PARTS:
        module = getattr(model, name, None)
        if module is None:
            continue
        inside = {id(m) for m in module.modules()}
        here = {p: rnn for p, rnn in rnns.items() if id(rnn) in inside}
        own = _count(module) - sum(map(_count, here.values()))
        if own:
            parts.append(Part(name, type(module).__name__, own))
        for place, rnn in here.items():
            kind = f'{type(rnn.cell).__name__}, {rnn.connection}'
            parts.append(_with_state(place, kind, _count(rnn), states[place]))
    if FILTER in states:
        kind = type(model.filter).__name__
        parts.append(_with_state(FILTER, kind, 0, states[FILTER]))
    return parts


@torch.no_grad()
def _states(model: RecurrentUNet, size: tuple[int, int]) -> States:
    """What a black frame leaves."""
    device = next(model.parameters()).device
    return model.step(torch.zeros(1, 3, *size, device=device), None)[1]


def _with_state(place: str, kind: str, parameters: int, state: State) -> Part:
    return Part(
        place,
        kind,
        parameters,
        tuple(tuple(maps.shape[1:]) for maps in state),
        sum(maps.numel() * maps.element_size() for maps in state),
    )


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
