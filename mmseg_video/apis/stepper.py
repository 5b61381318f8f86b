"""One step of streams through a model."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from ..engine.launch import autocast_test
from ..models.data_preprocessor import pad_flow
from ..models.decode_heads import per_class
from ..models.inference import infer
from ..models.states import States


class Stepper:
    """Moves streams on by a frame: whoever predicts video calls the model
    here.

    ::

        logits, states = stepper.step(frames, states, flow)       # the net
        logits, states = stepper.propagate(states, flow, size)    # without it

    Frames are (H, W, 3) uint8 BGR and of one size, flow fields (N, 3, h, w),
    logits (N, classes, H, W). Normalising, padding and cropping, as the
    model's preprocessor wants it, are done here.

    Args:
        model (nn.Module): A segmentor in eval mode; one without ``step`` sees
            every frame alone.
        amp (bool): Mixed precision. Defaults to False.
    """

    def __init__(self, model: nn.Module, amp: bool = False):
        self.model, self.amp = model, amp
        self._padded: dict[tuple, tuple] = {}

    def step(
        self,
        frames: Sequence[np.ndarray],
        states: States | None,
        flow: torch.Tensor | None,
    ) -> tuple[torch.Tensor, States]:
        """Logits of the next frames of N streams, and the states after
        them."""
        function = getattr(self.model, 'step', self._alone)
        logits, after = self._run(function, frames, states, flow)
        return self._answer(logits, frames[0].shape[:2]), after

    @torch.no_grad()
    def propagate(
        self,
        states: States,
        flow: torch.Tensor | None,
        size: tuple[int, int],
    ) -> tuple[torch.Tensor, States]:
        """The same of frames of this size, by the states alone."""
        padded, flow = self.padded(size), self.padded_flow(flow, size)
        logits, after = self.model.propagate(states, flow, padded)
        return self._answer(logits, size), after

    def scores(
        self,
        frames: Sequence[np.ndarray],
        states: States | None,
        flow: torch.Tensor | None,
    ) -> tuple[torch.Tensor, States]:
        """Scores (N, classes, h, w) as they enter the filter, and all states
        but the filter's."""
        return self._run(self.model.scores, frames, states, flow)

    @torch.no_grad()
    def carried(
        self,
        states: States,
        flow: torch.Tensor | None,
        size: tuple[int, int],
    ) -> States:
        """All states but the filter's after frames of this size on which the
        net does not run."""
        padded, flow = self.padded(size), self.padded_flow(flow, size)
        return self.model.carried(states, flow, padded)

    def resized(
        self, scores: torch.Tensor, size: tuple[int, int]
    ) -> torch.Tensor:
        """Logits of frames of this size from filtered scores."""
        return self._answer(
            self.model.resized(scores, self.padded(size)), size
        )

    def filter_flow(
        self,
        flow: torch.Tensor | None,
        size: tuple[int, int],
        maps: tuple[int, int],
    ) -> torch.Tensor | None:
        """The flow of frames of this size, along which a filter's state of
        the size ``maps`` is warped."""
        padded, flow = self.padded(size), self.padded_flow(flow, size)
        return self.model.filter_flow(flow, padded, maps)

    @torch.no_grad()
    def _run(
        self,
        function: Callable,
        frames: Sequence[np.ndarray],
        states: States | None,
        flow: torch.Tensor | None,
    ) -> Any:
        inputs = self.inputs_of(frames)
        # (N, T=1, C, H, W) -> (N, C, H, W); framewise models have no T.
        inputs = inputs[:, 0] if inputs.ndim == 5 else inputs
        flow = self.padded_flow(flow, frames[0].shape[:2])
        with autocast_test(self.amp, inputs.device):
            return function(inputs, states, flow)

    def _alone(self, inputs, states, flow) -> tuple[torch.Tensor, States]:
        return infer(self.model, inputs), {}

    def inputs_of(self, frames: Sequence[np.ndarray]) -> torch.Tensor:
        """Normalised clips (N, 1, C, H, W) of frames; framewise models have
        frames (N, C, H, W)."""
        inputs = [
            torch.from_numpy(np.ascontiguousarray(f.transpose(2, 0, 1)))
            for f in frames
        ]
        return self.model.data_preprocessor(dict(inputs=inputs))['inputs']

    def flow_of(
        self, fields: Sequence[np.ndarray] | None
    ) -> torch.Tensor | None:
        """Flow fields (3, h, w) of N streams as one tensor."""
        if fields is None or any(field is None for field in fields):
            return None
        # Not that of its parameters: an ONNX net has none.
        device = self.model.data_preprocessor.device
        return torch.from_numpy(np.stack(fields)).to(device)

    def padded(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width of what the model sees of frames of this size: a
        preprocessor may pad on the right and below."""
        if size not in self._padded:
            blank = np.zeros((*size, 3), np.uint8)
            self._padded[size] = tuple(self.inputs_of([blank]).shape[-2:])
        return self._padded[size]

    def padded_flow(
        self, flow: torch.Tensor | None, size: tuple[int, int]
    ) -> torch.Tensor | None:
        """Flow of frames of this size as the model sees them."""
        return (
            None if flow is None else pad_flow(flow, size, self.padded(size))
        )

    def _answer(
        self, logits: torch.Tensor, size: tuple[int, int]
    ) -> torch.Tensor:
        return per_class(self.model, logits[:, :, : size[0], : size[1]])
