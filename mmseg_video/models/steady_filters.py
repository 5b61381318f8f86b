"""What steadies any net's predictions, by name."""

from dataclasses import dataclass

from ..choices import FLOWS, STEADY

# Found on the first half of CamVid's validation video, with three
# nets, and the worst case counted: work_dirs/results/steady.
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
    """A filter of the logits, and the flow that it needs.

    Args:
        filter (dict | None): Config of an :class:`EMAFilter`; None for none.
        flow (dict | None): Arguments of ``build_flow`` and ``AddFlow``; None
            where nothing is warped.
    """

    filter: dict | None
    flow: dict | None


def steady_filter(name: str = 'flow', flow: str = 'dis') -> SteadyFilter:
    """The filter of a name.

    - ``flow``: a long exponential moving average of the logits, warped by
      optical flow, which forgets what flow does not explain
      (:func:`mmseg_video.flow.reliability.noise_weight`)
    - ``place``: the same average in place, for a camera that stands still;
      its memory is shorter, since nothing makes it forget
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
    if flow not in FLOWS:
        raise ValueError(f"flow must be one of {', '.join(FLOWS)}: '{flow}'")
    if flow == 'codec' and name != 'flow':
        raise ValueError(
            f"flow='codec' is that of steady='flow', '{name}' has none: leave "
            'one of them out'
        )
    if name == 'flow':
        fields = dict(FLOW)
        if flow == 'codec':
            fields['estimator'] = dict(type='CodecFlow')
        return SteadyFilter(dict(FILTER), fields)
    if name == 'place':
        return SteadyFilter(dict(type='EMAFilter', weight=0.5), None)
    if name in ('none', 'gated'):
        return SteadyFilter(None, None)
    raise ValueError(
        f"steady must be one of {', '.join(STEADY)}, got '{name}'"
    )
