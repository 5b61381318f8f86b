"""Temporal filters of the scores that need no training."""

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..flow.warp import warp_state
from .recurrent import State, fit_state


@MODELS.register_module()
class EMAFilter(nn.Module):
    r"""Maps the logits x (N, classes, h, w) of a frame and a state (s, n) to
    their exponential moving average (EMA) and the next state.

    With a the weight of the present frame, and w(.) the warp along the flow
    from the present frame to the one before, where there is a flow:

    .. math::
        s' &= (1 - a) w(s) + a x \\
        n' &= (1 - a) w(n) + a \\
        y &= s' / n'

    n (N, 1, h, w) counts what s is made of, and so the first frame's average
    is the frame itself: a sequence begins with s = n = 0, and so does each
    pixel that comes from outside of the frame before. (Kingma and Ba, "Adam",
    ICLR 2015, correct their averages by the same n.)

    On a propagated frame, which has no x, the past fades as on any other:
    see :func:`mmseg_video.models.propagation.propagate`.

    Args:
        weight (float): a, in (0, 1]; 1 is the framewise net. Defaults to 0.5.
        of (str): What is averaged: 'logits' or 'probabilities', whose
            logarithm is y then, of one logit for two classes their log-odds.
            Defaults to 'logits'.

    Raises:
        ValueError: If one is out of range.
    """

    num_maps = 2  # s and n
    averages = True  # s / n is the answer

    def __init__(self, weight: float = 0.5, of: str = 'logits'):
        super().__init__()
        if not 0 < weight <= 1:
            raise ValueError(
                f'weight must lie in (0, 1], got {weight}: it is how much the '
                'present frame counts'
            )
        if of not in ('logits', 'probabilities'):
            raise ValueError(
                f"of must be 'logits' or 'probabilities', got '{of}'"
            )
        self.weight = weight
        self.of = of

    @property
    def decay(self) -> float:
        """What the past loses from a frame to the next."""
        return 1 - self.weight

    def answer(self, average: Tensor) -> Tensor:
        """Logits (N, classes, h, w) of an average s / n."""
        if self.of == 'logits':
            return average
        if average.shape[1] == 1:
            return average.logit(1e-6)
        return average.clamp(1e-6).log()

    def forward(
        self,
        logits: Tensor,
        state: State | None = None,
        flow: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """The average (N, classes, h, w), and the next state.

        Args:
            logits (Tensor): x.
            state (tuple[Tensor, ...] | None): Defaults to None, the start of
                a sequence.
            flow (Tensor | None): A flow field (N, 3, h', w'), whose weight
                the state is multiplied by. Defaults to None, the state stays
                at its place.

        Raises:
            ValueError: If the state belongs to maps of another size.
        """
        logits = logits.float()  # half precision forgets small weights
        if self.of == 'probabilities':
            one = logits.shape[1] == 1  # for two classes
            logits = logits.sigmoid() if one else logits.softmax(1)
        zeros = (torch.zeros_like(logits), torch.zeros_like(logits[:, :1]))
        if state is None:
            state = zeros
        else:
            state = fit_state(state, zeros)
            if flow is not None:
                state = warp_state(state, flow)
        keep = 1 - self.weight
        total = keep * state[0] + self.weight * logits
        count = keep * state[1] + self.weight
        return self.answer(total / count), (total, count)


def filter_clip(
    filter: nn.Module, logits: Tensor, state: State | None, flow: Tensor | None
) -> tuple[Tensor, State]:
    """The filtered logits (N, classes, h, w) of key frames, and the state.

    Args:
        filter (nn.Module): An :class:`EMAFilter`, or what is called as one.
        logits (Tensor): Of all frames of the clips, (N, T, classes, h, w).
        state (tuple[Tensor, ...] | None): Before the clips.
        flow (Tensor | None): Flow fields (N, T, 3, h', w').
    """
    for t, frame in enumerate(logits.unbind(1)):
        frame_flow = None if flow is None else flow[:, t]
        filtered, state = filter(frame, state, frame_flow)
    return filtered, state
