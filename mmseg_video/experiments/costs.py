"""What models cost: built with random weights, timed in turn, once each."""

import copy
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from mmengine import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from torch.utils.flop_counter import FlopCounterMode

from ..engine.launch import revert_sync_bn
from ..engine.pretrained import fetch_nothing
from .store import Store

# What of a model's config a streamed frame does not meet.
TRAINING = (
    *('train_cfg', 'loss_decode', 'clip_losses', 'init_cfg', 'pretrained'),
    *('batch_augments', 'clip_augments'),
)


class Costs:
    """What models cost, each measured once.

    The latency of a streamed frame is the median of repeats in turn with the
    baseline's: their ratio holds where the clock of the machine does not.
    Configs that differ in their training alone have one model.

    Args:
        folder (Path): Where it is kept.
        size (tuple[int, int]): Height and width of the frame.
        device (torch.device): Where it is measured.
        repeats (int): Of the latency. Defaults to 9.
    """

    def __init__(
        self,
        folder: Path,
        size: tuple[int, int],
        device: torch.device,
        repeats: int = 9,
    ):
        self.store = Store(folder)
        self.size, self.device, self.repeats = size, device, repeats

    def measure(
        self, cfg: Config, baseline: Config | None = None, latency: bool = True
    ) -> dict:
        """Measure what was not; see :meth:`get`.

        Args:
            cfg (Config): Of the model.
            baseline (Config | None): Of its baseline. Defaults to None.
            latency (bool): Whether the latency too, which takes a while.
                Defaults to True.
        """
        for model in [cfg] if baseline is None else [cfg, baseline]:
            self.store.once(self._what(model), lambda m=model: self._count(m))
        if latency:
            pair = self._pair(cfg, baseline)
            self.store.once(pair, lambda: self._time(cfg, baseline))
        return self.get(cfg, baseline)

    def get(self, cfg: Config, baseline: Config | None = None) -> dict:
        """What was measured: ``parameters``, ``multiply_adds`` of one streamed
        frame, ``latency_ms`` and ``latency_on``, and with a baseline
        ``ratio``.

        Latencies are those of this device and number of threads; where there
        are none, the last that were measured on another, which is named.
        """
        figures = dict(self.store.get(self._what(cfg)) or {})
        pair = self._pair(cfg, baseline)
        device, seconds = pair['device'], self.store.get(pair)
        if seconds is None:
            device, seconds = self._elsewhere(pair)
        if seconds:
            figures['latency_ms'] = 1000 * seconds['model']
            figures['latency_on'] = device
        if seconds and 'baseline' in seconds:
            figures['ratio'] = seconds['model'] / seconds['baseline']
        return figures

    def _what(self, cfg: Config) -> dict:
        return dict(model=_as_tested(cfg.model.to_dict()), size=self.size)

    def _pair(self, cfg: Config, baseline: Config | None) -> dict:
        return dict(
            model=self._what(cfg),
            baseline=baseline and self._what(baseline),
            repeats=self.repeats,
            device=device_name(self.device),
            torch=torch.__version__,
        )

    def _elsewhere(self, pair: dict) -> tuple[str, dict | None]:
        """Device and seconds of the last time that a pair was measured."""
        wanted = json.loads(json.dumps(pair, default=str))
        for what, seconds in self.store.items():
            if isinstance(what, dict) and all(
                key in what and what[key] == wanted[key]
                for key in ('model', 'baseline')
            ):
                return what['device'], seconds
        return '', None

    def _count(self, cfg: Config) -> dict[str, int]:
        return dict(
            parameters=num_parameters(build(cfg, 'meta')),
            multiply_adds=multiply_adds(cfg, self.size),
        )

    def _time(self, cfg: Config, baseline: Config | None) -> dict[str, float]:
        models = dict(model=cfg)
        alone = baseline and self._what(baseline) == self._what(cfg)
        if baseline and not alone:
            models['baseline'] = baseline
        frame = torch.randn(1, 3, *self.size, device=self.device)
        functions = {
            name: streamer(build(each, self.device), frame)
            for name, each in models.items()
        }
        seconds = interleaved(functions, self.repeats, self.device)
        return seconds | (dict(baseline=seconds['model']) if alone else {})


def _as_tested(cfg):
    if isinstance(cfg, dict):
        return {k: _as_tested(v) for k, v in cfg.items() if k not in TRAINING}
    return [_as_tested(v) for v in cfg] if isinstance(cfg, list) else cfg


def build(
    config: Config | str | os.PathLike,
    device: torch.device | str,
    trainable: bool = False,
    train_cfg: dict | None = None,
) -> torch.nn.Module:
    """The segmentor of a config, with random weights.

    Args:
        config (Config | str): The config, which is left as it is, or its
            path.
        device (torch.device | str): Where it goes.
        trainable (bool): Whether it is left in train mode. Defaults to False.
        train_cfg (dict | None): Merged into the config's. Defaults to None.
    """
    if isinstance(config, Config):
        cfg = copy.deepcopy(config)
    else:
        cfg = Config.fromfile(config)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    revert_sync_bn(cfg.model)
    fetch_nothing(cfg.model)
    cfg.model.test_cfg = dict(mode='whole')
    cfg.model.train_cfg = {
        **(cfg.model.get('train_cfg') or {}),
        **(train_cfg or {}),
    }
    return MODELS.build(cfg.model).to(device).train(trainable)


def device_name(device: torch.device) -> str:
    """What a figure was measured on."""
    if device.type == 'cuda':
        return torch.cuda.get_device_name(device)
    return f'CPU, {torch.get_num_threads()} threads'


def chosen_device(name: str | None = None) -> torch.device:
    """The device of this name, by default the GPU where there is one."""
    gpu = 'cuda' if torch.cuda.is_available() else 'cpu'
    return torch.device(name or gpu)


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
    """A function that predicts one more frame (1, C, H, W) of a stream.

    A flow-compensated model is given a flow: what is measured is the net and
    the warp, and not the estimation, which goes on beside the net.
    """
    metas = [dict(img_shape=frame.shape[2:], ori_shape=frame.shape[2:])]
    states = flow = None
    if getattr(model, 'flow_compensated', False):
        flow = torch.ones_like(frame)  # of one pixel, and full weight

    @torch.no_grad()
    def recurrent():
        nonlocal states
        _, states = model.step(frame, states, flow)

    @torch.no_grad()
    def framewise():
        model.inference(frame, metas)

    return recurrent if hasattr(model, 'step') else framewise


def num_parameters(model: torch.nn.Module) -> int:
    """Of all but what only a training has, such as a discriminator."""
    only = getattr(model, 'training_only', ())
    return sum(
        parameter.numel()
        for name, parameter in model.named_parameters()
        if not name.startswith(only)
    )


def multiply_adds(config: Config | str, size: tuple[int, int]) -> int:
    """Multiplications with an addition, for one more frame of a stream.

    Those of convolutions and matrix products, each counted once, as mmseg's
    ``get_flops.py`` counts them. The first frame is not it: it has no state
    to convolve.

    Args:
        config (Config | str): The config, or its path.
        size (tuple[int, int]): Height and width of the frame.
    """
    # Shapes alone say it, so that nothing is computed, unless a model looks
    # at values.
    try:
        return _count(build(config, 'meta'), size, 'meta')
    except (RuntimeError, TypeError, ValueError):
        return _count(build(config, 'cpu'), size, 'cpu')


def _count(model: torch.nn.Module, size: tuple[int, int], device: str) -> int:
    predict = streamer(model, torch.zeros(1, 3, *size, device=device))
    predict()
    with FlopCounterMode(display=False) as counter:
        predict()
    return counter.get_total_flops() // 2


def _synchronise(device: torch.device) -> None:
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
