"""What of a clip trains, and what it costs: the keys of ``train_cfg``.

``burn_in`` and ``bptt`` say which frames only give the state that the others
start from, ``ref_grad`` and ``checkpoint_frames`` what of those others is
trained, and kept::

    clip     | dropped | burn-in, drawn |  carried  |       trained       |
    frames   0 .................. burn_in ....... T - bptt .............. T
    gradient      -            no             no              yes
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial

import numpy as np
import torch
from mmengine.logging import MessageHub
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils._pytree import tree_map
from torch.utils.checkpoint import checkpoint

from .time_axis import Maps, framewise

KEYS = ('burn_in', 'bptt', 'ref_grad', 'checkpoint_frames')
MMSEG_KEYS = ('sampler',)  # what configs of mmseg have, and nothing reads
REF_GRADS = (True, False, 'states')
# Ref frames without activations that run at a time: their maps come and go,
# and are together smaller than what the key frame keeps.
FORWARD_ONLY = 4


def check_train_cfg(train_cfg: dict | None) -> None:
    """Refuse unknown keys, and numbers of frames that mean nothing.

    Raises:
        ValueError: With the key.
    """
    unknown = [key for key in train_cfg or {} if key not in KEYS + MMSEG_KEYS]
    if unknown:
        raise ValueError(
            f"train_cfg has no key '{unknown[0]}': it has {', '.join(KEYS)}"
        )
    for key, minimum in (
        ('burn_in', 0),
        ('bptt', 1),
        ('checkpoint_frames', 1),
    ):
        value = (train_cfg or {}).get(key)
        if value is None:
            continue
        if not isinstance(value, int) or value < minimum:
            raise ValueError(
                f'train_cfg.{key} is a number of frames >= {minimum}, got '
                f'{value!r}'
            )
    ref_grad = (train_cfg or {}).get('ref_grad', True)
    if ref_grad not in REF_GRADS:
        raise ValueError(
            "train_cfg.ref_grad must be True, False or 'states', got "
            f'{ref_grad!r}'
        )


def split_clip(
    num_frames: int, train_cfg: dict | None
) -> tuple[list[slice], slice]:
    """The chunks of frames that only give a state, and those that train.

    ``burn_in=B``: the first B frames train nothing; b of them, drawn anew
    for each batch from 0 to B, run before the rest, so that a model trained
    on T - B frames meets states of every age up to T. ``bptt=k``: only the
    last k frames train. The loss is the key frame's, so what truncated
    back-propagation through time keeps of the frames before is their state.
    No chunk is longer than what trains, so activations do not grow with T.

    Args:
        num_frames (int): T of the clips.
        train_cfg (dict | None): The segmentor's.

    Raises:
        ValueError: If ``burn_in`` leaves no frame to train on.
    """
    train_cfg = train_cfg or {}
    burn_in = train_cfg.get('burn_in') or 0
    if burn_in >= num_frames:
        raise ValueError(
            f'train_cfg.burn_in={burn_in} leaves nothing of clips of '
            f'T={num_frames} to train on: set num_frames of the training '
            f'dataset to {burn_in + 1} or more'
        )
    first = burn_in - _draw(burn_in)
    trained = min(num_frames - burn_in, train_cfg.get('bptt') or num_frames)
    start = num_frames - trained
    chunks = [
        slice(begin, min(begin + trained, start))
        for begin in range(first, start, trained)
    ]
    return chunks, slice(start, num_frames)


def split_trained(
    num_frames: int, train_cfg: dict | None
) -> tuple[list[slice], slice]:
    """Of frames that train, the chunks of which only the states are kept,
    and the rest, with the key frame.

    ``ref_grad='states'``: all frames but the key frame. ``checkpoint_frames
    =c``: all but the last c or fewer, c at a time. Else there are none.

    Args:
        num_frames (int): How many frames train.
        train_cfg (dict | None): The segmentor's.
    """
    train_cfg = train_cfg or {}
    ref_grad = train_cfg.get('ref_grad', True)
    size = train_cfg.get('checkpoint_frames')
    if ref_grad == 'states':
        size, start = size or FORWARD_ONLY, num_frames - 1
    elif ref_grad and size:
        start = (num_frames - 1) // size * size
    else:
        start = 0
    chunks = [
        slice(begin, min(begin + size, start))
        for begin in range(0, start, size or 1)
    ]
    return chunks, slice(start, num_frames)


def _draw(largest: int) -> int:
    """0 to ``largest``, each alike, from the iteration of the training.

    All processes draw alike, as their collectives (SyncBN) need it, and a
    resumed training draws on.
    """
    iteration = MessageHub.get_current_instance().get_info('iter', 0)
    return int(
        np.random.default_rng([largest, iteration]).integers(largest + 1)
    )


def encode_frames(
    backbone: nn.Module, clips: Tensor, train_cfg: dict | None
) -> Maps:
    """The levels (N, T, C_l, h_l, w_l) of ``backbone``, for training.

    ``ref_grad=False``: no gradient for the ref frames. ``checkpoint_frames
    =c``: c frames of each clip at a time, whose activations are computed
    again in the backward pass instead of kept; but those of the last ones,
    with which that pass begins. Batch norm in train mode then normalises each
    piece by itself; where it is frozen, or group norm stands in its place,
    gradients are what they are without.

    Args:
        backbone (nn.Module): Maps (B, C, H, W) to levels.
        clips (Tensor): (N, T, C, H, W).
        train_cfg (dict | None): The segmentor's.
    """
    train_cfg = train_cfg or {}
    size = train_cfg.get('checkpoint_frames')
    if not train_cfg.get('ref_grad', True) and clips.shape[1] > 1:
        with no_grad_without_cast_cache():
            ref = framewise(backbone, clips[:, :-1])
        key = encode_frames(backbone, clips[:, -1:], train_cfg)
        return _join([ref, key])
    if not size or not torch.is_grad_enabled():
        return framewise(backbone, clips)
    *pieces, last = clips.split(size, dim=1)
    encode = recomputed(backbone, backbone)
    levels = [framewise(encode, piece) for piece in pieces]
    return _join([*levels, framewise(backbone, last)])


@contextmanager
def no_grad_without_cast_cache() -> Iterator[None]:
    """``torch.no_grad()`` for a part of what trains.

    Within an autocast, PyTorch 2.10 and older keep the weights that are
    rounded here, without a gradient, and take them again for the frames that
    train (pytorch issue 112583). While this is open, none are kept.
    """
    cached = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    try:
        with torch.no_grad():
            yield
    finally:
        torch.set_autocast_cache_enabled(cached)


def recomputed(function: Callable, module: nn.Module) -> Callable:
    """The function, whose activations are computed again in the backward
    pass; batch norm of the module counts its batches once."""
    return partial(
        checkpoint,
        function,
        use_reentrant=False,
        context_fn=partial(_contexts, module),
    )


@contextmanager
def only_states_train(rnns: Iterable[nn.Module]) -> Iterator[None]:
    """While open, no gradient flows but through the states of these RNNs:
    what enters them has none, nor has what leaves them otherwise.

    Args:
        rnns (Iterable[nn.Module]): :class:`ConvRNN` in a model.
    """
    enabled = torch.is_grad_enabled()
    cached = torch.is_autocast_cache_enabled()

    def enter(*_) -> None:
        torch.set_grad_enabled(enabled)
        torch.set_autocast_cache_enabled(cached)

    def leave(*_) -> None:
        torch.set_grad_enabled(False)
        torch.set_autocast_cache_enabled(False)

    # First in, last out: what was is restored, whatever was raised.
    with no_grad_without_cast_cache(), ExitStack() as stack:
        for rnn in rnns:
            for hook in (
                rnn.register_forward_pre_hook(enter),
                rnn.register_forward_hook(leave),
            ):
                stack.callback(hook.remove)
        yield


def _contexts(module: nn.Module) -> tuple:
    """Of the first run and the second, which must not count twice."""
    return nullcontext(), keep_statistics(module)


def _join(pieces: list[Maps]) -> Maps:
    """Levels (N, T, ...) from those of pieces of the clips, in time order."""
    return tree_map(lambda *parts: torch.cat(parts, dim=1), *pieces)


@contextmanager
def keep_statistics(module: nn.Module) -> Iterator[None]:
    """While open, batch norm in train mode leaves its running statistics.

    It goes on normalising by the batch.
    """
    # Copies take the updates. To switch the tracking off would not do:
    # recomputation must save as many tensors as the first run.
    buffers = [
        (norm, name, buffer)
        for norm in module.modules()
        if isinstance(norm, _BatchNorm) and norm.training
        for name, buffer in norm.named_buffers(recurse=False)
    ]
    for norm, name, buffer in buffers:
        setattr(norm, name, buffer.clone())
    try:
        yield
    finally:
        for norm, name, buffer in buffers:
            setattr(norm, name, buffer)
