"""Which part of a segmentor reads which, found by running it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from mmengine.model import Sequential
from torch import Tensor, nn

from ..models import ConvRNN


@dataclass
class Box:
    """Modules that run one after the other, drawn as one.

    Attributes:
        names (list[str]): Their names in the segmentor, in order.
        stride (int): Height of the frame in units of the output's.
        cell (str | None): The cell's type, if this is a recurrent module.
        sources (set[int]): The boxes that it reads, by their index.
    """

    names: list[str]
    stride: int
    cell: str | None = None
    sources: set[int] = field(default_factory=set)

    @property
    def part(self) -> str:
        """Its place in the config: backbone, neck, neck.1, decode_head."""
        first, _, rest = self.names[0].partition('.')
        number = rest.partition('.')[0]
        return f'{first}.{number}' if number.isdigit() else first


@dataclass
class _Call:
    name: str
    module: nn.Module
    callers: list[int]
    reads: list[Any]  # autograd nodes of the inputs and of the outputs
    gives: list[Any] = field(default_factory=list)
    height: int = 0


def trace(model: nn.Module, size: tuple[int, int] = (256, 512)) -> list[Box]:
    """The boxes of a segmentor in the order in which they run.

    One frame runs through it, and autograd's graph says which output reached
    which input, through whatever is not a module: resizing, joining, folding.
    Auxiliary heads do not run.

    Args:
        model (nn.Module): The segmentor, in eval mode, on the CPU.
        size (tuple[int, int]): Height and width of the frame.
    """
    calls = _record(model, size)
    boxes = _boxes(calls, model, size[0])
    return _merged(boxes)


def _record(model: nn.Module, size: tuple[int, int]) -> list[_Call]:
    calls, running, handles = [], [], []

    def begin(name):
        def hook(module, args):
            # A final RNN runs in a hook of the classifier, not in it.
            callers = [i for i in running if any(calls[i].module.children())]
            calls.append(_Call(name, module, callers, _nodes(args)))
            running.append(len(calls) - 1)

        return hook

    def end(_module, args, output):
        call = calls[running.pop()]
        call.gives = _nodes(output)
        reads = _nodes(args)
        if not set(reads) & set(call.gives):  # else it works in place
            call.reads = reads
        shape = next(_tensors(output)).shape
        call.height = shape[-2] if len(shape) > 3 else 0

    for name, module in model.named_modules():
        handles.append(module.register_forward_pre_hook(begin(name)))
        handles.append(module.register_forward_hook(end))
    try:
        model(torch.randn(1, 3, *size, requires_grad=True), mode='tensor')
    finally:
        for handle in handles:
            handle.remove()
    return calls


def _nodes(value: Any) -> list[Any]:
    return [x.grad_fn for x in _tensors(value) if x.grad_fn is not None]


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)


def _boxes(calls: list[_Call], model: nn.Module, height: int) -> list[Box]:
    # What holds the parts, or a recurrent module, is no box: its parts are.
    whole = {model, getattr(model, 'backbone', None)}
    if model.with_neck:
        several = isinstance(model.neck, Sequential)
        whole |= {model.neck, *(model.neck if several else ())}
    opened = {i for i, call in enumerate(calls) if call.module in whole}
    for call in calls:
        if isinstance(call.module, ConvRNN):
            opened.update(call.callers)
    chosen = [
        call
        for i, call in enumerate(calls)
        if i not in opened
        and set(call.callers) <= opened
        and call.height
        and set(call.gives) - set(call.reads)  # else an identity
    ]
    owner = {node: i for i, call in enumerate(chosen) for node in call.gives}
    boxes = []
    for i, call in enumerate(chosen):
        recurrent = isinstance(call.module, ConvRNN)
        cell = type(call.module.cell).__name__ if recurrent else None
        # An odd map is a row taller than its stride says.
        stride = 2 ** round(math.log2(height / call.height))
        box = Box([call.name], stride, cell)
        nodes, seen = list(call.reads), set()
        while nodes:
            node = nodes.pop()
            if node in owner and owner[node] != i:
                box.sources.add(owner[node])
            elif node not in seen:
                seen.add(node)
                nodes += [n for n, _ in node.next_functions if n is not None]
        boxes.append(box)
    return boxes


def _merged(boxes: list[Box]) -> list[Box]:
    """Rows of boxes of one part that nothing enters or leaves, as one."""
    left = dict(enumerate(boxes))
    while row := _row(left):
        first, *others = row
        for i in others:
            left[first].names += left[i].names
            left[first].stride = left[i].stride
            del left[i]
        for box in left.values():
            if others[-1] in box.sources:
                box.sources = box.sources - {others[-1]} | {first}
    place = {old: new for new, old in enumerate(left)}
    for box in left.values():
        box.sources = {place[i] for i in box.sources}
    return list(left.values())


def _row(boxes: dict[int, Box]) -> tuple[int, ...]:
    """Two boxes in a row, or three of which the second is a detour (pyramid
    pooling beside its input); none at the end."""
    readers = {i: set() for i in boxes}
    for i, box in boxes.items():
        for source in box.sources:
            readers[source].add(i)

    def alike(*row):
        parts = {boxes[i].part for i in row}
        return len(parts) == 1 and not any(boxes[i].cell for i in row)

    for i, after in readers.items():
        for j in after:
            if boxes[j].sources != {i}:
                continue
            if after == {j} and alike(i, j):
                return i, j
            for k in readers[j]:
                strides = {boxes[n].stride for n in (i, j, k)}
                if (
                    (after, readers[j]) == ({j, k}, {k})
                    and boxes[k].sources == {i, j}
                    and len(strides) == 1
                    and alike(i, j, k)
                ):
                    return i, j, k
    return ()
