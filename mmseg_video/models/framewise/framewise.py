from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..states import States

# What nets of five levels need that take no other sizes.
STRIDE = 32


class Framewise(nn.Module):
    """Maps frames (N, 3, H, W), float BGR in [0, 255], to scores (N, classes,
    h, w) of the net's own resolution; a base class.

    The one thing that :class:`SteadySegmentor` asks of a net, whoever made
    it: a subclass says how in :meth:`scores`, and normalises and reorders the
    colours by itself. A net with states of its own overrides :meth:`step` and
    ``state_maps``.

    Args:
        classes (Sequence[str]): Names of the classes, in the order of the
            scores.
        palette (Sequence | None): Their RGB colours. Defaults to None, they
            are not known.
        stride (int | None): H and W that the net is given are multiples of
            it. Defaults to None: frames as they are, which is what the
            library it comes from does; multiples of 32 for a net that fails
            on them.
        smallest (tuple[int, int]): And H and W at least these. Defaults to
            (1, 1).

    Raises:
        ValueError: If there are no classes, or another number of colours.
    """

    # How the scores are spread over the frame, see torch's ``interpolate``.
    align_corners = False
    # Place of each module with a state -> number of maps in it.
    state_maps: dict[str, int] = {}
    # Whether the net itself warps states by optical flow.
    flow_compensated = False
    flow_channels = 3  # of the flow fields that it takes
    # What averages the scores over time in the net itself, in words.
    own_filter: str | None = None

    def __init__(
        self,
        classes: Sequence[str],
        palette: Sequence | None = None,
        stride: int | None = None,
        smallest: tuple[int, int] = (1, 1),
    ):
        super().__init__()
        if not classes or isinstance(classes, str):
            raise ValueError(
                f'classes={classes!r}: name the classes of the net in the '
                "order of its scores, such as ['road', 'car']"
            )
        if palette is not None and len(palette) != len(classes):
            raise ValueError(
                f'the palette has {len(palette)} colours for {len(classes)} '
                'classes'
            )
        self.classes = tuple(classes)
        self.palette = palette
        if palette is not None:
            self.palette = [[int(part) for part in c] for c in palette]
        self.chosen_stride, self.smallest = stride, tuple(smallest)
        # Size of frames -> the stride at which the net took or refused them.
        self._strides: dict[tuple[int, ...], int] = {}

    def scores(self, frames: Tensor) -> Tensor:
        """Scores (N, classes, h, w), logits or log-probabilities, of frames
        (N, 3, H, W)."""
        raise NotImplementedError(f'{type(self).__name__} has no scores()')

    def step(
        self, frames: Tensor, states: States, flow: Tensor | None
    ) -> tuple[Tensor, States]:
        """Scores (N, classes, h, w) of one frame of N streams, and the net's
        own states after it.

        Args:
            frames (Tensor): (N, 3, H, W).
            states (dict[str, State]): Before them; empty where they begin.
            flow (Tensor | None): Flow fields (N, flow_channels, h', w').
        """
        return self.scores(frames), {}

    def carried(
        self, states: States, flow: Tensor | None, size: tuple[int, int]
    ) -> States:
        """The net's own states after a frame on which it does not run. They
        wait, unless a subclass warps them along the flow.

        Args:
            states, flow: As of :meth:`step`.
            size (tuple[int, int]): Height and width of the frame.
        """
        return states

    # Whether propagate() can answer.
    can_propagate = False
    # The average of the scores among the states, as of ClipSegmentor.
    average: tuple[str, float] | None = None

    def propagate(
        self, states: States, flow: Tensor | None, size: tuple[int, int]
    ) -> tuple[Tensor, States]:
        """As :meth:`step`, by the states alone; of subclasses whose
        ``can_propagate`` may be true.

        Args:
            states, flow: As of :meth:`step`.
            size (tuple[int, int]): Height and width of the frame.
        """
        raise NotImplementedError(
            f'{type(self).__name__} answers no frame without its net'
        )

    def takes(self, size: tuple[int, int]) -> None:
        """The net has taken frames of this size: they stay as they are."""
        self._strides.setdefault(tuple(size), self.stride_of(size))

    def pads_more(self, size: tuple[int, int]) -> bool:
        """Whether frames of this size, on which the net fails, are padded
        from now on. Not if it has taken some before: that has another cause,
        and the states of their streams are as large as they were."""
        if self.chosen_stride or tuple(size) in self._strides:
            return False
        before, self._strides[tuple(size)] = self.padded(size), STRIDE
        return self.padded(size) != before

    def stride_of(self, size: tuple[int, int]) -> int:
        """What the sides of frames of this size become multiples of."""
        if self.chosen_stride:
            return self.chosen_stride
        if torch.compiler.is_compiling():  # an exported graph has any size
            return max(self._strides.values(), default=1)
        return self._strides.get(tuple(size), 1)

    def padded(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width that frames of this size are padded to."""
        # Of positive numbers alone: ONNX's division rounds towards zero.
        stride = self.stride_of(size)
        return tuple(
            (max(length, least) + stride - 1) // stride * stride
            for length, least in zip(size, self.smallest, strict=True)
        )
