from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from mmengine.model import ModuleDict
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from .channel_checks import channels_of
from .recurrent import ConvRNN
from .states import States
from .time_axis import ALL_FRAMES, Maps, fold, unfold

FINAL_RNN = 'final_rnn'  # the place right before the classifier conv_seg
LOGITS = 'conv_seg'


class HeadRNNs(ModuleDict):
    """ConvRNNs at places of a decode head, by place.

    Hooks on the head's modules instead of a head of its own: any head keeps
    its class and its parameter names, and so its framewise checkpoint.

    Args:
        head (nn.Module): The decode head. It is not kept.
        cfgs (dict[str, dict]): Place -> config of its :class:`ConvRNN`
            without ``in_channels``. A place is the name of a module, whose
            output the RNN takes, or ``final_rnn``: the features that the
            classifier ``conv_seg`` reads.

    Raises:
        ValueError: If the head has no such place, or an RNN changes the
            number of channels there.
    """

    # A framewise baseline has none.
    new_in_training = True

    def __init__(self, head: nn.Module, cfgs: dict[str, dict]):
        super().__init__()
        # Place -> its key: a module's name holds no dot.
        self.keys_of = {place: place.replace('.', '_') for place in cfgs}
        for place, cfg in cfgs.items():
            if place == FINAL_RNN:
                channels, name = head.conv_seg.in_channels, place
            else:
                channels, name = (
                    channels_of(head, place),
                    f"head_rnns['{place}']",
                )
            self[self.keys_of[place]] = _build(cfg, channels, name)

    @property
    def by_place(self) -> dict[str, ConvRNN]:
        return {place: self[key] for place, key in self.keys_of.items()}

    @contextmanager
    def attached(
        self,
        head: nn.Module,
        num_clips: int,
        states: States,
        flow_at: Callable[[tuple[int, int]], Tensor | None],
        wanted: slice,
    ) -> Iterator[States]:
        """While open, the RNNs sit in the head, which then decodes all
        frames (N*T, ...); from its classifier on, the wanted ones only.

        Yields a dict that holds the states after the clips, by place, when
        this is over.

        Args:
            head (nn.Module): The decode head.
            num_clips (int): N.
            states (dict[str, State]): Before the clips, by place.
            flow_at (Callable): Height and width of maps -> the flow fields
                (N, T, 3, h, w) that they follow; None: they stay at their
                places.
            wanted (slice): Which of the T frames leave the head.

        Raises:
            ValueError: If the head does not call a place once a pass.
        """
        rnns, after = self.by_place, {}

        def recur(place: str, feats: Tensor, frames: slice) -> Tensor:
            if place in after:
                raise ValueError(
                    f"head_rnns: the decode head calls '{place}' more than "
                    'once a frame: name a module that it calls once'
                )
            flow = flow_at(feats.shape[2:])
            out, after[place] = rnns[place](
                unfold(feats, num_clips), states.get(place), frames, flow
            )
            return fold(out)

        def after_module(place: str):
            frames = wanted if place == LOGITS else ALL_FRAMES
            return lambda module, args, out: recur(place, out, frames)

        def before_classifier(module, args):
            frames = ALL_FRAMES if LOGITS in rnns else wanted
            if FINAL_RNN in rnns:
                return recur(FINAL_RNN, args[0], frames)
            return fold(unfold(args[0], num_clips)[:, frames])

        with ExitStack() as stack:
            for place in rnns:
                if place != FINAL_RNN:
                    module = head.get_submodule(place)
                    hook = module.register_forward_hook(after_module(place))
                    stack.callback(hook.remove)
            if rnns:
                hook = head.conv_seg.register_forward_pre_hook(
                    before_classifier
                )
                stack.callback(hook.remove)
            yield after
        if len(after) < len(rnns):
            unused = ', '.join(rnns.keys() - after.keys())
            raise ValueError(
                f"head_rnns: the decode head does not call '{unused}' by "
                'itself: name a module that it does'
            )


def pick_rows(
    outputs: Maps, num_clips: int, num_frames: int, wanted: slice
) -> Maps:
    """What a head gives of the wanted frames.

    From its classifier on a head works on those alone; what it gives beside
    that (auxiliary logits of its own) is of all frames (N*T, ...) still.
    """

    def rows(out: Tensor) -> Tensor:
        if out.shape[0] != num_clips * num_frames:
            return out
        return fold(unfold(out, num_clips)[:, wanted])

    return tree_map(rows, outputs)


def _build(cfg: dict, channels: int, name: str) -> ConvRNN:
    rnn = MODELS.build({'type': 'ConvRNN', **cfg, 'in_channels': channels})
    if rnn.out_channels != channels:
        raise ValueError(
            f"{name}: connection='dense' changes the number of channels that "
            "the decode head reads; use 'standard', 'residual' or 'split'"
        )
    return rnn
