"""One step of a stream as an ONNX graph."""

import copy
import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..models import ClipSegmentor
from ..models.recurrent import RecurrentCell

OPSET = 18


class StreamStep(nn.Module):
    """Maps a frame and states to logits, labels and the next states.

    Normalisation is part of it: a frame goes in as a camera gives it. A state
    may be a single zero, (1, 1, 1, 1), at the start of a stream: it is spread
    over its map, so that nobody needs to know the maps' sizes.

    Args:
        model (ClipSegmentor): Its cells are changed to take such states.
    """

    def __init__(self, model: ClipSegmentor):
        super().__init__()
        self.model = model.eval()
        self.sizes = model.state_sizes
        for module in model.modules():
            if isinstance(module, RecurrentCell):
                spread_states(module)
        preprocessor = model.data_preprocessor
        self.swap = preprocessor.swaps_colours
        for name, neutral in (('mean', 0.0), ('std', 1.0)):
            value = getattr(preprocessor, name, torch.tensor([neutral] * 3))
            self.register_buffer(name, value.view(1, 3, 1, 1))

    def forward(self, frame: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Logits (N, classes, H, W), labels (N, H, W) uint8, states.

        Args:
            frame (Tensor): Frames (N, H, W, 3) uint8 BGR.
            states (Tensor): Maps (N, r, h, w), or (1, 1, 1, 1) zeros.
        """
        inputs = frame.permute(0, 3, 1, 2).float()
        if self.swap:
            inputs = inputs.flip(1)
        inputs = (inputs - self.mean) / self.std
        given = list(states)
        nested = tuple(
            tuple(given.pop(0) for _ in range(size)) for size in self.sizes
        )
        logits, after = self.model.step(inputs, nested)
        labels = logits.argmax(1).to(torch.uint8)
        return logits, labels, *(part for state in after for part in state)

    @property
    def state_names(self) -> list[str]:
        return [f'state_{i}' for i in range(sum(self.sizes))]


def spread_states(cell: RecurrentCell) -> None:
    """Let a cell take states that broadcast to its maps."""
    update = type(cell).update

    def spread_and_update(gates, state):
        zero = torch.zeros_like(gates[:, : cell.hidden_channels])
        return update(cell, gates, tuple(part + zero for part in state))

    cell.update = spread_and_update


def export_onnx(
    model: ClipSegmentor,
    path: str | os.PathLike,
    classes: list[str],
    palette: list,
) -> None:
    """Write the step of a recurrent model as one ONNX file.

    Inputs are ``frame`` (N, H, W, 3) uint8 BGR and ``state_0``, ...; outputs
    ``logits``, ``labels`` and ``next_state_0``, ...; N, H and W are free.
    Classes and palette are in the metadata.

    Args:
        model (ClipSegmentor): With its weights, on the CPU; is left as it is.
        path (path): Where to write.
        classes (list[str]): Names of the classes.
        palette (list): Their RGB colours.

    Raises:
        ValueError: If the model has no states, or a part that no graph can
            hold.
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
    if not getattr(model, 'state_sizes', None):
        raise ValueError(
            f'{type(model).__name__} has no states to carry: a framewise '
            "model needs no streaming export; use mmdeploy or torch.onnx's own"
        )
    model.check_export()
    step = StreamStep(copy.deepcopy(model)).eval()
    names = step.state_names
    frame = torch.zeros(2, 96, 160, 3, dtype=torch.uint8)
    states = [torch.zeros(1, 1, 1, 1) for _ in names]
    free = torch.export.Dim.AUTO
    try:
        program = torch.onnx.export(
            step,
            (frame, *states),
            input_names=['frame', *names],
            output_names=['logits', 'labels', *(f'next_{n}' for n in names)],
            dynamic_shapes=(
                {0: free, 1: free, 2: free},
                tuple(None for _ in names),
            ),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    except torch.onnx.errors.OnnxExporterError as error:
        why = str(error.__cause__ or error).strip().splitlines()[0]
        raise RuntimeError(f'the model cannot be exported: {why}') from error
    graph = program.model_proto
    # A state is a single zero or a whole map: all its sizes are free.
    for value in graph.graph.input:
        if value.name in names:
            for axis, dim in zip(
                'nchw', value.type.tensor_type.shape.dim, strict=True
            ):
                dim.Clear()
                dim.dim_param = f'{value.name}_{axis}'
    for key, value in (
        ('classes', ','.join(classes)),
        ('palette', ','.join(str(c) for colour in palette for c in colour)),
    ):
        graph.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(graph, full_check=True)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}')
    onnx.save(graph, temporary)
    temporary.replace(path)


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
        num_frames (int): Length of a stream of random frames.
        size (tuple[int, int]): Their height and width.
        batch (int): How many streams at once. Defaults to 1.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(
        path, providers=['CPUExecutionProvider']
    )
    names = [i.name for i in session.get_inputs() if i.name != 'frame']
    rng = np.random.default_rng(0)
    theirs = [np.zeros((1, 1, 1, 1), np.float32)] * len(names)
    ours, error = None, 0.0
    for _ in range(num_frames):
        frame = rng.integers(0, 256, (batch, *size, 3), np.uint8)
        logits, _, *theirs = session.run(
            None, {'frame': frame, **dict(zip(names, theirs, strict=True))}
        )
        clips = torch.from_numpy(frame).permute(0, 3, 1, 2)[:, None]
        data = model.data_preprocessor(dict(inputs=list(clips)))
        with torch.no_grad():
            expected, ours = model.step(data['inputs'][:, 0], ours)
        error = max(error, float(np.abs(logits - expected.numpy()).max()))
    return error
