"""The same predictions, sooner: memory layout and compilation."""

import os
import shutil

import torch
from mmengine import Config
from mmengine.model import Sequential
from torch import nn


def speed_up(
    model: nn.Module,
    channels_last: bool = False,
    compile: bool = False,
    **options,
) -> None:
    """Changes how a segmentor computes, in place, and not what.

    Args:
        model (nn.Module): A segmentor; its weights keep their names.
        channels_last (bool): Whether convolutions work on (N, H, W, C) in
            memory, for which CPUs and tensor cores have the faster kernels.
            Defaults to False.
        compile (bool): Whether backbone, necks and decoder are compiled by
            ``torch.compile`` when they are first called, which takes the
            better part of a minute. Defaults to False.
        options: Of ``torch.compile``, such as ``backend``.

    Raises:
        RuntimeError: If it is to be compiled on a CPU without a C++ compiler.
    """
    if channels_last:
        model.to(memory_format=torch.channels_last)
    if not compile:
        return
    on_cpu = next(model.parameters()).device.type == 'cpu'
    compiler = os.environ.get('CXX', 'g++')
    if on_cpu and not shutil.which(compiler):
        raise RuntimeError(
            f"compile=True needs a C++ compiler on a CPU, and '{compiler}' is "
            'not there: install it, name another by CXX, or set compile=False'
        )
    for part in _parts(model):
        part.forward = torch.compile(part.forward, **options)


def _parts(model: nn.Module) -> list[nn.Module]:
    """What is compiled: each is a function of tensors alone."""
    parts = [model.backbone]
    if model.with_neck:
        necks = model.neck
        parts += necks if isinstance(necks, Sequential) else [necks]
    # RNNs enter the decoder by hooks that each call puts in anew.
    if not len(getattr(model, 'head_rnns', ())):
        parts.append(model.decode_head)
    return parts


def speed_settings(cfg: Config) -> dict:
    """What a config's ``default_hooks.speed`` asks of :func:`speed_up`."""
    settings = dict((cfg.get('default_hooks') or {}).get('speed') or {})
    settings.pop('type', None)
    return settings
