"""What models cost: built with random weights, timed in turn."""

import statistics
import time
from collections.abc import Callable

import torch
from mmengine import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from torch.utils.flop_counter import FlopCounterMode

from .engine.launch import plain_batch_norm


def build(path: str, device, trainable: bool = False) -> torch.nn.Module:
    """The segmentor of a config, with random weights.

    Args:
        path (str): Path of the config.
        device (torch.device | str): Where it goes.
        trainable (bool): Whether it is left in train mode. Defaults to False.
    """
    cfg = Config.fromfile(path)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    plain_batch_norm(cfg.model)
    cfg.model.backbone.init_cfg = None
    cfg.model.pop('pretrained', None)
    cfg.model.test_cfg = dict(mode='whole')
    return MODELS.build(cfg.model).to(device).train(trainable)


def interleaved(
    functions: dict[str, Callable],
    repeats: int,
    device: torch.device,
    warmup: int = 2,
) -> dict[str, float]:
    """Median seconds of each function, called in turn.

    In turn, so that their ratios hold where the clock of the machine does
    not.
    """
    times = {name: [] for name in functions}
    for repeat in range(warmup + repeats):
        for name, function in functions.items():
            _synchronise(device)
            start = time.perf_counter()
            function()
            _synchronise(device)
            if repeat >= warmup:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(t) for name, t in times.items()}


def streamer(model: torch.nn.Module, frame: torch.Tensor) -> Callable:
    """A function that predicts one more frame (1, C, H, W) of a stream."""
    metas = [dict(img_shape=frame.shape[2:], ori_shape=frame.shape[2:])]
    states = None

    @torch.no_grad()
    def recurrent():
        nonlocal states
        _, states = model.step(frame, states)

    @torch.no_grad()
    def framewise():
        model.inference(frame, metas)

    return recurrent if hasattr(model, 'step') else framewise


def num_parameters(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def multiply_adds(path: str, size: tuple[int, int]) -> int:
    """Multiplications with an addition, for one more frame of a stream.

    Those of convolutions and matrix products, each counted once, as mmseg's
    ``get_flops.py`` counts them. The first frame is not it: it has no state
    to convolve.

    Args:
        path (str): Path of the config.
        size (tuple[int, int]): Height and width of the frame.
    """
    # Shapes alone say it, so that nothing is computed, unless a model looks
    # at values (optical flow does).
    try:
        return _count(build(path, 'meta'), size, 'meta')
    except (NotImplementedError, RuntimeError, TypeError, ValueError):
        return _count(build(path, 'cpu'), size, 'cpu')


def _count(model: torch.nn.Module, size: tuple[int, int], device: str) -> int:
    predict = streamer(model, torch.zeros(1, 3, *size, device=device))
    predict()
    with FlopCounterMode(display=False) as counter:
        predict()
    return counter.get_total_flops() // 2


def _synchronise(device: torch.device) -> None:
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
