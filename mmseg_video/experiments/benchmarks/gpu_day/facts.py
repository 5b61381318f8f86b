"""What machine this is, and the two ceilings of its GPU."""

import os
import platform
import subprocess
from collections.abc import Iterator
from functools import partial
from importlib import metadata
from statistics import median

import torch

from ...costs import device_name, interleaved
from .rows import row
from .settings import Settings

PACKAGES = (
    *('torch', 'torchvision', 'triton', 'onedl-mmengine', 'onedl-mmcv'),
    *('onedl-mmsegmentation', 'numpy', 'opencv-python'),
    *('opencv-python-headless', 'onnxruntime', 'onnxruntime-gpu'),
)


def facts(settings: Settings) -> Iterator[dict]:
    """Names and versions; TB/s of a copy, TFLOP/s of a matrix product."""
    device = settings.device
    yield row('device', note=device_name(device))
    yield row(
        'processor',
        note=f'{os.cpu_count()} cores, {platform.machine()}, '
        f'Python {platform.python_version()}',
    )
    yield row('packages', note=', '.join(_versions()))
    if device.type == 'cuda':
        yield from _of_gpu(device)
    yield from _ceilings(settings, device)


def _versions() -> Iterator[str]:
    for name in PACKAGES:
        try:
            yield f'{name} {metadata.version(name)}'
        except metadata.PackageNotFoundError:
            continue


def _of_gpu(device: torch.device) -> Iterator[dict]:
    properties = torch.cuda.get_device_properties(device)
    yield row('memory', mib=properties.total_memory / 2**20)
    yield row(
        'CUDA',
        note=f'CUDA {torch.version.cuda}, cuDNN '
        f'{torch.backends.cudnn.version()}, NCCL '
        f'{".".join(map(str, torch.cuda.nccl.version()))}, compute '
        f'capability {properties.major}.{properties.minor}, '
        f'{properties.multi_processor_count} multiprocessors',
    )
    query = 'driver_version,clocks.sm,clocks.mem,power.limit'
    try:
        found = subprocess.run(
            ['nvidia-smi', f'--query-gpu={query}', '--format=csv,noheader'],
            capture_output=True,
            text=True,
            timeout=10,
        ).stdout.strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        found = f'nvidia-smi: {error}'
    yield row(f'nvidia-smi, {query}', note=found)


def _ceilings(settings: Settings, device: torch.device) -> Iterator[dict]:
    """What no version can beat: of random numbers, as zeros are faster."""
    numbers = torch.randn(settings.copy_mib * 2**18, device=device)
    copy = partial(torch.empty_like(numbers).copy_, numbers)
    seconds = _time(copy, settings, device)
    moved = 2 * numbers.numel() * numbers.element_size()
    yield row(
        f'copy of {settings.copy_mib} MiB on the device',
        ms=1000 * seconds,
        rate=moved / seconds / 1e12,
        note='TB read and written',
    )
    del numbers, copy
    for dtype in (torch.bfloat16, torch.float32):
        matrix = torch.randn(settings.matrix, settings.matrix, device=device)
        matrix = matrix.to(dtype)
        seconds = _time(lambda m=matrix: m @ m, settings, device)
        yield row(
            f'matrix product of side {settings.matrix}, {dtype}',
            ms=1000 * seconds,
            rate=2 * settings.matrix**3 / seconds / 1e12,
            note='TFLOP',
        )


def _time(function, settings, device) -> float:
    repeats = max(1, settings.repeats // 3)
    times = [interleaved({'': function}, repeats, device)[''] for _ in '12']
    return median(times)
