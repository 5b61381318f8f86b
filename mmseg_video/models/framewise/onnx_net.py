"""Exported nets, on whatever ONNX Runtime runs on."""

import ast
import json
import os
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...flow.previous import FlowToPrevious, FrameFlow
from ...flow.stacked import flow_from_settings
from ...io.onnx_files import (
    check_self_contained,
    propagation_graph,
    split_names,
)
from ..states import States
from .callable_net import CallableNet
from .framewise import Framewise

FRAME, FLOW, LOGITS = 'frame', 'flow', 'logits'


class OnnxNet(CallableNet):
    """An ONNX file of anyone's: frames (N, 3, H, W) float in, logits
    (N, classes, h, w) out, first input and first output.

    Args:
        session (InferenceSession): Of ONNX Runtime.
        classes (Sequence[str]): See :class:`Framewise`.
        kwargs: :class:`CallableNet`'s: how the graph wants its colours.
    """

    def __init__(self, session, classes: Sequence[str], **kwargs):
        first = session.get_inputs()[0]
        fixed = [n for n in first.shape[2:] if isinstance(n, int)]
        self_size = len(fixed) == 2 and len(first.shape) == 4
        if self_size:  # read at that size alone
            kwargs.setdefault('stride', 1)
        super().__init__(lambda frames: frames, classes, **kwargs)
        self.session, self.input = session, first.name
        self.output = session.get_outputs()[0].name
        self.size = tuple(fixed) if self_size else None
        self.half = 'float16' in first.type
        batch = first.shape[0]
        self.batch = batch if isinstance(batch, int) else None

    def scores(self, frames: Tensor) -> Tensor:
        if self.size is not None:
            frames = torch.nn.functional.interpolate(
                frames, self.size, mode='bilinear', antialias=True
            )
        inputs = self.normalised(frames).cpu().numpy()
        if self.half:
            inputs = inputs.astype(np.float16)
        # Most graphs take a fixed number of frames: one.
        step = len(inputs) if self.batch is None else self.batch
        logits = [
            run(self.session, [self.output], {self.input: part})[0]
            for part in np.split(inputs, range(step, len(inputs), step))
        ]
        logits = torch.from_numpy(np.concatenate(logits))
        return logits.to(frames.device).float()


class OnnxStreamNet(Framewise):
    """What ``tools/export_onnx.py`` wrote: with its normalisation, and its
    own states.

    Args:
        session (InferenceSession): Of ONNX Runtime.
        classes, kwargs: :class:`Framewise`'s; it has no stride, since it
            takes frames of any size.
        propagation (InferenceSession | None): Of its second graph, which
            carries its states over frames on which it does not run. Defaults
            to None, there they wait.
        flow (dict | None): How the flow that it takes is made, see
            :attr:`FrameFlow.settings`. Defaults to None, it takes none.
        size (tuple[int, int] | None): Height and width of the only frames
            that it takes. Defaults to None, any.

    Raises:
        ValueError: If it is to have a stride.
    """

    def __init__(
        self,
        session,
        classes: Sequence[str],
        propagation=None,
        flow: dict | None = None,
        size: tuple[int, int] | None = None,
        **kwargs,
    ):
        if kwargs.pop('stride', None):
            raise ValueError(
                'stride: what tools/export_onnx.py wrote takes frames of any '
                'size, leave it out'
            )
        super().__init__(classes, stride=1, **kwargs)
        self.session, self.propagation, self.size = session, propagation, size
        inputs = {i.name: i.shape for i in session.get_inputs()}
        self.flow_compensated = FLOW in inputs
        if self.flow_compensated:
            self.flow_channels = inputs[FLOW][1]
        self.flow_settings = flow
        self.state_maps = {
            name: 1 for name in inputs if name not in (FRAME, FLOW)
        }

    def step(
        self, frames: Tensor, states: States, flow: Tensor | None
    ) -> tuple[Tensor, States]:
        if self.size not in (None, tuple(frames.shape[2:])):
            height, width = self.size
            raise ValueError(
                f'the model was exported for frames of {height}x{width} '
                f'alone: resize them (--resize {height} {width})'
            )
        device = frames.device
        frames = frames.round().clamp(0, 255).permute(0, 2, 3, 1)
        frames = frames.to(torch.uint8).cpu().numpy()
        return self._run(self.session, frames, states, flow, device)

    def carried(
        self, states: States, flow: Tensor | None, size: tuple[int, int]
    ) -> States:
        if not self.can_propagate or not states:
            return states
        return self.propagate(states, flow, size)[1]

    @property
    def can_propagate(self) -> bool:
        return self.propagation is not None

    @property
    def own_filter(self) -> str | None:
        # The graph does not say of which kind: only averages propagate.
        return 'filter' if self.can_propagate else None

    def propagate(
        self, states: States, flow: Tensor | None, size: tuple[int, int]
    ) -> tuple[Tensor, States]:
        ((part, *_), *_) = states.values()
        # Only their size is read.
        frames = np.zeros((part.shape[0], *size, 3), np.uint8)
        return self._run(
            *(self.propagation, frames, states, flow, part.device)
        )

    def make_flow(self) -> FrameFlow:
        """What makes the flow that it was exported with."""
        if self.flow_settings is None:
            return FlowToPrevious()
        return flow_from_settings(self.flow_settings)

    def _run(
        self,
        session,
        frames: np.ndarray,
        states: States,
        flow: Tensor | None,
        device: torch.device,
    ) -> tuple[Tensor, States]:
        inputs = {FRAME: frames}
        zero = torch.zeros(1, 1, 1, 1)
        for name in self.state_maps:
            (part,) = states.get(name, (zero,))
            inputs[name] = part.cpu().numpy()
        if self.flow_compensated:
            if flow is None:
                flow = torch.zeros(
                    frames.shape[0], self.flow_channels, *frames.shape[1:3]
                )
                flow[:, 2::3] = 1
            inputs[FLOW] = flow.cpu().numpy()
        wanted = [LOGITS, *(f'next.{name}' for name in self.state_maps)]
        logits, *after = (
            torch.from_numpy(value).to(device)
            for value in run(session, wanted, inputs)
        )
        return logits, {
            name: (part,)
            for name, part in zip(self.state_maps, after, strict=True)
        }


def run(session, outputs: list[str], inputs: dict) -> list[np.ndarray]:
    """What the session gives.

    Raises:
        RuntimeError: If it cannot take the inputs.
    """
    try:
        return session.run(outputs, inputs)
    except Exception as error:  # onnxruntime has a class for each cause
        raise RuntimeError(str(error).strip().splitlines()[0]) from None


def open_onnx(
    path: str | os.PathLike,
    classes: Sequence[str] | None = None,
    providers: Sequence[str] | None = None,
    **options,
) -> Framewise:
    """The net of an ONNX file.

    Args:
        path (path): The file.
        classes (Sequence[str] | None): Defaults to None, those of its
            metadata: ``classes`` as a list or by commas, ``names`` as a list
            or a dict.
        providers (Sequence[str] | None): ONNX Runtime's. Defaults to None,
            all that are there.
        options: :class:`CallableNet`'s.

    Raises:
        FileNotFoundError: If there is no such file.
        RuntimeError: If ONNX Runtime is not installed.
        ValueError: If it cannot be opened, reads other files, or does not
            name its classes.
    """
    try:
        import onnxruntime
    except ImportError:
        raise RuntimeError(
            f"{path} needs ONNX Runtime: pip install 'mmseg-video[export]'"
        ) from None
    check_self_contained(path)
    there = onnxruntime.get_available_providers()
    for provider in providers or ():
        if provider not in there:
            raise ValueError(
                f"this ONNX Runtime has no provider '{provider}': it has "
                f'{", ".join(there)}'
            )
    providers = providers or there
    try:
        session = onnxruntime.InferenceSession(str(path), providers=providers)
    except Exception as error:  # onnxruntime has a class for each cause
        raise ValueError(
            f"the model '{path}' cannot be opened: {error}"
        ) from None
    meta = session.get_modelmeta().custom_metadata_map
    classes = classes or _classes(meta, path)
    if classes is None:
        raise ValueError(
            f"'{path}' does not name its classes: give classes=[...] "
            '(--classes)'
        )
    numbers = [int(n) for n in meta.get('palette', '').split(',') if n]
    if len(numbers) == 3 * len(classes):
        options['palette'] = np.reshape(numbers, (-1, 3)).tolist()
    ours = {FRAME} <= {i.name for i in session.get_inputs()}
    ours = ours and LOGITS in {o.name for o in session.get_outputs()}
    if not ours:
        return OnnxNet(session, classes, **options)
    graph = propagation_graph(meta, path)
    return OnnxStreamNet(
        session,
        classes,
        graph and onnxruntime.InferenceSession(graph, providers=providers),
        json.loads(meta['flow']) if 'flow' in meta else None,
        tuple(json.loads(meta['size'])) if 'size' in meta else None,
        **options,
    )


def _classes(
    meta: dict[str, str], path: str | os.PathLike
) -> list[str] | None:
    if 'classes' in meta:
        return split_names(meta['classes'])
    if 'names' not in meta:
        return None
    for read in (json.loads, ast.literal_eval):  # as data: nothing runs
        try:
            names = read(meta['names'])
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return list(names.values() if isinstance(names, dict) else names)
    raise ValueError(
        f"the 'names' of '{path}' are neither a list nor a dict: give "
        'classes=[...]'
    )
