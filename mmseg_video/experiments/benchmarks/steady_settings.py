"""The settings that the benchmark of steady video compares."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace

from ...models.steady_filters import FILTER, FLOW


@dataclass(frozen=True)
class Setting:
    """How scores become predictions; the defaults are those of
    :func:`steady_filter`.

    Args:
        weight (float): Of the present frame.
        of (str): What is averaged, see :class:`EMAFilter`.
        flow (str | None): 'dis', 'codec', or None, in place.
        preset, min_size, max_error_ratio, photometric_scale, noise_scale,
            blur: Of the flow, see :class:`FlowToPrevious`.
        every, max_every, tolerance: See :class:`FullFrames`.
        look_ahead (int | None): Frames of the future; None: the causal
            filter.
        scale (float): Of the frames that the net sees.
        min_contrast (float): See :class:`UsableFrames`; 0, none is held.
    """

    weight: float = FILTER['weight']
    of: str = FILTER.get('of', 'logits')
    flow: str | None = 'dis'
    preset: str = FLOW['estimator']['preset']
    min_size: int | None = FLOW['min_size']
    max_error_ratio: float | None = FLOW['max_error_ratio']
    photometric_scale: float | None = None
    noise_scale: float | None = FLOW['noise_scale']
    blur: int = FLOW['blur']
    every: int | str = 1
    max_every: int = 10
    tolerance: float = 0.15
    look_ahead: int | None = None
    scale: float = 1.0
    upsample: int = 1
    field_stride: int = 1
    min_contrast: float = 0

    @property
    def plain(self) -> dict:
        """As it stands in results; without what older ones do not know."""
        values = asdict(self)
        if not self.min_contrast:
            del values['min_contrast']
        return values

    @property
    def key(self) -> str:
        text = json.dumps(self.plain, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


DEFAULT = Setting()
# Nothing of the default, so that their results outlive it.
ALONE = Setting(
    weight=1.0,
    of='logits',
    flow=None,
    preset='medium',
    min_size=None,
    max_error_ratio=None,
    noise_scale=None,
    blur=5,
    upsample=1,
    field_stride=1,
)
PLACE = replace(ALONE, weight=0.5)
PLAIN_WARP = replace(ALONE, flow='dis')
SHIPPED = replace(
    PLAIN_WARP,
    weight=0.5,
    preset='fast',
    min_size=180,
    max_error_ratio=0.7,
)
EVERY = (2, 3, 5, 10)
SCALES = (0.875, 0.75, 0.625, 0.5)

# What is chosen from: one thing at a time.
SWEEP = {
    'alone': ALONE,
    'the default': DEFAULT,
    **{
        f'{name} {value}': replace(DEFAULT, **{name: value})
        for name, values in dict(
            noise_scale=(2.0, 3.0, 6.0, 8.0, None),
            weight=(0.05, 0.15, 0.2, 0.3),
            of=('logits', 'probabilities'),
            blur=(1, 3, 5, 9),
            preset=('ultrafast', 'fast', 'medium'),
            min_size=(None, 180),
            max_error_ratio=(None, 0.7),
        ).items()
        for value in values
    },
    **{
        f'photometric_scale {value}': replace(
            DEFAULT, noise_scale=None, photometric_scale=value
        )
        for value in (5.0, 10.0, 20.0)
    },
    **{
        f'adaptive, tolerance {value}': replace(
            DEFAULT, every='adaptive', tolerance=value
        )
        for value in (0.1, 0.2, 0.3, 0.5)
    },
}
# What is reported.
FILTERS = {
    'the net alone': ALONE,
    'average in place': PLACE,
    'as shipped before': SHIPPED,
    'the default': DEFAULT,
    'lag 5': replace(DEFAULT, look_ahead=5),
    'offline': replace(DEFAULT, look_ahead=24),
}
PACES = {
    **{f'every {k}': replace(DEFAULT, every=k) for k in EVERY},
    'adaptive': replace(DEFAULT, every='adaptive', tolerance=0.4),
}
RIVALS = {
    **{f'held, every {k}': replace(ALONE, every=k) for k in EVERY},
    **{
        f'warped without filter and weight, every {k}': replace(
            PLAIN_WARP, every=k
        )
        for k in EVERY
    },
    **{
        f'the net at {s:g} of the size': replace(ALONE, scale=s)
        for s in SCALES
    },
}
# Estimators of the flow; of video files alone.
FLOWS = {
    name: replace(setting, every=k)
    for k in (1, 3, 5)
    for name, setting in {
        f'DIS fast, every {k}': replace(DEFAULT, preset='fast'),
        f"codec's vectors, every {k}": replace(DEFAULT, flow='codec'),
    }.items()
}
# Flat and dark frames do not reach the net, as :func:`steady` does it; of
# degraded video.
HELD = {
    f'{name}, flat and dark frames held': replace(
        (FILTERS | PACES)[name], min_contrast=10
    )
    for name in (
        *('the net alone', 'the default', 'lag 5', 'offline'),
        *('every 2', 'every 3', 'every 5', 'adaptive'),
    )
}
# What the default was before: the same average, of the logits.
LOGITS = {
    name: replace(setting, of='logits')
    for name, setting in {
        'of the logits': DEFAULT,
        'of the logits, flat and dark frames held': HELD[
            'the default, flat and dark frames held'
        ],
    }.items()
}
REPORTED = FILTERS | LOGITS | PACES | FLOWS | RIVALS | HELD
GROUPS = dict(
    sweep=SWEEP,
    filters=FILTERS,
    paces=PACES,
    rivals=RIVALS,
    flows={
        **{name: FILTERS[name] for name in ('the net alone', 'the default')},
        **{name: PACES[name] for name in ('every 3', 'every 5')},
        **FLOWS,
    },
    held=HELD,
    logits=LOGITS,
)
