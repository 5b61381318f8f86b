"""The figures that a test reports, by name."""

IOU_METRICS = ('mIoU', 'mAcc', 'aAcc')
# Metrics over time -> their figures, beside those of the config's own metric.
TEMPORAL_METRICS = {
    'SequenceIoUMetric': (),
    'TemporalConsistencyMetric': ('TC_ETC', 'TC_VSPW'),
    'FlickerMetric': (
        *('flicker', 'flicker_compensated'),
        *('flicker_static', 'flicker_labels'),
    ),
    'VideoConsistencyMetric': (
        *('VC8', 'VC16', 'VC8_VSPW_code', 'VC16_VSPW_code'),
    ),
}
SUBSETS = ('_clean', '_degraded')  # of the frames that a figure is of
LESS_IS_BETTER = ('flicker', 'flicker_compensated', 'flicker_static')


def less_is_better(name: str) -> bool:
    """Whether less of a figure is better; of all else more is.

    Args:
        name (str): Such as 'mIoU', or 'flicker_static_clean', of clean frames.
    """
    for subset in SUBSETS:
        name = name.removesuffix(subset)
    return name in LESS_IS_BETTER


def check_figures(names) -> bool:
    """Whether some of these figures need metrics over time.

    Raises:
        ValueError: If one is unknown.
    """
    temporal = [name for own in TEMPORAL_METRICS.values() for name in own]
    known = *IOU_METRICS, *temporal
    for name in names:
        if name not in known:
            raise ValueError(
                f"no test reports '{name}': choose of {', '.join(known)}"
            )
    return bool(set(names) & set(temporal))
