"""Writers of image sequences: whole files, or nothing.

Each takes frames (H, W, 3) uint8 BGR of one size, one at a time, and puts its
file in place when it is left without an error::

    with open_writer('out.gif', fps=10) as writer:
        writer.write(frame)
"""

import os
import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image


class _Writer:
    """Writes to a temporary path beside its target."""

    def __init__(self, target: str | os.PathLike, fps: float):
        if not fps > 0:
            raise ValueError(f'fps must be > 0, got {fps}')
        self.target, self.fps = Path(target), fps
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

    def write(self, frame: np.ndarray) -> None:
        """Add one frame.

        Raises:
            ValueError: If its size is not the first one's.
        """
        if self._shape not in (None, frame.shape):
            raise ValueError(
                f"'{self.target}': frame {self.count} is {frame.shape[:2]}, "
                f'the ones before are {self._shape[:2]} (height, width): all '
                'must have one size'
            )
        self._shape = frame.shape
        self._write(frame)
        self.count += 1

    def _place(self) -> None:
        os.replace(self.temporary, self.target)

    def _close(self) -> None:
        """Finish the temporary file."""


class GifWriter(_Writer):
    """An animated GIF that loops.

    A GIF counts time in 10 ms: ``fps`` is rounded to 100/n. Frames are kept
    in 256 colours, one byte a pixel, until the file is written.
    """

    def __init__(self, target, fps: float = 10):
        super().__init__(target, fps)
        self.duration = max(2, round(100 / fps)) * 10  # milliseconds
        self.fps = 1000 / self.duration
        self._frames = []

    def _write(self, frame: np.ndarray) -> None:
        image = Image.fromarray(np.ascontiguousarray(frame[..., ::-1]))
        self._frames.append(
            image.quantize(
                256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
            )
        )

    def _close(self) -> None:
        if self._frames:
            self._frames[0].save(
                self.temporary,
                format='GIF',
                save_all=True,
                append_images=self._frames[1:],
                duration=self.duration,
                loop=0,
            )


class VideoWriter(_Writer):
    """A video file, by OpenCV: .mp4 (MPEG-4 part 2) or .webm (VP8).

    Browsers play the second.
    """

    codecs = {'.mp4': 'mp4v', '.webm': 'VP80'}
    _video = None

    def _write(self, frame: np.ndarray) -> None:
        if self._video is None:
            h, w = frame.shape[:2]
            codec = self.codecs[self.target.suffix.lower()]
            self._video = cv2.VideoWriter(
                str(self.temporary),
                cv2.VideoWriter_fourcc(*codec),
                self.fps,
                (w, h),
            )
            if not self._video.isOpened():
                raise OSError(
                    f"OpenCV cannot write '{self.target}' ({codec}): write a "
                    '.gif or a folder instead'
                )
        self._video.write(np.ascontiguousarray(frame))

    def _close(self) -> None:
        if self._video is not None:
            self._video.release()


class FolderWriter(_Writer):
    """PNG files 000000.png, 000001.png, ... in a folder."""

    def __enter__(self):
        if self.target.exists() and any(self.target.iterdir()):
            raise FileExistsError(
                f"the folder '{self.target}' is not empty: name another one"
            )
        super().__enter__()
        self.temporary.mkdir()
        return self

    def _write(self, frame: np.ndarray) -> None:
        path = self.temporary / f'{self.count:06d}.png'
        if not cv2.imwrite(str(path), frame):
            raise OSError(
                f"frame {self.count} of '{self.target}' cannot be "
                'written: is the disk full?'
            )

    def _place(self) -> None:
        if self.target.exists():
            self.target.rmdir()
        os.replace(self.temporary, self.target)


def open_writer(target: str | os.PathLike, fps: float) -> _Writer:
    """The writer for ``target``: .gif, .mp4, .webm, or a folder (no suffix).

    Raises:
        ValueError: If the suffix is another one.
    """
    writers = {'.gif': GifWriter, '': FolderWriter}
    writers |= dict.fromkeys(VideoWriter.codecs, VideoWriter)
    suffix = Path(target).suffix.lower()
    if suffix not in writers:
        raise ValueError(
            f"cannot write '{target}': name a .gif, .mp4, .webm or a folder"
        )
    return writers[suffix](target, fps)
