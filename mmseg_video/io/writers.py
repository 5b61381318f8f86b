"""Writers of image sequences: whole files, or nothing.

Each takes frames (H, W, 3) uint8 BGR, one at a time, and puts its file in
place when it is left without an error::

    with open_writer('out.gif', fps=10) as writer:
        writer.write(frame)
"""

from __future__ import annotations

import glob
import io
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from .atomic import check_place, refuse_special
from .lazy import LazyModule

av = LazyModule('av')
BT709, LIMITED = 1, 1  # as ITU-T H.273 counts them


class _Writer:
    """Writes to a temporary path beside its target."""

    one_size = True  # of all frames

    def __init__(self, target: str | os.PathLike, fps: float):
        if not fps > 0:
            raise ValueError(f'fps must be > 0, got {fps}')
        # Absolute: FFmpeg takes what stands before a colon for a protocol.
        self.target, self.fps = Path(target).absolute(), fps
        self.count, self._shape = 0, None

    def __enter__(self):
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self.folder = Path(
            tempfile.mkdtemp(prefix='.writing-', dir=self.target.parent)
        )
        self.temporary = self.folder / self.target.name
        return self

    def __exit__(self, kind, *_):
        try:
            self._close()
            if kind is None:
                if not self.count:
                    raise ValueError(f"no frames to write to '{self.target}'")
                self._place()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, frame: np.ndarray, time: float | None = None) -> None:
        """Add one frame.

        Args:
            frame (ndarray): (H, W, 3) uint8 BGR.
            time (float | None): When it is shown, in seconds since the first
                one. Defaults to None, by ``fps``.

        Raises:
            ValueError: If its size is not the first one's, but for a
                folder's.
        """
        if self.one_size and self._shape not in (None, frame.shape):
            raise ValueError(
                f"'{self.target}': frame {self.count} is {frame.shape[:2]}, "
                f'the ones before are {self._shape[:2]} (height, width): all '
                'must have one size'
            )
        self._shape = frame.shape
        self._write(frame, time)
        self.count += 1

    def _place(self) -> None:
        refuse_special(self.target)
        os.replace(self.temporary, self.target)

    def _close(self) -> None:
        """Finish the temporary file."""


class VideoWriter(_Writer):
    """A video file that browsers play: .mp4 (H.264) or .webm (VP9).

    Both store colours at half the resolution, so that a side of odd length is
    made even by repeating its last row or column. Times are kept.
    """

    # Suffix -> encoder, its options, those of the file. The index goes first:
    # a browser would load all before it plays.
    encoders = {
        '.mp4': (
            'libx264',
            {'preset': 'veryfast', 'crf': '18'},
            {'movflags': '+faststart'},
        ),
        '.webm': (
            'libvpx-vp9',
            {'deadline': 'realtime', 'cpu-used': '6', 'row-mt': '1'}
            | {'crf': '24', 'b:v': '0'},
            {},
        ),
    }
    pixel_format = 'yuv420p'
    _container = _stream = _last = None

    def __init__(self, target: str | os.PathLike, fps: float):
        super().__init__(target, fps)
        refuse_special(self.target)

    def _ticks_per_second(self, fps: Fraction, timed: bool) -> Fraction:
        # MPEG's clock, unless one tick is exactly one frame.
        return Fraction(90000) if timed else fps

    def _open(self, height: int, width: int, timed: bool) -> None:
        codec, options, of_file = self.encoders[self.target.suffix.lower()]
        fps = Fraction(self.fps).limit_denominator(100000)
        self._clock = self._ticks_per_second(fps, timed)
        self._container = av.open(str(self.temporary), 'w', options=of_file)
        try:
            stream = self._container.add_stream(codec, fps, options)
        except (av.FFmpegError, ValueError) as error:
            raise OSError(
                f"PyAV cannot write '{self.target}' ({codec}: {error}): name "
                'a folder instead'
            ) from None
        stream.width, stream.height = width, height
        stream.pix_fmt = self.pixel_format
        context = stream.codec_context
        context.time_base = 1 / self._clock
        # Said in the file, or each player guesses in its own way.
        context.colorspace = context.color_primaries = BT709
        context.color_trc, context.color_range = BT709, LIMITED
        self._stream = stream

    def _write(self, frame: np.ndarray, time: float | None) -> None:
        picture = self._picture(frame)
        if self._container is None:
            self._open(picture.height, picture.width, time is not None)
        seconds = self.count / self.fps if time is None else time
        ticks = self._place_in_time(round(seconds * self._clock))
        if ticks is None:
            return
        picture.pts = self._last = ticks
        picture.time_base = 1 / self._clock
        picture.duration = max(1, round(self._clock / Fraction(self.fps)))
        self._container.mux(self._stream.encode(picture))

    def _place_in_time(self, ticks: int) -> int | None:
        """When a frame is shown: later than the last one; None, not at all."""
        return ticks if self._last is None else max(ticks, self._last + 1)

    def _picture(self, frame: np.ndarray) -> av.VideoFrame:
        height, width = frame.shape[:2]
        frame = cv2.copyMakeBorder(
            *(frame, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        )
        picture = av.VideoFrame.from_ndarray(frame, format='bgr24')
        return picture.reformat(format='yuv420p', dst_colorspace='ITU709')

    def _close(self) -> None:
        if self._container is not None:
            with self._container:
                if self._stream is not None:
                    self._container.mux(self._stream.encode())


class GifWriter(VideoWriter):
    """An animated GIF that loops, 256 colours a frame.

    A GIF counts time in 10 ms, and browsers slow down frames that are shown
    for less than 20: what would be is left out, so that a second lasts a
    second.
    """

    encoders = {'.gif': ('gif', {}, {})}
    pixel_format = 'pal8'

    def __init__(self, target: str | os.PathLike, fps: float = 10):
        super().__init__(target, fps)
        delay = {'final_delay': str(max(2, round(100 / fps)))}
        self.encoders = {'.gif': ('gif', {}, delay)}

    def _ticks_per_second(self, fps: Fraction, timed: bool) -> Fraction:
        return Fraction(100)

    def _place_in_time(self, ticks: int) -> int | None:
        early = self._last is not None and ticks < self._last + 2
        return None if early else ticks

    def _picture(self, frame: np.ndarray) -> av.VideoFrame:
        image = Image.fromarray(np.ascontiguousarray(frame[..., ::-1]))
        image = image.quantize(
            256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
        )
        colours = np.uint8(image.getpalette()).reshape(-1, 3)
        palette = np.full((256, 4), 255, np.uint8)  # alpha, red, green, blue
        palette[: len(colours), 1:] = colours
        return av.VideoFrame.from_ndarray(
            (np.asarray(image), palette), format='pal8'
        )


class FolderWriter(_Writer):
    """PNG files 000000.png, 000001.png, ... in a folder, of any sizes."""

    one_size = False

    def __init__(self, target: str | os.PathLike, fps: float = 10):
        super().__init__(target, fps)
        if self.target.exists():
            if not self.target.is_dir():
                raise FileExistsError(
                    f"'{self.target}' is a file, a folder is to be written: "
                    'name another one'
                )
            if any(self.target.iterdir()):
                raise FileExistsError(
                    f"the folder '{self.target}' is not empty: name another "
                    'one'
                )

    def __enter__(self):
        super().__enter__()
        self.temporary.mkdir()
        return self

    def _write(self, frame: np.ndarray, time: float | None) -> None:
        self._save(f'{self.count:06d}', cv2.imencode('.png', frame)[1])

    def _save(self, stem: str, png: bytes) -> None:
        (self.temporary / f'{stem}.png').write_bytes(png)

    def _place(self) -> None:
        if self.target.exists():
            self.target.rmdir()
        os.replace(self.temporary, self.target)


class LabelWriter(FolderWriter):
    """Label maps as PNG files of class ids, in colours: 000000.png, ... in a
    folder, or under the frames' own names.

    mmseg, CVAT and Pascal VOC's tools read them. ``classes.json`` lists id,
    name and colour of the classes, ``labelmap.txt`` says the same to CVAT.

    Args:
        target (path): The folder.
        classes (Sequence[str]): Names of the classes.
        palette (Sequence): Their RGB colours.
    """

    def __init__(
        self,
        target: str | os.PathLike,
        classes: Sequence[str],
        palette: Sequence[Sequence[int]],
    ):
        super().__init__(target)
        self.classes = [
            dict(id=i, name=name, color=[int(part) for part in colour])
            for i, (name, colour) in enumerate(
                zip(classes, palette, strict=True)
            )
        ]

    def write(self, label: np.ndarray, name: str | None = None) -> None:
        """Add the label map (H, W) uint8 of a frame, of any size.

        Args:
            label (ndarray): The class ids.
            name (str | None): Of the frame. Defaults to None, its number.
        """
        image = Image.fromarray(label)
        image.putpalette([part for c in self.classes for part in c['color']])
        png = io.BytesIO()
        image.save(png, 'PNG', compress_level=3)
        self._save(name or f'{self.count:06d}', png.getvalue())
        self.count += 1

    def _close(self) -> None:
        text = json.dumps(self.classes, indent=1)
        (self.temporary / 'classes.json').write_text(text)
        lines = ['# label:color_rgb:parts:actions'] + [
            f'{c["name"]}:{",".join(map(str, c["color"]))}::'
            for c in self.classes
        ]
        (self.temporary / 'labelmap.txt').write_text('\n'.join(lines) + '\n')


def open_writer(target: str | os.PathLike, fps: float) -> _Writer:
    """The writer for ``target``: .gif, .mp4, .webm, or a folder (no suffix).

    Raises:
        ValueError: If the suffix is another one.
    """
    writers = {'': FolderWriter}
    for kind in (VideoWriter, GifWriter):
        writers |= dict.fromkeys(kind.encoders, kind)
    suffix = Path(target).suffix.lower()
    if suffix not in writers:
        raise ValueError(
            f"cannot write '{target}': name a .gif, .mp4, .webm or a folder"
        )
    return writers[suffix](target, fps)


def check_output(
    target: str | os.PathLike, source: str | os.PathLike | int
) -> None:
    """Refuse to write over what is read, or where nothing can be written.

    Args:
        target (path): What a writer is to write.
        source (path | int): What :func:`open_frames` reads.

    Raises:
        ValueError: If the target is the source, or one of its files.
        OSError: See :func:`check_place`.
    """
    source = str(source)
    found = [source] if os.path.exists(source) else glob.glob(source)
    if os.path.exists(target) and any(
        os.path.samefile(target, path) for path in found
    ):
        raise ValueError(
            f"the output '{target}' is the input too: name another file"
        )
    check_place(target)
