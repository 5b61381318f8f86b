"""How large all is: as wanted on a GPU, or small, to rehearse on a CPU."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Settings:
    """What every stage is given.

    Attributes:
        sizes (tuple): Heights and widths of frames, the one that training
            takes first.
        lengths (tuple[int, int]): T of short and of long clips.
        repeats (int): How many times are timed; the median counts.
        warmup (int): How many come before.
        steps (int): Likewise, of training steps.
        frames (int): Of a stream.
        workers (tuple[int, ...]): Processes of the loader.
        samples (int): That each of them loads.
        scenes (tuple[int, int]): Height and width of the drawn frames that it
            reads.
        matrix (int): Side of the square matrices whose product is timed.
        copy_mib (int): What is copied on the device, and reduced.
        raft (str): 'large' or 'small'.
        compiler (str): Backend of ``torch.compile``.
        onnx_provider (str): Of ONNX Runtime.
    """

    sizes: tuple[tuple[int, int], ...]
    lengths: tuple[int, int]
    repeats: int
    warmup: int
    steps: int
    frames: int
    workers: tuple[int, ...]
    samples: int
    scenes: tuple[int, int]
    matrix: int
    copy_mib: int
    raft: str
    compiler: str
    onnx_provider: str

    @property
    def device(self) -> torch.device:
        """The GPU where there is one; its settings are left as they are."""
        return torch.device('cuda' if torch.cuda.is_available() else 'cpu')

    @property
    def size(self) -> tuple[int, int]:
        return self.sizes[0]


FULL = Settings(
    sizes=((512, 1024), (1024, 2048)),
    lengths=(5, 12),
    repeats=30,
    warmup=5,
    steps=5,
    frames=60,
    workers=(4, 16),
    samples=8,
    scenes=(1024, 2048),
    matrix=8192,
    copy_mib=2048,
    raft='large',
    compiler='inductor',
    onnx_provider='CUDAExecutionProvider',
)
DRY = Settings(
    sizes=((64, 128), (128, 192)),
    lengths=(2, 3),
    repeats=1,
    warmup=1,
    steps=1,
    frames=4,
    workers=(1,),
    samples=1,
    scenes=(64, 128),
    matrix=64,
    copy_mib=1,
    raft='small',
    compiler='eager',
    onnx_provider='CPUExecutionProvider',
)
