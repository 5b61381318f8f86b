import inspect
from abc import ABCMeta, abstractmethod

import torch.nn as nn
from mmseg.registry import MODELS
from torch import Tensor

# What one module carries from frame to frame: maps (N, r, h, w), of a cell the
# hidden map first. None, which is equivalent to zeros, at the start of a
# sequence.
State = tuple[Tensor, ...]

CONVS = ('standard', 'spatial', 'depthwise')


class RecurrentCell(nn.Module, metaclass=ABCMeta):
    """Maps a frame's features and a state to the next state.

    A cell is pure: it stores nothing between calls. Its work is split where
    time enters, so that a whole clip pays for the first half only once::

        forward(): project() -> fit_state() -> update()

    Args:
        in_channels (int): Channels C of the features.
        hidden_channels (int): Channels r of the hidden map.
        kernel_size (int): Size of the gate convolutions, odd. Defaults to 3.
        conv (str): What the gate convolutions are made of, see
            :meth:`gate_conv`. Defaults to 'standard'.

    Raises:
        ValueError: If ``kernel_size`` is not odd, ``conv`` unknown, or a
            number of channels below 1.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        kernel_size: int = 3,
        conv: str = 'standard',
    ):
        super().__init__()
        if conv not in CONVS:
            raise ValueError(
                f"unknown conv '{conv}' of a cell: choose one of "
                + ', '.join(CONVS)
            )
        size = kernel_size
        if not isinstance(size, int) or size < 1 or size % 2 == 0:
            raise ValueError(
                f'kernel_size must be odd, got {kernel_size!r}: an even '
                'kernel would shift the hidden map at every frame'
            )
        if min(in_channels, hidden_channels) < 1:
            raise ValueError(
                'a cell needs at least 1 input and 1 hidden channel, got '
                f'{in_channels} and {hidden_channels}'
            )
        self.in_channels = in_channels
        self.hidden_channels = hidden_channels
        self.kernel_size = kernel_size
        self.conv = conv

    def gate_conv(self, out_channels: int, on_input: bool) -> nn.Module:
        """A convolution from C channels of the input, or from the r of the
        hidden map, to ``out_channels`` = G * r of G gates.

        =============  ==================================================
        ``conv``       convolutions, k = ``kernel_size``
        =============  ==================================================
        ``standard``   k x k
        ``spatial``    1 x k, then k x 1 within each gate
        ``depthwise``  k x k in each channel, then 1 x 1 (G * r)
        =============  ==================================================

        The last two are the separable ones of Pfeuffer and Dietmayer,
        "Separable convolutional LSTMs for faster video segmentation", ITSC
        2019; in theirs, each gate has its own depthwise convolution. Only the
        one on the input has a bias: the two are added.
        """
        channels = self.in_channels if on_input else self.hidden_channels
        k, half = self.kernel_size, self.kernel_size // 2
        if self.conv == 'standard':
            return nn.Conv2d(
                channels, out_channels, k, padding=half, bias=on_input
            )
        if self.conv == 'spatial':
            return nn.Sequential(
                nn.Conv2d(
                    channels,
                    out_channels,
                    (1, k),
                    padding=(0, half),
                    bias=False,
                ),
                nn.Conv2d(
                    out_channels,
                    out_channels,
                    (k, 1),
                    padding=(half, 0),
                    groups=out_channels // self.hidden_channels,
                    bias=on_input,
                ),
            )
        return nn.Sequential(
            nn.Conv2d(
                channels,
                channels,
                k,
                padding=half,
                groups=channels,
                bias=False,
            ),
            nn.Conv2d(channels, out_channels, 1, bias=on_input),
        )

    # Maps in a state: h, and what else the cell carries.
    num_maps = 1
    # Whether these are a sum and a count, whose ratio is h: the state can
    # then answer where the net does not run.
    averages = False

    def zero_state(self, gates: Tensor) -> State:
        """What None stands for, as maps (N, r, h, w)."""
        batch, _, *size = gates.shape
        shape = (batch, self.hidden_channels, *size)
        return tuple(gates.new_zeros(shape) for _ in range(self.num_maps))

    def hidden(self, state: State) -> Tensor:
        """The hidden map (N, r, h, w) of a state."""
        return state[0]

    @abstractmethod
    def project(self, x: Tensor) -> Tensor:
        """The input's half of the gates, (B, gates * r, h, w)."""

    @abstractmethod
    def update(self, gates: Tensor, state: State | None) -> State:
        """The next state, from ``project(x)`` and the state before, which
        fits it (:func:`fit_state`)."""

    def forward(self, x: Tensor, state: State | None = None) -> State:
        """The state after ``x`` (N, C, h, w).

        Raises:
            ValueError: If the state belongs to features of another size.
        """
        gates = self.project(x)
        if state is not None:
            state = fit_state(state, self.zero_state(gates))
        return self.update(gates, state)


def fit_state(state: State, zeros: State) -> State:
    """The state, if it belongs to maps of this size.

    A single zero (1, 1, 1, 1) stands for a map of zeros: whoever runs an
    exported graph starts a sequence without knowing any size.

    Args:
        state (State): Given.
        zeros (State): The state of zeros that fits.

    Raises:
        ValueError: If the state has another number of maps, or they are of
            another size or number of streams.
    """
    if len(state) != len(zeros):
        raise ValueError(
            f'a state of {len(state)} maps, expected {len(zeros)}: it belongs '
            'to another model; start from states=None'
        )
    return tuple(map(_fit_part, state, zeros))


def _fit_part(part: Tensor, zero: Tensor) -> Tensor:
    if part.shape == (1, 1, 1, 1):
        return part + zero
    if part.shape != zero.shape:
        batch, channels, *size = part.shape
        raise ValueError(
            f'the state belongs to {batch} stream(s) with {channels} maps of '
            f'{tuple(size)}, this frame has {zero.shape[0]} with '
            f'{zero.shape[1]} of {tuple(zero.shape[2:])}: start from '
            'states=None (reset_states()) when the frame size or the number '
            'of streams changes'
        )
    return part


def build_cell(
    cfg: dict, in_channels: int, hidden_channels: int
) -> RecurrentCell:
    """The cell of a config, with these numbers of channels.

    Args:
        cfg (dict): ``type``, and options of that cell.
        in_channels (int): C.
        hidden_channels (int): r.

    Raises:
        ValueError: If there is no such cell, or it has no such option.
    """
    options = dict(cfg)
    name = options.pop('type')
    cells = {
        key: cell
        for key, cell in MODELS.module_dict.items()
        if inspect.isclass(cell) and issubclass(cell, RecurrentCell)
    }
    if name not in cells:
        raise ValueError(
            f"unknown cell '{name}': choose one of {', '.join(sorted(cells))}"
        )
    known = _options(cells[name])
    unknown = [key for key in options if key not in known]
    if unknown:
        raise ValueError(
            f"{name} has no option '{unknown[0]}': it has {', '.join(known)}; "
            'the numbers of channels come from the module around it'
        )
    return cells[name](in_channels, hidden_channels, **options)


def _options(cell: type[RecurrentCell]) -> list[str]:
    """What a cell's config may say: of a class that passes its arguments on,
    the options of its base."""
    for base in cell.__mro__:
        if '__init__' in vars(base):
            parameters = inspect.signature(base.__init__).parameters.values()
            if not any(p.kind is p.VAR_KEYWORD for p in parameters):
                break
    channels = ('self', 'in_channels', 'hidden_channels')
    return [p.name for p in parameters if p.name not in channels]
