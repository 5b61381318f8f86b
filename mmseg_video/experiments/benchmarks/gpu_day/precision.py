"""Ways to compute the same: precisions and memory layouts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Precision:
    """How a net computes.

    Args:
        tf32 (bool): Whether tensor cores may round float32 to TF32. Defaults
            to False.
        autocast (torch.dtype | None): Of mixed precision; on a CPU it is
            always bfloat16. Defaults to None.
        channels_last (bool): Memory layout of the weights. Defaults to False.
    """

    tf32: bool = False
    autocast: torch.dtype | None = None
    channels_last: bool = False

    def prepare(self, model: torch.nn.Module) -> torch.nn.Module:
        """Lay its weights out, in place."""
        if self.channels_last:
            model.to(memory_format=torch.channels_last)
        return model

    @contextmanager
    def __call__(self, device: torch.device) -> Iterator[None]:
        """The context in which it computes so."""
        cuda, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
        before = cuda.allow_tf32, cudnn.allow_tf32
        cuda.allow_tf32 = cudnn.allow_tf32 = self.tf32
        try:
            with torch.autocast(
                device.type,
                self.autocast if device.type == 'cuda' else torch.bfloat16,
                enabled=self.autocast is not None,
            ):
                yield
        finally:
            cuda.allow_tf32, cudnn.allow_tf32 = before

    def around(
        self, function: Callable[[], None], device: torch.device
    ) -> Callable[[], None]:
        """The function in this context, which each call enters anew: one
        that stays keeps the rounded weights of the first call."""

        def inside() -> None:
            with self(device):
                function()

        return inside


FLOAT32 = 'float32'
TF32 = 'TF32'
FLOAT16 = 'float16'
FLOAT16_LAST = 'float16, channels-last'
PRECISIONS = {
    FLOAT32: Precision(),
    TF32: Precision(tf32=True),
    FLOAT16: Precision(True, torch.float16),
    'bfloat16': Precision(True, torch.bfloat16),
    'float32, channels-last': Precision(channels_last=True),
    FLOAT16_LAST: Precision(True, torch.float16, True),
}


@contextmanager
def fastest_kernels() -> Iterator[None]:
    """cuDNN tries its kernels at each new size, as trainings have it."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before
