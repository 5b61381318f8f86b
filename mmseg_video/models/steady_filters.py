"""What steadies any net's predictions, by name."""

from dataclasses import dataclass

from ..choices import STEADY

# Found on the first half of CamVid's validation video, with three
# nets, and the worst case counted: work_dirs/results/steady.
FILTER = dict(type='EMAFilter', weight=0.1)
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


def steady_filter(name: str = 'flow') -> SteadyFilter:
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

    Raises:
        ValueError: If there is no such filter.
    """
    if name == 'flow':
        return SteadyFilter(dict(FILTER), dict(FLOW))
    if name == 'place':
        return SteadyFilter(dict(type='EMAFilter', weight=0.5), None)
    if name in ('none', 'gated'):
        return SteadyFilter(None, None)
    raise ValueError(
        f"steady must be one of {', '.join(STEADY)}, got '{name}'"
    )
