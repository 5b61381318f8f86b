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
        for name, values, neutral in (('mean', mean, 0.0), ('std', std, 1.0)):
            values = [neutral] * 3 if values is None else list(values)
            values = torch.tensor(values)
            self.register_buffer(name, values.view(3, 1, 1), persistent=False)

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
