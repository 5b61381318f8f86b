from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..states import States
from .callable_net import CallableNet
from .queries import log_scores, sum_of_queries

QUERIES = 'queries'  # the place of the propagated queries


class VideomtNet(CallableNet):
    r"""VidEoMT of transformers, one frame at a time, with its propagated
    queries as carried state.

    Norouzi et al., "VidEoMT: Your ViT is secretly also a video segmentation
    model", CVPR 2026. With q the learned queries, U the query updater, and
    h_t what the last blocks of the transformer made of frame t's queries:

    .. math:: q_t = q + U(h_{t-1}), \quad q_0 = q

    The library walks a whole clip inside one ``forward``; this is one step of
    it, and the library's own modules do the work. A state is h_t
    (N, Q, C, 1) and whether there is one (N, 1, 1, 1): zeros begin a
    sequence.

    Frames are brought to the one square that the net reads, as its processor
    does it.

    Args:
        net (nn.Module): A ``VideomtForUniversalSegmentation``.
        classes, kwargs: :class:`CallableNet`'s.
    """

    def __init__(self, net: nn.Module, classes: Sequence[str], **kwargs):
        super().__init__(net, classes, **kwargs | dict(stride=1))

    @property
    def state_maps(self) -> dict[str, int]:
        return {QUERIES: 2}

    def step(
        self, frames: Tensor, states: States, flow: Tensor | None
    ) -> tuple[Tensor, States]:
        side = self.net.config.image_size
        frames = F.interpolate(
            frames, (side, side), mode='bilinear', antialias=True
        )
        classes, masks, hidden = self.queries(
            self.normalised(frames), states.get(QUERIES)
        )
        scores = log_scores(sum_of_queries(classes, masks))
        begun = hidden.new_ones(hidden.shape[0], 1, 1, 1)
        return scores, {QUERIES: (hidden[..., None], begun)}

    def queries(
        self, frames: Tensor, state: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of classes (N, Q, classes + 1) and of masks (N, Q, h, w),
        and the queries (N, Q, C) that are carried on.

        Args:
            frames (Tensor): Normalised (N, 3, side, side).
            state (tuple[Tensor, Tensor] | None): After the frame before.
        """
        net = self.net
        last = len(net.layers) - net.config.num_blocks
        hidden = net.embeddings(frames)
        for layer in net.layers[:last]:
            hidden = layer(hidden)
        queries = net.query.weight[None].expand(frames.shape[0], -1, -1)
        if state is not None:
            before, begun = (part[..., 0] for part in state)
            zeros = torch.zeros_like(queries)
            queries = queries + begun * net.query_updater(before + zeros)
        hidden = torch.cat((queries, hidden), dim=1)
        for layer in net.layers[last:]:
            hidden = layer(hidden)
        masks, classes = net.predict(net.layernorm(hidden))
        return classes, masks, hidden[:, : queries.shape[1]]
