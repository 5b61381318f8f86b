"""What a training step costs in time and memory."""

import multiprocessing
import resource
from collections.abc import Callable
from itertools import accumulate

import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch.nn.parallel import DistributedDataParallel
from torch.profiler import ProfilerActivity, profile

from ..costs import build, interleaved


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
    if getattr(model, 'flow_compensated', False):
        # Of one pixel: what estimates it works beside the net.
        samples[0].flow = torch.ones(num_frames, 3, 1, 1, device=device)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)

    def train():
        for _ in range(steps):
            losses = model.loss(inputs, samples)
            sum(v for k, v in losses.items() if 'loss' in k).backward()
            optimizer.step()
            optimizer.zero_grad()

    return train


class Distributed:
    """A segmentor whose ``loss()`` goes through DDP.

    Args:
        model (nn.Module): The segmentor.
        kwargs: Of :class:`DistributedDataParallel`.
    """

    def __init__(self, model: torch.nn.Module, **kwargs):
        self.model = model
        self.ddp = DistributedDataParallel(
            model, broadcast_buffers=False, **kwargs
        )

    def __getattr__(self, name: str):
        return getattr(self.model, name)

    def loss(self, inputs, samples):
        return self.ddp(inputs, samples, mode='loss')


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

    def make():
        model = build(path, device, trainable=True, train_cfg=train_cfg)
        return trainer(model, num_frames, size, device)

    return step_cost(make, device, steps)


def step_cost(
    make: Callable[[], Callable[[], None]],
    device: torch.device,
    steps: int = 2,
) -> tuple[float, float] | None:
    """As :func:`train_cost`, of any step.

    Args:
        make (Callable): Builds what trains, and returns a function that makes
            a step.
        device (torch.device): Where to measure.
        steps (int): How many are timed. Defaults to 2.

    Raises:
        RuntimeError: If it cannot be trained so.
    """

    def measure(peak):
        train = make()
        before = peak(reset=True)
        train()
        seconds = interleaved({'': train}, steps, device, warmup=0)['']
        return seconds, (peak() - before) / 2**20

    if device.type == 'cuda':
        return _measure_on_gpu(measure, device)
    return _in_a_fork(lambda: measure(_process_peak))


def tensor_peak(make: Callable[[], Callable[[], None]]) -> float | None:
    """MiB of tensors that a step on a CPU adds at its peak, None where the
    memory does not suffice.

    What the allocator holds beside them, and never returns, is not in it: two
    runs give the same.

    Args:
        make (Callable): As of :func:`step_cost`.
    """

    def measure():
        train = make()
        train()  # fills what is kept for the next steps
        with profile(
            activities=[ProfilerActivity.CPU], profile_memory=True
        ) as profiler:
            train()
        events = profiler.profiler.kineto_results.events()
        changes = [
            (event.start_ns(), event.nbytes())
            for event in events
            if event.name() == '[memory]'
        ]
        held = accumulate(size for _, size in sorted(changes))
        return max(held) / 2**20

    return _in_a_fork(measure)


def _process_peak(reset: bool = False) -> int:
    """Bytes; of a process it is never set back."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


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


def _in_a_fork(measure: Callable):
    """What ``measure()`` returns in a process of its own; None where the
    memory does not suffice."""
    threads = torch.get_num_threads()

    def child(pipe):
        torch.set_num_threads(threads)
        try:
            pipe.send(measure())
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
