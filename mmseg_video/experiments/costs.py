"""What models cost: built with random weights, timed in turn."""

import copy
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable

import torch
from mmengine import Config
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch.utils.flop_counter import FlopCounterMode

from ..engine.launch import revert_sync_bn
from ..engine.pretrained import fetch_nothing


def build(
    path: str,
    device,
    trainable: bool = False,
    train_cfg: dict | None = None,
) -> torch.nn.Module:
    """The segmentor of a config, with random weights.

    Args:
        path (str): Path of the config.
        device (torch.device | str): Where it goes.
        trainable (bool): Whether it is left in train mode. Defaults to False.
        train_cfg (dict | None): Merged into the config's. Defaults to None.
    """
    return build_from(Config.fromfile(path), device, trainable, train_cfg)


def build_from(
    cfg: Config,
    device,
    trainable: bool = False,
    train_cfg: dict | None = None,
) -> torch.nn.Module:
    """:func:`build` of a config in memory, which is left as it is."""
    cfg = copy.deepcopy(cfg)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    revert_sync_bn(cfg.model)
    fetch_nothing(cfg.model)
    cfg.model.test_cfg = dict(mode='whole')
    cfg.model.train_cfg = {
        **(cfg.model.get('train_cfg') or {}),
        **(train_cfg or {}),
    }
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


def trainer(
    model: torch.nn.Module,
    num_frames: int,
    size: tuple[int, int],
    device: torch.device,
    steps: int = 1,
) -> Callable:
    """A function that trains ``steps`` steps, each on one labelled sample.

    Args:
        model (nn.Module): The segmentor.
        num_frames (int): T of the sample; 0 for a still of a framewise model.
        size (tuple[int, int]): Height and width of the frames.
        device (torch.device): Of the model.
        steps (int): Defaults to 1.

    Raises:
        ValueError: If a framewise model is to train on clips.
    """
    if num_frames and not hasattr(model, 'reset_states'):
        raise ValueError(
            f'a framewise {type(model).__name__} trains on stills, not on '
            'clips: name a recurrent config'
        )
    shape = (1, num_frames, 3, *size) if num_frames else (1, 3, *size)
    inputs = torch.randn(shape, device=device)
    classes = model.decode_head.num_classes
    label = torch.randint(classes, (1, *size), device=device)
    samples = [
        SegDataSample(
            gt_sem_seg=PixelData(data=label), metainfo=dict(img_shape=size)
        )
    ]
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)

    def train():
        for _ in range(steps):
            losses = model.loss(inputs, samples)
            sum(v for k, v in losses.items() if 'loss' in k).backward()
            optimizer.step()
            optimizer.zero_grad()

    return train


def train_cost(
    path: str,
    num_frames: int,
    size: tuple[int, int],
    device: torch.device,
    train_cfg: dict | None = None,
    steps: int = 2,
) -> tuple[float, float] | None:
    """Median seconds of a training step, and MiB that steps add at their
    peak; None where the memory does not suffice.

    On a CPU they are measured in a process of their own, as a process
    remembers its highest peak only; this one must have started no threads
    that a fork would lose. The first step, which allocates, is not timed.

    Args:
        path (str): Path of the config.
        num_frames (int): See :func:`trainer`.
        size (tuple[int, int]): Height and width of the frames.
        device (torch.device): Where to measure.
        train_cfg (dict | None): See :func:`build`. Defaults to None.
        steps (int): How many are timed. Defaults to 2.

    Raises:
        RuntimeError: If the model cannot be trained so.
    """

    def measure(peak):
        model = build(path, device, trainable=True, train_cfg=train_cfg)
        train = trainer(model, num_frames, size, device)
        before = peak(reset=True)
        train()
        seconds = interleaved({'': train}, steps, device, warmup=0)['']
        return seconds, (peak() - before) / 2**20

    if device.type == 'cuda':
        return _measure_on_gpu(measure, device)
    return _measure_on_cpu(measure)


def _measure_on_gpu(measure: Callable, device) -> tuple[float, float] | None:
    def peak(reset=False):
        if reset:
            torch.cuda.reset_peak_memory_stats(device)
        return torch.cuda.max_memory_allocated(device)

    try:
        return measure(peak)
    except torch.OutOfMemoryError:
        return None
    finally:
        torch.cuda.empty_cache()


def _measure_on_cpu(measure: Callable) -> tuple[float, float] | None:
    threads = torch.get_num_threads()

    def peak(reset=False):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    def child(pipe):
        torch.set_num_threads(threads)
        try:
            pipe.send(measure(peak))
        except MemoryError:
            pipe.send(None)
        except Exception as error:
            pipe.send(f'{type(error).__name__}: {error}')

    receiver, sender = multiprocessing.Pipe(False)
    process = multiprocessing.get_context('fork').Process(
        target=child, args=(sender,)
    )
    process.start()
    sender.close()
    try:
        result = receiver.recv()
    except EOFError:
        # Killed, as the kernel does with what takes too much.
        result = None
    finally:
        process.join()
    if isinstance(result, str):
        raise RuntimeError(result)
    return result


def num_parameters(model: torch.nn.Module) -> int:
    """Of all but what only a training has, such as a discriminator."""
    only = getattr(model, 'training_only', ())
    return sum(
        parameter.numel()
        for name, parameter in model.named_parameters()
        if not name.startswith(only)
    )


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
    except (RuntimeError, TypeError, ValueError):
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
