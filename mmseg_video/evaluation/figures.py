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
# Less of it is better; of all else, more.
LESS_IS_BETTER = ('flicker', 'flicker_compensated', 'flicker_static')


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
