"""Two models on one video: a video to look at, and how much they flicker."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np

from ..evaluation.temporal_consistency import changes
from ..flow.estimators import OPTICAL_FLOWS
from ..io.frame_source import FrameSource
from ..io.prefetch import prefetch
from ..io.writers import open_writer
from ..visualization import side_by_side
from .video_seg_inferencer import VideoSegInferencer


@dataclass
class VideoComparison:
    """What :func:`compare_video` found; lists hold one value for each pair of
    neighbouring frames, in % of the pixels.

    ``flicker``: whose class changes at its place; ``flicker_compensated``:
    whose class changes along the optical flow (DIS), where it stays in the
    frame.
    """

    num_frames: int = 0
    flicker: dict[str, list[float]] = field(default_factory=dict)
    flicker_compensated: dict[str, list[float]] = field(default_factory=dict)


def compare_video(
    source: FrameSource,
    models: dict[str, VideoSegInferencer],
    out: str,
    panel_width: int = 480,
    tell: Callable[[int], None] = lambda done: None,
) -> VideoComparison:
    """Writes the frames and the predictions of all models side by side.

    Every model sees every frame in order, from a fresh start.

    Args:
        source (FrameSource): Frames of one size.
        models (dict): Caption -> model. All must share their classes.
        out (str): .webm, .mp4, .gif or a folder, see :func:`open_writer`.
        panel_width (int): Of one of the panels, in pixels. Defaults to 480.
        tell (Callable): Called with the number of frames done.

    Raises:
        ValueError: If the models have other classes, or there is no frame.
    """
    first = next(iter(models.values()))
    if any(model.classes != first.classes for model in models.values()):
        raise ValueError(
            'the models have different classes, so their predictions cannot '
            'be compared'
        )
    comparison = VideoComparison(
        flicker={name: [] for name in models},
        flicker_compensated={name: [] for name in models},
    )
    flow = OPTICAL_FLOWS.build(dict(type='DISFlow'))
    before = None
    predicted = prefetch(_predict(source, models))
    with open_writer(out, source.fps or 10) as writer, closing(predicted):
        for frame, time, labels in predicted:
            picture = side_by_side(
                frame, labels, first.classes, first.palette, panel_width
            )
            writer.write(picture, time)
            if before is not None:
                motion = flow(before[0], frame)
                for name, label in labels.items():
                    counts = changes(before[1][name], label, motion)
                    comparison.flicker[name].append(
                        100 * counts['changed'] / counts['pixels']
                    )
                    comparison.flicker_compensated[name].append(
                        100
                        * counts['warped_changed']
                        / max(1, counts['warped'])
                    )
            before = frame, labels
            comparison.num_frames += 1
            tell(comparison.num_frames)
    return comparison


def _predict(
    source: FrameSource, models: dict[str, VideoSegInferencer]
) -> Iterator[tuple[np.ndarray, float | None, dict[str, np.ndarray]]]:
    """Each frame, its time, and the label maps of the models, in a stream of
    its own."""
    stream_id = object()
    try:
        for frame, time in source.timed:
            labels = {
                name: model.predict_frame(frame, stream_id).label
                for name, model in models.items()
            }
            yield frame, time, labels
    finally:
        for model in models.values():
            model.reset(stream_id)
