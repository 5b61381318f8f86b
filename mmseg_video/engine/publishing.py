"""Weights as they are published: alone, in half precision, with their hash."""

import hashlib
import os
from pathlib import Path

import torch

from ..io.atomic import atomic_path
from .weights import read_checkpoint

META = ('iter', 'seed', 'dataset_meta')  # what a reader needs of it


def publish(checkpoint: str, out: str | os.PathLike) -> str:
    """Write a training's weights for others; returns the file's SHA-256.

    Floating-point tensors become half precision; optimiser, schedules and
    random states stay behind, and of the metadata only META is kept, so that
    no path of a machine goes along.

    Args:
        checkpoint (str): Of a training.
        out (path): The file to write; a .pth that is not there.

    Raises:
        FileExistsError: If ``out`` is there.
        ValueError: If a weight is not finite, or too large for half
            precision.
    """
    out = Path(out)
    if out.exists():
        raise FileExistsError(f"'{out}' exists: remove it, or name another")
    content = read_checkpoint(checkpoint)
    weights = {}
    for name, value in content['state_dict'].items():
        weights[name] = value
        if value.is_floating_point():
            weights[name] = value.half()
            if not weights[name].isfinite().all():
                raise ValueError(
                    f"'{checkpoint}': '{name}' has values that are not finite "
                    'in half precision'
                )
    meta = {k: v for k, v in content.get('meta', {}).items() if k in META}
    with atomic_path(out) as temporary:
        torch.save(dict(meta=meta, state_dict=weights), temporary)
    return hashlib.sha256(out.read_bytes()).hexdigest()
