"""One step of a stream as an ONNX graph."""

import base64
import copy
import json
import os
from collections.abc import Collection, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ..apis.stepper import Stepper
from ..flow.previous import FlowToPrevious, FrameFlow
from ..io.atomic import atomic_path
from ..io.onnx_files import PROPAGATION
from ..models import ClipSegmentor
from ..models.data_preprocessor import (
    pad_flow,
    pad_frames,
    padded_size,
    pads,
)
from ..models.decode_heads import per_class
from ..models.states import States
from .graph_io import FLOW, FRAME, SIZE, names_of_states, next_name

OPSET = 18
TOLERANCE = 1e-3  # of the logits


class StreamStep(nn.Module):
    """Maps a frame and states to logits, labels and the next states.

    What the preprocessor does is part of it, normalising, padding and, in the
    end, cropping: a frame goes in as a camera gives it. A state
    may be a single zero, (1, 1, 1, 1), at the start of a stream: it is spread
    over its map, so that nobody needs to know the maps' sizes.

    Args:
        model (ClipSegmentor): What is exported.
    """

    def __init__(self, model: ClipSegmentor):
        super().__init__()
        self.model = model.eval()
        self.maps = model.state_maps
        preprocessor = model.data_preprocessor
        self.swap = preprocessor.swaps_colours
        for name, neutral in (('mean', 0.0), ('std', 1.0)):
            value = getattr(preprocessor, name, torch.tensor([neutral] * 3))
            self.register_buffer(name, value.view(1, 3, 1, 1))

    def forward(
        self, frame: Tensor, flow: Tensor | None, *states: Tensor
    ) -> tuple[Tensor, ...]:
        """Logits (N, classes, H, W), labels (N, H, W) uint8, states.

        Args:
            frame (Tensor): Frames (N, H, W, 3) uint8 BGR.
            flow (Tensor | None): Flow fields (N, 3, h, w), or of more
                channels, to the frames before, of a flow-compensated model.
            states (Tensor): Maps (N, r, h, w), or (1, 1, 1, 1) zeros, in the
                order of the places.
        """
        inputs = frame.permute(0, 3, 1, 2).float()
        if self.swap:
            inputs = inputs.flip(1)
        inputs = (inputs - self.mean) / self.std
        size = inputs.shape[2:]
        inputs = pad_frames(self.model.data_preprocessor, inputs)
        before = _by_place(states, self.maps)
        flow = _padded_flow(self.model, flow, size)
        logits, after = self.model.step(inputs, before, flow)
        return _outputs(self.model, logits, after, size)


class PropagationStep(nn.Module):
    """The same of a frame on which the net does not run: of the frame only
    the size is read.

    Args:
        model (ClipSegmentor): What is exported.
    """

    def __init__(self, model: ClipSegmentor):
        super().__init__()
        self.model = model.eval()
        self.maps = model.state_maps

    def forward(
        self, frame: Tensor, flow: Tensor | None, *states: Tensor
    ) -> tuple[Tensor, ...]:
        """As :class:`StreamStep`, whose states these are."""
        size = frame.permute(0, 3, 1, 2).shape[2:]
        padded = padded_size(self.model.data_preprocessor, size)
        before = _by_place(states, self.maps)
        flow = _padded_flow(self.model, flow, size)
        logits, after = self.model.propagate(before, flow, padded)
        return _outputs(self.model, logits, after, size)


def _by_place(parts: Sequence[Tensor], maps: dict[str, int]) -> States:
    """States of the maps of all places, in their order."""
    given = iter(parts)
    return {
        place: tuple(next(given) for _ in range(num_maps))
        for place, num_maps in maps.items()
    }


def _padded_flow(
    model: ClipSegmentor, flow: Tensor | None, size: tuple[int, int]
) -> Tensor | None:
    if flow is None or not pads(model.data_preprocessor):
        return flow
    return pad_flow(flow, size, padded_size(model.data_preprocessor, size))


def _outputs(
    model: ClipSegmentor,
    logits: Tensor,
    after: States,
    size: tuple[int, int],
) -> tuple[Tensor, ...]:
    logits = per_class(model, logits[:, :, : size[0], : size[1]])
    labels = logits.argmax(1).to(torch.uint8)
    parts = (part for place in model.state_maps for part in after[place])
    return logits, labels, *parts


def export_onnx(
    model: ClipSegmentor,
    path: str | os.PathLike,
    classes: list[str],
    palette: list,
    flow: FrameFlow | None = None,
    only_size: tuple[int, int] | None = None,
) -> None:
    """Write the step of a recurrent model as one ONNX file.

    Inputs are ``frame`` (N, H, W, 3) uint8 BGR, of a flow-compensated model
    ``flow`` (N, 3, h, w), or 3 channels for each of several kinds
    (:class:`StackedFlow`), and the states, named after their places such as
    ``neck.0.1`` (``conv_seg.0`` and ``conv_seg.1`` where a place has several
    maps); outputs ``logits``, ``labels`` and ``next.neck.0.1``, ...; all N,
    H, W, h and w are free. Classes, palette and how the flow is made are in
    the metadata, and, if the model can propagate, a second small graph with
    the same inputs and outputs for frames on which the net does not run.

    Args:
        model (ClipSegmentor): With its weights, on the CPU; is left as it is.
        path (path): Where to write.
        classes (list[str]): Names of the classes.
        palette (list): Their RGB colours.
        flow (FrameFlow | None): What makes the flow of a flow-compensated
            model. Defaults to None, that of :class:`FlowToPrevious`.
        only_size (tuple[int, int] | None): Height and width of the only
            frames that it is to take, where a part of the model cannot be
            exported for all. Defaults to None, it takes any.

    Raises:
        ValueError: If the model has no states.
        RuntimeError: If a part of it cannot be exported, or ONNX is not
            installed.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401, torch's exporter needs it
    except ImportError as error:
        raise RuntimeError(
            f"{error.name} is not installed: pip install 'mmseg-video[export]'"
        ) from None
    if not getattr(model, 'state_maps', None):
        raise ValueError(
            f'{type(model).__name__} has no states to carry: export it with '
            'the filter of its scores (--steady flow), or frame by frame with '
            "mmdeploy or torch.onnx's own"
        )
    step = StreamStep(copy.deepcopy(model)).eval()
    states = names_of_states(model.state_maps)
    compensated = model.flow_compensated
    height, width = only_size or (96, 160)
    frame = torch.zeros(2, height, width, 3, dtype=torch.uint8)
    flow, flow_field = flow or FlowToPrevious(), None
    if compensated:
        half = [max(1, length // 2) for length in (height, width)]
        flow_field = torch.zeros(2, flow.channels, *half)
    zeros = [torch.zeros(1, 1, 1, 1) for _ in states]
    auto = torch.export.Dim.AUTO
    of_frame = {0: auto} if only_size else {0: auto, 1: auto, 2: auto}
    graph = _graph_of(step, frame, flow_field, zeros, states, of_frame, None)
    # A state is a single zero or a whole map: all its sizes are free.
    for value in graph.graph.input:
        if value.name in states:
            for axis, dim in zip(
                'nchw', value.type.tensor_type.shape.dim, strict=True
            ):
                dim.Clear()
                dim.dim_param = f'{value.name}_{axis}'
    metadata = dict(
        classes=json.dumps(list(classes)),
        palette=','.join(str(c) for colour in palette for c in colour),
    )
    if compensated:
        metadata['flow'] = json.dumps(flow.settings)
    if only_size:
        metadata[SIZE] = json.dumps(list(only_size))
    if model.can_propagate:
        with torch.no_grad():
            _, _, *maps = step(frame, flow_field, *zeros)
        propagation = _graph_of(
            PropagationStep(step.model).eval(),
            *(frame, flow_field, maps, states),
            of_frame,
            {0: auto, 2: auto, 3: auto},
        )
        onnx.checker.check_model(propagation, full_check=True)
        text = base64.b64encode(propagation.SerializeToString()).decode()
        metadata[PROPAGATION] = text
    for key, value in metadata.items():
        graph.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(graph, full_check=True)
    with atomic_path(path) as temporary:
        onnx.save(graph, temporary)


def _graph_of(
    module: nn.Module,
    frame: Tensor,
    flow: Tensor | None,
    parts: Sequence[Tensor],
    states: list[str],
    of_frame: dict,
    free: dict | None,
):
    """The ONNX model of a step.

    Args:
        module (nn.Module): A :class:`StreamStep`, or called as one.
        frame, flow, parts: What it is called with.
        states (list[str]): Names of the parts.
        of_frame (dict): Which sizes of the frame are free.
        free (dict | None): And of the parts.

    Raises:
        RuntimeError: If a part of it cannot be exported.
    """
    auto = torch.export.Dim.AUTO
    try:
        program = torch.onnx.export(
            module,
            (frame, flow, *parts),
            input_names=[FRAME, *[FLOW] * (flow is not None), *states],
            output_names=['logits', 'labels', *map(next_name, states)],
            dynamic_shapes=(
                of_frame,
                None if flow is None else {0: auto, 2: auto, 3: auto},
                tuple(free for _ in states),
            ),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    except torch.onnx.errors.OnnxExporterError as error:
        why = str(error.__cause__ or error).strip().splitlines()[0]
        raise RuntimeError(
            f'the model cannot be exported: {why}{_hint(of_frame)}'
        ) from error
    return program.model_proto


def export_checked(
    model: ClipSegmentor,
    path: str | os.PathLike,
    classes: list[str],
    palette: list,
    flow: FrameFlow | None = None,
    num_frames: int = 30,
    size: tuple[int, int] = (128, 256),
    only_size: tuple[int, int] | None = None,
) -> float | None:
    """Write what agrees with PyTorch, or nothing; the largest difference of
    the logits, None where it was not looked for.

    Args:
        model, path, classes, palette, flow: :func:`export_onnx`'s.
        num_frames (int): Length of the stream that is compared; 0: none.
            Defaults to 30.
        size (tuple[int, int]): Height and width of its frames. Defaults to
            (128, 256). Where the model pads frames, a second stream is
            compared, of frames that it pads.
        only_size: :func:`export_onnx`'s, in place of the former.

    Raises:
        RuntimeError: If they differ by more than 1e-3.
    """
    with atomic_path(path) as temporary:
        export_onnx(model, temporary, classes, palette, flow, only_size)
        if not num_frames:
            return None
        try:
            error = max(
                largest_error(model, temporary, num_frames, checked)
                for checked in _checked_sizes(model, size, only_size)
            )
        except ValueError as why:  # ONNX Runtime cannot take the frames
            raise RuntimeError(
                'the exported model does not run, and is not written: '
                f'{str(why).splitlines()[0]}{_hint({} if only_size else ALL)}'
            ) from why
        if error > TOLERANCE:
            raise RuntimeError(
                f'the exported model differs from PyTorch by {error:.1e}, '
                f'more than {TOLERANCE}, and is not written'
                + _hint({} if only_size else ALL)
            )
    return error


def _checked_sizes(
    model: ClipSegmentor,
    size: tuple[int, int],
    only_size: tuple[int, int] | None,
) -> list[tuple[int, int]]:
    if only_size:
        return [only_size]
    odd = size[0] - 3, size[1] - 5
    padded = padded_size(model.data_preprocessor, odd)
    return [size] if padded == odd else [size, odd]


ALL = (0, 1, 2)  # of a frame's sizes are free


def _hint(of_frame: Collection[int]) -> str:
    """What to do about a graph of frames of any size."""
    if 1 not in of_frame:
        return ''
    return (
        '. A part of the model may have fixed the size of the frame, as an '
        "int() of a size does (mmseg's FPNHead): only_size (--only-size "
        'HEIGHT WIDTH) exports it for frames of one size'
    )


def largest_error(
    model: ClipSegmentor,
    path: str | os.PathLike,
    num_frames: int,
    size: tuple[int, int],
    batch: int = 1,
) -> float:
    """Largest difference of the logits, ONNX Runtime's from PyTorch's.

    Args:
        model (ClipSegmentor): What was exported.
        path (path): The ONNX file.
        num_frames (int): Length of a stream of random frames, and of flow of
            a few pixels where the model takes any.
        size (tuple[int, int]): Their height and width.
        batch (int): How many streams at once. Defaults to 1.
    """
    from .runner import StreamRunner

    runner, stepper = StreamRunner(path), Stepper(model)
    rng = np.random.default_rng(0)
    ours, error = None, 0.0
    for t in range(num_frames):
        frame = rng.integers(0, 256, (batch, *size, 3), np.uint8)
        flow = None
        if model.flow_compensated:
            h, w = (length // 2 for length in size)
            channels = runner.flow_channels
            flow = rng.normal(0, 2, (batch, channels, h, w))
            flow[:, 2::3] = rng.random((batch, channels // 3, h, w))
            flow = flow.astype(np.float32)
        given = None if flow is None else torch.from_numpy(flow)
        if model.can_propagate and t % 3 == 2:
            (logits,) = runner.propagate(frame, flow, ['logits'])
            expected, ours = stepper.propagate(ours, given, size)
        else:
            (logits,) = runner.step(frame, flow, ['logits'])
            expected, ours = stepper.step(frame, ours, given)
        error = max(error, float(np.abs(logits - expected.numpy()).max()))
    return error
