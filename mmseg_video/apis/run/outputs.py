"""What a run leaves: pictures, label maps, figures, a heat map, a window.

An output is a context manager that gives a function to write each
:class:`FrameResult` with; what it wrote is in place when it is left without
an error.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import cv2
import numpy as np

from ...choices import DRAWINGS
from ...evaluation.flicker import Change
from ...io.atomic import atomic_path, refuse_special, write_bytes
from ...io.windows import Window, check_display
from ...io.writers import LabelWriter, check_output, open_writer
from ...visualization import colourise, overlay, side_by_side
from ...visualization.heat_map import heat_map
from ...visualization.present_legend import PresentLegend


@dataclass
class FrameResult:
    """A frame (H, W, 3) uint8 BGR and what the models say of it.

    Attributes:
        index (int): Of the frames of the run, from 0.
        number (int): Of the frames of the source, from 0.
        name (str | None): Of the frame, where it has one.
        time (float | None): In seconds since the source's first frame.
        labels (dict): Caption -> label map (H, W) uint8.
        full (bool): Whether the net ran on it.
        held (bool): Whether it is flat or dark, and answered as the last
            usable one.
        seconds (float): Until the answer was there, after the one before.
        changes (dict): Caption -> :class:`Change` since the frame before, of
            the models that are measured; empty where there is none.
    """

    index: int
    number: int
    name: str | None
    time: float | None
    frame: np.ndarray
    labels: dict[str, np.ndarray]
    full: bool
    held: bool
    seconds: float
    changes: dict[str, Change] = field(default_factory=dict)

    @property
    def label(self) -> np.ndarray:
        """Of the first model."""
        return next(iter(self.labels.values()))

    @property
    def change(self) -> Change | None:
        """Of the first model."""
        return next(iter(self.changes.values()), None)


class StopRun(Exception):
    """A user has seen enough: what was done is kept."""


Write = Callable[[FrameResult], None]
Output = Callable[[], AbstractContextManager[Write]]


@dataclass(frozen=True)
class Drawing:
    """How a frame is drawn.

    Args:
        kind (str): 'overlay', the frame under its label map; 'beside', frame
            and label maps side by side, with a legend; 'labels', the label
            map in colours. Defaults to 'overlay'.
        opacity (float): Of the label maps. Defaults to 0.55.
        panel_width (int): Of a panel of 'beside', in pixels. Defaults to 480.
        legend (bool): Whether a strip below 'overlay' and 'labels' names the
            classes of the frame; 'beside' has one. Defaults to False.

    Raises:
        ValueError: If a value is out of range.
    """

    kind: str = 'overlay'
    opacity: float = 0.55
    panel_width: int = 480
    legend: bool = False

    def __post_init__(self):
        if self.kind not in DRAWINGS:
            raise ValueError(
                f"'{self.kind}': frames are drawn as {', '.join(DRAWINGS)}"
            )
        if not 0 <= self.opacity <= 1:
            raise ValueError(f'opacity is 0 to 1, got {self.opacity}')

    def __call__(
        self, result: FrameResult, classes: Sequence[str], palette: Sequence
    ) -> np.ndarray:
        if self.kind == 'beside':
            return side_by_side(
                *(result.frame, result.labels, classes, palette),
                *(self.panel_width, self.opacity),
            )
        if self.kind == 'labels':
            return colourise(result.label, palette)
        return overlay(result.frame, result.label, palette, self.opacity)


@dataclass(frozen=True)
class Targets:
    """Where a run writes what; each is left out where it is None.

    Args:
        out (path | None): Drawn frames: .mp4, .gif, .webm or a folder.
        labels (path | None): A folder of label maps (:class:`LabelWriter`).
        json (path | None): A file with one JSON object for each frame: its
            number, name, time in seconds, the share of each class in it, the
            share of pixels that changed their class since the frame before
            (``changed``: in place, ``flicker``: along the optical flow),
            whether the net ran (``full``), whether it did not because the
            frame is flat or dark (``held``), and the milliseconds until its
            answer was there, after the one before (``ms``).
        heat_map (path | None): A picture of where predictions flicker.
        show (bool): Whether frames are shown in a window. Defaults to False.
    """

    out: Path | None = None
    labels: Path | None = None
    json: Path | None = None
    heat_map: Path | None = None
    show: bool = False

    @property
    def paths(self) -> dict[str, Path]:
        """Name -> path of those that are to be written."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        found.pop('show')
        return {k: Path(path) for k, path in found.items() if path is not None}

    def __str__(self) -> str:
        return ', '.join(f"'{path}'" for path in self.paths.values())

    def measured(self, captions: Iterable[str]) -> list[str]:
        """Of which models anything here says how predictions change: a heat
        map of all, lines of the first."""
        captions = list(captions)
        if self.heat_map is not None:
            return captions
        return captions[:1] if self.json is not None else []

    def check(self, source: str | os.PathLike | int) -> None:
        """Refuse before the work what could not be written after it.

        Raises:
            ValueError: If nothing is to be written, a target is the source or
                another target, or has a suffix that cannot be written.
            OSError: If a folder to write is not empty, or a path cannot be
                written.
            RuntimeError: If there is no display to show frames on.
        """
        paths = self.paths
        if not paths and not self.show:
            raise ValueError(
                'nothing is to be written or shown: give --out, --labels, '
                '--json, --heat-map or --show'
            )
        for path in paths.values():
            check_output(path, source)
        places = [path.absolute() for path in paths.values()]
        if len(set(places)) < len(places):
            raise ValueError(
                f"two outputs are both to be '{places[0]}': give each its own"
            )
        if self.out is not None:
            open_writer(self.out, 1)
        if self.labels is not None:
            LabelWriter(self.labels, (), ())
        if self.json and Path(self.json).suffix.lower() == '.json':
            raise ValueError(
                f"'{self.json}' would be no JSON file, since each line is an "
                'object of its own: name an .ndjson or .jsonl'
            )
        if self.heat_map and Path(self.heat_map).suffix.lower() != '.png':
            raise ValueError(f"cannot write '{self.heat_map}': name a .png")
        for path in (self.json, self.heat_map):
            if path is not None:
                refuse_special(path)
        if self.show:
            check_display()

    def of(self, name: str, suffix: str) -> 'Targets':
        """Those of one of many videos, in the folders that these are."""
        suffixes = dict(out=suffix, labels='', json='.ndjson', heat_map='.png')
        return replace(
            self,
            **{
                k: path / f'{name}{suffixes[k]}'
                for k, path in self.paths.items()
            },
        )

    def outputs(
        self,
        classes: Sequence[str],
        palette: Sequence,
        drawing: Drawing,
        fps: float,
        keeps_times: bool = True,
    ) -> list[AbstractContextManager[Write]]:
        """The outputs.

        Args:
            classes (Sequence[str]): Names of the classes.
            palette (Sequence): Their RGB colours.
            drawing (Drawing): How frames are drawn.
            fps (float): Frames a second.
            keeps_times (bool): Whether frames are shown at their own times,
                not at the ``fps``. Defaults to True.
        """

        legend = PresentLegend(classes, palette)

        def draw(result):
            picture = drawing(result, classes, palette)
            if not drawing.legend or drawing.kind == 'beside':
                return picture
            return legend.below(picture, result.label)

        found = []
        if self.out is not None:
            found.append(pictures(self.out, fps, draw, keeps_times))
        if self.labels is not None:
            found.append(label_maps(self.labels, classes, palette))
        if self.json is not None:
            found.append(json_lines(self.json, classes))
        if self.heat_map is not None:
            found.append(flicker_map(self.heat_map))
        if self.show:
            found.append(window(draw))
        return found


@contextmanager
def pictures(
    path: Path,
    fps: float,
    draw: Callable[[FrameResult], np.ndarray],
    keeps_times: bool = True,
) -> Iterator[Write]:
    """Drawn frames as a video or a folder, at the source's times."""
    first = None
    with open_writer(path, fps) as writer:

        def write(result: FrameResult) -> None:
            nonlocal first
            time = result.time if keeps_times else None
            if time is not None:
                first = time if first is None else first
                time -= first
            writer.write(draw(result), time)

        yield write


@contextmanager
def label_maps(
    path: Path, classes: Sequence[str], palette: Sequence
) -> Iterator[Write]:
    """A folder of label maps, under the names or numbers of the frames."""
    with LabelWriter(path, classes, palette) as writer:
        yield lambda result: writer.write(
            result.label, result.name or f'{result.number:06d}'
        )


@contextmanager
def json_lines(path: Path, classes: Sequence[str]) -> Iterator[Write]:
    """One JSON object for each frame, see :class:`Targets`."""
    with atomic_path(path) as temporary, open(temporary, 'w') as file:

        def write(result: FrameResult) -> None:
            counts = np.bincount(result.label.ravel(), minlength=256)
            change = result.change
            record = dict(
                frame=result.number,
                name=result.name,
                time=result.time,
                classes={
                    name: round(int(count) / result.label.size, 6)
                    for name, count in zip(classes, counts, strict=False)
                    if count
                },
                changed=change and round(change.in_place, 6),
                flicker=change and round(change.flicker, 6),
                full=result.full,
                held=result.held,
                ms=round(1000 * result.seconds, 2),
            )
            file.write(json.dumps(record) + '\n')

        yield write


@contextmanager
def flicker_map(path: Path) -> Iterator[Write]:
    """A picture of how often each pixel's class changes, of each model."""
    counts, pairs, background = {}, 0, None

    def write(result: FrameResult) -> None:
        nonlocal pairs, background
        background = result.frame
        if result.change is not None:
            pairs += 1
        for caption, label in result.labels.items():
            have = counts.setdefault(caption, np.zeros(label.shape, np.int32))
            if have.shape != label.shape:
                raise ValueError(
                    f"'{path}': a heat map needs frames of one size, frame "
                    f'{result.number} is {label.shape}'
                )
            # A first frame has none.
            change = result.changes.get(caption)
            if change is not None:
                have += change.where

    yield write
    rates = {name: have / max(1, pairs) for name, have in counts.items()}
    size = next(iter(rates.values())).shape
    if size != background.shape[:2]:
        background = cv2.resize(background, size[::-1])
    picture = heat_map(rates, background)
    write_bytes(path, cv2.imencode('.png', picture)[1].tobytes())


@contextmanager
def window(draw: Callable[[FrameResult], np.ndarray]) -> Iterator[Write]:
    """A live window with the frame rate."""
    with Window('mmseg_video') as screen:

        def write(result: FrameResult) -> None:
            if not screen.show(draw(result)):
                raise StopRun

        yield write
