"""Frames of videos, images, folders, globs, cameras and addresses."""

import glob
import logging
import os

from .animations import open_animation
from .cameras import open_camera
from .frame_source import FrameSource
from .images import read_image
from .listing import IMAGES, list_inputs, snippets_of
from .videos import open_video

logger = logging.getLogger('mmseg_video')


def open_frames(
    source: str | os.PathLike | int,
    broken: str = 'error',
    vectors: bool = False,
) -> FrameSource:
    """The frames of a video, image, folder, glob, camera number or address.

    An image file that holds several frames (WebP, PNG, TIFF) is a video.
    What is on disk goes first: a folder called 0001 is no camera. The images
    of a folder or glob come in natural order, see :func:`list_inputs`. A
    video that ends before its last frame, and a camera that gives no more,
    end the frames, and that is logged.

    Where the images are several snippets of Cityscapes, each is a sequence.

    Args:
        source (str | Path | int): What to open; an address is like
            ``rtsp://...``.
        broken (str): What to do with an image, or a frame in a video, that
            cannot be read: 'error', or 'skip' it and log that. Defaults to
            'error'.
        vectors (bool): Whether frames come with the motion vectors of their
            codec, see :class:`CodedFrame`. Defaults to False.

    Raises:
        FileNotFoundError: If nothing is there.
        OSError: If it cannot be opened, or, later, a frame cannot be read.
        ValueError: If ``broken`` is another word, or there are no vectors.
    """
    if broken not in ('error', 'skip'):
        raise ValueError(f"broken must be 'error' or 'skip', got '{broken}'")
    if vectors:
        _check_video(str(source))
    if isinstance(source, int):
        return open_camera(source)
    source = os.fspath(source)
    if os.path.isdir(source):
        return _open_images(
            images_of(source), f"the folder '{source}'", broken
        )
    if os.path.exists(source):
        if source.lower().endswith(IMAGES):
            several = open_animation(source)
            if several is not None:
                return several
            return _open_images([source], f"'{source}'", broken)
        return open_video(source, broken, vectors)
    if source.isdecimal():
        return open_camera(int(source))
    if '://' in source:
        return open_camera(source)
    if glob.has_magic(source):
        return _open_images(
            images_of(source), f"the pattern '{source}'", broken
        )
    raise FileNotFoundError(
        f"no video, image, folder or pattern of images '{source}'"
    )


def _check_video(source: str) -> None:
    """Refuse what is no video file, but for a path of nothing."""
    if os.path.isfile(source) and not source.lower().endswith(IMAGES):
        return
    camera = source.isdecimal() or '://' in source
    if camera or os.path.exists(source) or glob.has_magic(source):
        raise ValueError(
            f"'{source}' has no motion vectors: they are those of a video "
            "file's codec; take flow='dis' (--flow dis)"
        )


def images_of(source: str) -> list[str]:
    """The images of a folder or glob, in natural order."""
    return [p for p in list_inputs(source) if p.lower().endswith(IMAGES)]


def _open_images(paths: list[str], what: str, broken: str) -> FrameSource:
    if not paths:
        raise FileNotFoundError(
            f'{what} has no images (expected {", ".join(IMAGES)})'
        )

    stems = [os.path.splitext(os.path.basename(path))[0] for path in paths]
    named = len(set(stems)) == len(stems)
    snippets = snippets_of(stems)

    def frames():
        for i, path in enumerate(paths):
            try:
                image = read_image(path)
            except OSError as error:
                if broken == 'error':
                    raise
                logger.warning('%s: skipped', error)
                continue
            source.names += stems[i : i + 1] if named else []
            source.sequences += snippets[i : i + 1]
            yield image, None

    source = FrameSource(frames(), None, len(paths))
    return source
