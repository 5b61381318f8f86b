"""The exported step by ONNX Runtime's CUDA provider, where it is there."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from ...costs import interleaved
from .networks import LATERALS, network
from .parity import stepper
from .precision import PRECISIONS, TF32
from .rows import row
from .settings import Settings


def onnx_runtime(settings: Settings) -> Iterator[dict]:
    """Against the eager net; frames go in as uint8, labels come out."""
    import onnxruntime

    there = onnxruntime.get_available_providers()
    provider = settings.onnx_provider
    if provider not in there:
        yield row('ONNX Runtime', note=f'has no {provider}: {there}')
        return
    from ....deployment.onnx import export_onnx
    from ....deployment.runner import StreamRunner

    device = settings.device
    model = network(LATERALS, 'cpu')
    classes = [str(i) for i in range(model.decode_head.num_classes)]
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / 'model.onnx')
        export_onnx(model, path, classes, [[0, 0, 0]] * len(classes))
        runner = StreamRunner(path, [provider])
    if provider not in runner.session.get_providers():
        raise RuntimeError(f'ONNX Runtime fell back from {provider}')
    frame = np.random.randint(0, 256, (1, *settings.size, 3), np.uint8)
    eager = stepper(model.to(device), PRECISIONS[TF32])
    tensor = torch.randn(1, 3, *settings.size, device=device)
    seconds = interleaved(
        dict(
            eager=lambda: eager(tensor).argmax(1).cpu(),
            onnx=lambda: runner.step(frame),
        ),
        settings.repeats,
        device,
    )
    yield row(
        f'{LATERALS}, {provider}',
        settings.size,
        ms=1000 * seconds['onnx'],
        rate=1 / seconds['onnx'],
        ratio=seconds['onnx'] / seconds['eager'],
    )
