from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from .framewise import Framewise


class CallableNet(Framewise):
    """Any function or module that gives logits as a net to steady.

    ::

        CallableNet(my_net, classes=['road', 'car'],
                    mean=[123.7, 116.3, 103.5], std=[58.4, 57.1, 57.4])

    Args:
        net (Callable): Maps frames (N, 3, H, W) to logits (N, classes, h, w);
            or to what holds them: a dict with 'logits' or 'out', or an object
            with ``logits``.
        classes (Sequence[str]): See :class:`Framewise`.
        mean (Sequence[float] | None): Of the colours, in the order that the
            net reads, of values in [0, 255]. Defaults to None, 0.
        std (Sequence[float] | None): Likewise. Defaults to None, 1.
        bgr (bool): Whether the net reads blue first. Defaults to False.
        kwargs: :class:`Framewise`'s.

    Raises:
        ValueError: If mean or std is not three numbers, or a std not above 0.
    """

    def __init__(
        self,
        net: Callable,
        classes: Sequence[str],
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        bgr: bool = False,
        **kwargs,
    ):
        super().__init__(classes, **kwargs)
        self.net, self.bgr = net, bgr
        mean = _of_colours('mean', [0.0] * 3 if mean is None else mean)
        std = _of_colours('std', [1.0] * 3 if std is None else std, ' above 0')
        self.register_buffer('mean', mean, persistent=False)
        self.register_buffer('std', std, persistent=False)

    def normalised(self, frames: Tensor) -> Tensor:
        """The frames as the net reads them."""
        if not self.bgr:
            frames = frames.flip(1)
        return (frames - self.mean) / self.std

    def scores(self, frames: Tensor) -> Tensor:
        return logits_of(self.net(self.normalised(frames)))

    @property
    def name(self) -> str:
        net = self.net
        return type(net).__name__ if isinstance(net, nn.Module) else str(net)


def logits_of(output) -> Tensor:
    """The logits in what a net gives.

    Raises:
        ValueError: If there are none.
    """
    if isinstance(output, dict):
        found = [output[k] for k in ('logits', 'out') if k in output]
        output = found[0] if found else output
    output = getattr(output, 'logits', output)
    if not isinstance(output, Tensor):
        raise ValueError(
            f'the net gives {type(output).__name__}, no logits (N, classes, '
            'h, w): wrap it in a function that returns them'
        )
    return output


def _of_colours(name: str, values: Sequence[float], above: str = '') -> Tensor:
    """(3, 1, 1), checked."""
    try:
        tensor = torch.tensor([float(value) for value in values])
        right = tensor.shape == (3,) and bool(tensor.isfinite().all())
        right = right and not (above and (tensor <= 0).any())
    except (TypeError, ValueError):
        right = False
    if not right:
        raise ValueError(f'{name} is three numbers{above}, got {values!r}')
    return tensor.view(3, 1, 1)
