"""Two models on one video: a video to look at, and how much they flicker."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from ..io.frame_source import IMAGES_PER_SECOND, FrameSource
from .run.outputs import Drawing, pictures
from .run.results import Clock, Way, frame_results
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
    drawing = Drawing('beside', panel_width=panel_width)
    results = frame_results(source, models, Way(), Clock(), models)
    with (
        pictures(
            Path(out),
            source.fps or IMAGES_PER_SECOND,
            lambda result: drawing(result, first.classes, first.palette),
        ) as write,
        closing(results),
    ):
        for result in results:
            write(result)
            for name, change in result.changes.items():
                comparison.flicker[name].append(100 * change.in_place)
                comparison.flicker_compensated[name].append(
                    100 * change.flicker
                )
            comparison.num_frames += 1
            tell(comparison.num_frames)
    return comparison
