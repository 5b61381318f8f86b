"""What steadies any net's predictions, by name."""

from dataclasses import dataclass

from ..choices import FLOWS, STEADY

# Weight, flow and its reliability: the best of the worst of three nets on
# the first half of CamVid's validation video. Probabilities, not logits: the
# better of both there (all of it) and on street scenes' validation video,
# where averaged logits cost clean frames. work_dirs/results/steady.
FILTER = dict(type='EMAFilter', weight=0.1, of='probabilities')
FLOW = dict(
    estimator=dict(type='DISFlow', preset='medium'),
    min_size=None,
    max_error_ratio=None,
    noise_scale=4.0,
    blur=1,
)


@dataclass(frozen=True)
class SteadyFilter:
    """A filter of the scores, and the flow that it needs.

    Args:
        filter (dict | None): Config of an :class:`EMAFilter`; None for none.
        flow (dict | None): Arguments of ``build_flow`` and ``AddFlow``; None
            where nothing is warped.
    """

    filter: dict | None
    flow: dict | None


def steady_filter(name: str = 'flow', flow: str = 'dis') -> SteadyFilter:
    """The filter of a name.

    - ``flow``: a long exponential moving average of the class probabilities,
      warped by optical flow, which forgets what flow does not explain
      (:func:`mmseg_video.flow.reliability.noise_weight`)
    - ``place``: an average of the logits in place, for a camera that stands
      still; its memory is shorter, since nothing makes it forget
    - ``none``: the net alone
    - ``gated``: none here either: the gated EMA is a part of the model that
      was trained with it

    Args:
        name (str): See above. Defaults to 'flow'.
        flow (str): Of the first: 'dis', or 'codec', the motion vectors of a
            video file (:class:`CodecFlow`). Defaults to 'dis'.

    Raises:
        ValueError: If there is no such filter or flow, or the filter has
            none.
    """
    if name not in STEADY:
        raise ValueError(f'filter must be one of {_listed(STEADY)}: {name!r}')
    if flow not in FLOWS:
        raise ValueError(f'flow must be one of {_listed(FLOWS)}: {flow!r}')
    if flow == 'codec' and name != 'flow':
        raise ValueError(
            f"flow='codec' is that of filter='flow', '{name}' has none: leave "
            'one of them out'
        )
    if name == 'flow':
        fields = dict(FLOW)
        if flow == 'codec':
            fields['estimator'] = dict(type='CodecFlow')
        return SteadyFilter(dict(FILTER), fields)
    if name == 'place':
        return SteadyFilter(dict(type='EMAFilter', weight=0.5), None)
    return SteadyFilter(None, None)


def default_filter(own: str | None, flow: str = 'dis') -> str:
    """The filter of a net of which none is named: 'flow', but 'none' for a
    net that averages its scores itself, which was trained or chosen so.

    Args:
        own (str | None): What the net averages them by
            (:attr:`Framewise.own_filter`).
        flow (str): As of :func:`steady_filter`: who names another flow asks
            for the filter that follows it. Defaults to 'dis'.
    """
    return 'none' if own and flow == 'dis' else 'flow'


def _listed(names: tuple[str, ...]) -> str:
    return ', '.join(map(repr, names))
