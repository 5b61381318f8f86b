"""How far a GPU's logits are from those of a CPU's float32."""

import copy
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from .networks import LATERALS, NETWORKS, network
from .precision import PRECISIONS, Precision
from .rows import row
from .settings import Settings

NUM_FRAMES = 3  # the last of which has a state that has had one


def parity(settings: Settings) -> Iterator[dict]:
    """Each net in each precision, on the last frame of a short stream."""
    device = settings.device
    for name in NETWORKS:
        model = network(name, 'cpu')
        frames = random_frames(settings.size)
        reference = last_logits(stepper(model), frames)
        if name == LATERALS:
            exact = last_logits(
                stepper(copy.deepcopy(model).double()), frames.double()
            )
            yield row(
                f'{name}, float32 of the CPU, against its float64',
                settings.size,
                **difference(reference, exact),
            )
        for precision, how in PRECISIONS.items():
            moved = how.prepare(copy.deepcopy(model).to(device))
            yield row(
                f'{name}, {precision}',
                settings.size,
                **difference(
                    last_logits(stepper(moved, how), frames), reference
                ),
            )


def random_frames(size: tuple[int, int]) -> Tensor:
    """Normalised frames (N, 1, 3, H, W) of a stream, smooth as pictures."""
    generator = torch.Generator().manual_seed(1)
    height, width = size
    coarse = torch.randn(
        NUM_FRAMES, 3, height // 8, width // 8, generator=generator
    )
    frames = torch.nn.functional.interpolate(
        coarse, size, mode='bilinear', align_corners=False
    )
    noise = torch.randn(frames.shape, generator=generator)
    return (frames + 0.1 * noise).unsqueeze(1)


def stepper(
    model: torch.nn.Module, precision: Precision | None = None
) -> Callable[[Tensor], Tensor]:
    """A function from the next frame (1, 3, H, W) of a stream to its logits.

    The flow of a flow-compensated model is of one and a half pixels.
    """
    precision = precision or Precision()
    weights = next(model.parameters())
    states = None

    @torch.no_grad()
    def step(frame: Tensor) -> Tensor:
        nonlocal states
        frame = frame.to(weights.device)
        with precision(weights.device):
            if not hasattr(model, 'step'):
                metas = [dict(img_shape=frame.shape[2:])]
                return model.encode_decode(frame, metas)
            logits, states = model.step(
                frame, states, constant_flow(model, frame)
            )
        return logits

    return step


def constant_flow(model: torch.nn.Module, frame: Tensor) -> Tensor | None:
    """A flow field (1, 3, H, W) of full weight, None where none is needed."""
    if not getattr(model, 'flow_compensated', False):
        return None
    flow = torch.full_like(frame, 1.5)
    flow[:, 2] = 1
    return flow


def last_logits(step: Callable[[Tensor], Tensor], frames: Tensor) -> Tensor:
    """Of a stream's last frame, on the CPU."""
    for frame in frames:
        logits = step(frame)
    return logits.cpu()


def difference(logits: Tensor, reference: Tensor) -> dict[str, float]:
    """The figures ``error`` and ``changed`` of a row.

    Raises:
        ValueError: If logits are not finite.
    """
    if not logits.isfinite().all():
        raise ValueError('the logits are not finite')
    logits, exact = logits.double(), reference.double()
    changed = (logits.argmax(1) != exact.argmax(1)).double().mean()
    return dict(
        error=((logits - exact).norm() / exact.norm()).item(),
        changed=100 * changed.item(),
    )
