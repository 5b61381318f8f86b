"""The weights of a framewise net under the names of the model around it."""

from torch import Tensor, nn

from .necks import is_recurrent


def adapt_framewise(
    model: nn.Module, weights: dict[str, Tensor]
) -> dict[str, Tensor]:
    """A baseline's ``state_dict`` for the recurrent model around its net, or
    for a :class:`SteadySegmentor`.

    Weights that fit already stay, and so do those of any other model.

    Args:
        model (nn.Module): A segmentor.
        weights (dict[str, Tensor]): Of its framewise baseline.
    """
    if hasattr(model, 'framewise'):
        if any(key.startswith('framewise.') for key in weights):
            return weights
        return {f'framewise.net.{key}': w for key, w in weights.items()}
    necks = getattr(model, 'necks', ())
    return widen_decoder(model, rename_neck(necks, weights), necks)


def rename_neck(necks, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """``neck.*`` of the baseline's one neck as ``neck.<its place>.*``, where
    it has become one of several.

    Args:
        necks (Sequence[nn.Module]): The recurrent model's.
        weights (dict[str, Tensor]): The baseline's.
    """
    spatial = [i for i, neck in enumerate(necks) if not is_recurrent(neck)]
    if len(necks) < 2 or len(spatial) != 1:
        return weights

    def rename(key):
        name = key.removeprefix('neck.')
        if name == key or name.split('.')[0].isdigit():
            return key
        return f'neck.{spatial[0]}.{name}'

    return {rename(key): value for key, value in weights.items()}


def widen_decoder(
    model: nn.Module, weights: dict[str, Tensor], necks
) -> dict[str, Tensor]:
    """Zeros for what the decoder reads beside the baseline's features.

    ``connection='dense'`` widens the decoder's first convolutions by the
    hidden maps. Where the head can (:meth:`UNetHead.widen`), their new inputs
    get zeros, so that a dense model too equals its baseline at the start.

    Args:
        model (nn.Module): The recurrent model.
        weights (dict[str, Tensor]): The baseline's, renamed.
        necks (Sequence[nn.Module]): The recurrent model's.
    """
    head = getattr(model, 'decode_head', None)
    if not hasattr(head, 'widen') or not necks:
        return weights
    narrow = list(getattr(necks[-1], 'in_channels', []))
    prefix = 'decode_head.'
    given = {
        key.removeprefix(prefix): value
        for key, value in weights.items()
        if key.startswith(prefix)
    }
    own = head.state_dict()
    fits = all(own[k].shape == v.shape for k, v in given.items() if k in own)
    if fits or len(narrow) != len(head.in_channels):
        return weights
    wide = head.widen(given, narrow)
    return weights | {prefix + key: value for key, value in wide.items()}
