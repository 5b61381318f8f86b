import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from .clip_segmentor import ClipSegmentor
from .data_preprocessor import pad_flow
from .flow_checks import flow_of_frame, used_flow
from .framewise import Framewise
from .propagation import propagate
from .recurrent import State
from .states import States

FILTER = 'filter'  # the place of the filter's state
NET = 'net.'  # begins the places of the net's own


@MODELS.register_module()
class SteadySegmentor(ClipSegmentor):
    """Maps frames of streams to logits: any framewise net, with a filter of
    its scores over time behind it.

    ::

        step(): pad to the stride -> framewise.step() -> filter -> resize
                -> crop

    The filter works at the scores' own size, before they are resized, which
    costs a tenth. Nothing of it trains; a state is what the filter keeps, and
    what the net itself carries.

    A frame whose scores are not finite is answered by the filter's state, as
    one on which the net does not run, and logged.

    Args:
        framewise (Framewise | dict): The net, or its config.
        filter (nn.Module | dict | None): An :class:`EMAFilter`, or what is
            called as one. Defaults to None, the net alone.
        flow_compensated (bool): Whether the filter's state is warped by
            optical flow, the first three channels of the flow fields. The
            net's own states follow the last ones: the same, or flow of its
            own kind (:class:`StackedFlow`). Defaults to True.
        on_missing_flow (str): What happens where a frame with a past comes
            without flow: 'error', or 'still', states stay at their places.
            Defaults to 'error'.
        data_preprocessor (dict | None): Defaults to None, a
            :class:`ClipDataPreProcessor` that leaves the colours as they are:
            the net normalises by itself.
        test_cfg (dict | None): ``streaming=True`` makes tests stream, see
            :class:`ClipSegmentor`. Defaults to None.
    """

    def __init__(
        self,
        framewise: Framewise | dict,
        filter: nn.Module | dict | None = None,
        flow_compensated: bool = True,
        on_missing_flow: str = 'error',
        data_preprocessor: dict | None = None,
        test_cfg: dict | None = None,
    ):
        super().__init__(
            data_preprocessor or dict(type='ClipDataPreProcessor')
        )
        if isinstance(framewise, dict):
            framewise = MODELS.build(framewise)
        self.framewise = framewise
        if isinstance(filter, dict):
            filter = MODELS.build(filter)
        self.filter = filter
        self.flow_compensated = framewise.flow_compensated or (
            flow_compensated and filter is not None
        )
        self.warps_filter = flow_compensated
        self.on_missing_flow = (
            on_missing_flow if self.flow_compensated else None
        )
        self.test_cfg = dict(mode='whole') | (test_cfg or {})
        self.align_corners = framewise.align_corners
        self.num_classes = self.out_channels = len(framewise.classes)
        self.dataset_meta = dict(
            classes=framewise.classes, palette=framewise.palette
        )

    @property
    def state_maps(self) -> dict[str, int]:
        maps = {NET + k: n for k, n in self.framewise.state_maps.items()}
        if self.filter is not None:
            maps[FILTER] = self.filter.num_maps
        return maps

    def _predict(
        self,
        clips: Tensor,
        states: States | None,
        flow: Tensor | None,
        metas: list[dict],
    ) -> tuple[Tensor, States]:
        has_past = bool(states)
        used_flow(
            *(flow, clips, has_past, self.on_missing_flow),
            self._channels_of_flow,
        )
        if not self.state_maps:
            clips = clips[:, -1:]
        if self.on_missing_flow is None:
            flow = None
        states = states or {}
        for t, frames in enumerate(clips.unbind(1)):
            frame_flow = None if flow is None else flow[:, t]
            logits, states = self._frame(frames, states, frame_flow)
        return logits, states

    def _frame(
        self, frames: Tensor, states: States, flow: Tensor | None
    ) -> tuple[Tensor, States]:
        """Logits (N, classes, H, W) of frames (N, 3, H, W), and the states
        after them."""
        size = frames.shape[2:]
        scores, after = self._scores(frames, states, flow)
        flow = self.filter_flow(flow, size, scores.shape[2:])
        scores, state = self._filtered(scores, states.get(FILTER), flow)
        if state is not None:
            after[FILTER] = state
        return self.resized(scores, size), after

    def resized(self, scores: Tensor, size: tuple[int, int]) -> Tensor:
        padded = self.framewise.padded(size)
        logits = F.interpolate(
            scores, padded, mode='bilinear', align_corners=self.align_corners
        )
        return logits[:, :, : size[0], : size[1]]

    def filter_flow(
        self,
        flow: Tensor | None,
        size: tuple[int, int],
        maps: tuple[int, int],
    ) -> Tensor | None:
        if flow is None or not self._warps_average:
            return None
        padded = self.framewise.padded(size)
        flow = pad_flow(self._both_flows(flow)[0], size, padded)
        return super().filter_flow(flow, padded, maps)

    @property
    def _warps_average(self) -> bool:
        """Whether the filter's state follows the flow; without a filter, the
        state of the net's own average."""
        if self.filter is None:
            return self.framewise.flow_compensated and bool(self.average)
        return self.warps_filter

    @property
    def _channels_of_flow(self) -> set[int]:
        """How many the flow fields may have: of one kind, or the filter's and
        the net's."""
        own = self.framewise.flow_channels
        return {own, 3 + own} if self.warps_filter else {own}

    def _both_flows(
        self, flow: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None]:
        """The filter's flow fields (..., 3, h, w) and the net's
        (..., flow_channels, h, w), which may be the same."""
        if flow is None or flow.shape[-3] == 3:
            return flow, flow
        own = self.framewise.flow_channels
        return flow[..., :3, :, :], flow[..., -own:, :, :]

    @property
    def own_filter(self) -> str | None:
        if self.filter is None:
            return self.framewise.own_filter
        return 'flow-compensated EMA' if self.warps_filter else 'EMA in place'

    @property
    def can_propagate(self) -> bool:
        if self.filter is None:
            return self.framewise.can_propagate
        return self.filter.averages

    @property
    def average(self) -> tuple[str, float] | None:
        if self.filter is not None:
            return (FILTER, self.filter.weight) if self.can_propagate else None
        if self.framewise.average is None:
            return None
        place, weight = self.framewise.average
        return NET + place, weight

    def _propagate(
        self, states: States, flow: Tensor | None, metas: list[dict]
    ) -> tuple[Tensor, States]:
        size = metas[0].get('pad_shape', metas[0]['img_shape'])[:2]
        flow_of_frame(
            *(flow, states, size, self.on_missing_flow),
            self._channels_of_flow,
        )
        if self.on_missing_flow is None:
            flow = None
        if self.filter is None:
            scores, own = self.framewise.propagate(
                _own(states), *self._for_net(flow, size)
            )
            return self.resized(scores, size), _placed(own)
        state, after = states[FILTER], self.carried(states, flow, size)
        average, after[FILTER] = propagate(
            state,
            self.filter_flow(flow, size, state[0].shape[2:]),
            self.filter.decay,
        )
        return self.resized(self.filter.answer(average), size), after

    def carried(
        self, states: States, flow: Tensor | None, size: tuple[int, int]
    ) -> States:
        own = self.framewise.carried(_own(states), *self._for_net(flow, size))
        return _placed(own)

    def _for_net(
        self, flow: Tensor | None, size: tuple[int, int]
    ) -> tuple[Tensor | None, tuple[int, int]]:
        """The net's flow of frames of this size, and the size that it gets
        them in."""
        padded, flow = self.framewise.padded(size), self._both_flows(flow)[1]
        if flow is not None:
            flow = pad_flow(flow, size, padded)
        return flow, padded

    def _scores(
        self, frames: Tensor, states: States, flow: Tensor | None
    ) -> tuple[Tensor, States]:
        flow = self._both_flows(flow)[1]
        scores, own = self._checked_scores(frames, _own(states), flow)
        return scores, _placed(own)

    def _padded(
        self, frames: Tensor, flow: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Frames (N, 3, H, W) and their flow of the size that the net gets,
        the frame mirrored at its right and lower edge."""
        size = frames.shape[2:]
        padded = self.framewise.padded(size)
        more = [
            large - small for large, small in zip(padded, size, strict=True)
        ]
        fits = more[0] < size[0] and more[1] < size[1]
        frames = F.pad(
            frames,
            (0, more[1], 0, more[0]),
            mode='reflect' if fits else 'replicate',
        )
        if flow is not None:
            flow = pad_flow(flow, size, padded)
        return frames, flow

    def _checked_scores(
        self, frames: Tensor, states: States, flow: Tensor | None
    ) -> tuple[Tensor, States]:
        """What the net says of frames (N, 3, H, W), checked."""
        net, size = self.framewise, frames.shape[2:]
        given, given_flow = self._padded(frames, flow)
        shape = tuple(given.shape)
        try:
            scores, after = net.step(given, states, given_flow)
        except torch.cuda.OutOfMemoryError:
            raise
        except (RuntimeError, IndexError, AssertionError) as error:
            if net.pads_more(size):
                return self._checked_scores(frames, states, flow)
            raise ValueError(
                f'the net cannot take frames of {shape[2]}x{shape[3]} '
                f'(padded to multiples of stride={net.stride_of(size)}): '
                f'{error}; give its stride, or with smallest=(HEIGHT, WIDTH) '
                'what it needs at least'
            ) from error
        got = tuple(getattr(scores, 'shape', ()))
        if len(got) != 4 or got[:2] != (shape[0], len(net.classes)):
            raise ValueError(
                f'the net gives scores of shape {got} for {shape[0]} '
                f'frame(s), and has {len(net.classes)} classes: expected '
                f'({shape[0]}, {len(net.classes)}, h, w)'
            )
        if not torch.compiler.is_compiling():
            net.takes(size)
        return scores, after

    def _filtered(
        self, scores: Tensor, state: State | None, flow: Tensor | None
    ) -> tuple[Tensor, State | None]:
        """Scores (N, classes, h, w) behind the filter, and its state."""
        # An exported graph cannot look at values.
        finite = None
        if not torch.compiler.is_compiling():
            finite = scores.isfinite().flatten(1).all(1)
        if finite is None or finite.all():
            if self.filter is None:
                return scores, None
            return self.filter(scores, state, flow)
        print_log(
            f'the net gave scores that are not finite for {(~finite).sum()} '
            f'of {len(finite)} frame(s): answered from the frames before',
            logger='current',
            level=30,
        )
        scores = scores.nan_to_num(0, 0, 0)
        if self.filter is None:
            return scores, None
        result, after = self.filter(scores, state, flow)
        past = self._propagated(scores, state, flow)
        rows = finite.view(-1, 1, 1, 1)
        result, *after = (
            torch.where(rows, new, old)
            for new, old in zip((result, *after), past, strict=True)
        )
        return result, tuple(after)

    def _propagated(
        self, scores: Tensor, state: State | None, flow: Tensor | None
    ) -> tuple[Tensor, ...]:
        """The scores that a state alone answers with, and the state, both at
        their present places."""
        if state is None:
            zeros = torch.zeros_like(scores, dtype=torch.float32)
            return zeros, zeros, zeros[:, :1]
        average, state = propagate(state, flow, self.filter.decay)
        return self.filter.answer(average), *state

    def inference(self, inputs: Tensor, metas: list[dict]) -> Tensor:
        """Logits (N, classes, H, W) of clips folded to (N, T*3, H, W)."""
        return self.encode_decode(inputs, metas)

    def extract_feat(self, inputs: Tensor):
        raise NotImplementedError('the net behind the filter is not looked at')

    def _forward(self, inputs: Tensor, data_samples=None) -> Tensor:
        metas = [{}] * inputs.shape[0]
        clips = self._as_clips(inputs)
        return self._predict(clips, None, None, metas)[0]

    def loss(
        self, inputs: Tensor, data_samples: list[SegDataSample]
    ) -> dict[str, Tensor]:
        raise ValueError(
            'SteadySegmentor does not train: train the net by itself, then '
            'steady it'
        )


def _placed(own: States) -> States:
    """The net's own states at their places behind it."""
    return {NET + place: state for place, state in own.items()}


def _own(states: States) -> States:
    """The net's, by the places that it knows."""
    return {
        place.removeprefix(NET): state
        for place, state in states.items()
        if place.startswith(NET)
    }
