"""Frames of video files, by PyAV."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import numpy as np

from .coded_frames import read_motion, with_motion
from .frame_source import FrameSource
from .lazy import LazyModule

av = LazyModule('av')
logger = logging.getLogger('mmseg_video')


def open_video(
    path: str | os.PathLike,
    broken: str = 'error',
    vectors: bool = False,
    max_pixels: int | None = None,
) -> FrameSource:
    """The frames of a video file, upright as its metadata say.

    That it ends long before its last frame is an error, or, where broken
    frames are skipped, logged.

    Args:
        path (path): The file.
        broken (str): What to do with a frame that cannot be decoded: 'error',
            or 'skip' it and log that. Defaults to 'error'.
        vectors (bool): See :func:`open_frames`. Defaults to False.
        max_pixels (int | None): A larger frame, wherever it comes, cannot be
            decoded, and no memory is taken for it. Defaults to None.

    Raises:
        OSError: If it cannot be opened, or, later, a frame cannot be decoded
            or it breaks off.
        ValueError: If its decoder tells of no motion vectors.
    """
    what = f"the video '{path}'"
    try:
        # FFmpeg takes what stands before a colon for a protocol.
        container = av.open(os.path.abspath(path))
    except av.FFmpegError as error:
        why = error.strerror
        if isinstance(error, av.InvalidDataError):
            why = 'it is no video, or breaks off before its index'
        raise OSError(f'{what} cannot be opened: {why}') from None
    try:
        stream = _video_stream(container)
        stream.thread_type = 'AUTO'
        if max_pixels is not None:
            stream.codec_context.options = dict(max_pixels=str(max_pixels))
        if vectors:
            _export_vectors(stream.codec_context)
        decoded = _decode(container, stream)
        first = next(decoded, None)
        if first is None:
            raise OSError('no frame of it can be decoded')
    except (OSError, ValueError) as error:
        container.close()
        kind = OSError if isinstance(error, OSError) else ValueError
        raise kind(f'{what} cannot be opened: {error}') from None
    rate = stream.average_rate or stream.guessed_rate
    fps = float(rate) if rate and 0 < rate < 1000 else None
    promised = length = stream.frames
    # An AVI shows all that it counts, and the length of one that breaks off
    # is guessed from its bytes.
    is_avi = container.format.name == 'avi'
    seconds = (container.duration or 0) / av.time_base
    if not length and fps:
        length = round(seconds * fps)

    begin, sought = first[0].time, 0.0

    def seek(seconds: float) -> None:
        """Begin at a key frame before this time; only before the first frame
        is asked for."""
        nonlocal first, decoded, sought
        if begin is None:
            return
        for target in (seconds, 0.0):
            place = int((begin + target) / stream.time_base)
            container.seek(place, stream=stream)
            decoded = _decode(container, stream)
            found = next(decoded, None)
            # Some files have a wrong index.
            if found and found[0] and found[0].time <= begin + seconds:
                first, sought = found, found[0].time - begin
                return
        raise OSError(f'{what}: nothing is found at {seconds} s')

    def frames():
        count, time = 0, None
        start = begin
        with container:
            frame, lost = first
            while frame is not None or lost:
                if lost:
                    sentence = (
                        f'{what}: {lost} of its frames cannot be read, after '
                        f'{count}'
                    )
                    if broken == 'error':
                        raise OSError(sentence)
                    logger.warning('%s: skipped', sentence)
                if frame is None:
                    break
                if None not in (frame.time, start):
                    time = frame.time - start
                motion = read_motion(frame, count + lost) if vectors else None
                yield with_motion(_pixels(frame), motion), time
                count += lost + 1
                frame, lost = next(decoded, (None, 0))
        few = count < 0.95 * (length or 0)
        counted = promised and not sought
        if time is not None and seconds and not (is_avi and counted):
            # Some containers count frames that they never show, and some last
            # as long as their sound.
            part = 0.95 if counted else 0.9
            few = few and time + 2 / (fps or 1) < part * seconds
        elif not counted:
            few = False
        if not few:
            return
        if broken == 'error':
            raise OSError(
                f'{what} breaks off after {count} of {length} frames: copy '
                "it again; broken='skip' takes what is there"
            )
        logger.warning(
            '%s gives no more frames after %d of %d', what, count, length
        )

    return FrameSource(frames(), fps, length or None, seek=seek)


# Of containers that hold their frames themselves, and name no other files.
FORMATS = (
    'mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,'
    'ogg,gif,h264,hevc,ivf,mxf,dv,m4v,mjpeg'
)


def video_size(path: str | os.PathLike) -> tuple[int, int]:
    """Height and width of a stranger's video, before a frame is decoded.

    Playlists, and whatever else names other files, are no videos here.

    Raises:
        OSError: If it is no video.
    """
    try:
        with av.open(
            os.path.abspath(path),
            options=dict(protocol_whitelist='file', format_whitelist=FORMATS),
        ) as container:
            context = _video_stream(container).codec_context
            return context.height, context.width
    except (OSError, av.FFmpegError):
        raise OSError(
            f"the video '{os.path.basename(path)}' cannot be opened: it is "
            'no video that holds its frames itself'
        ) from None


# Codecs whose decoders in FFmpeg tell of motion vectors.
WITH_VECTORS = (
    *('h264', 'mpeg4', 'mpeg1video', 'mpeg2video', 'h263', 'flv'),
    *('msmpeg4v1', 'msmpeg4v2', 'msmpeg4', 'wmv1', 'wmv2'),
)


def _export_vectors(context) -> None:
    """Ask the decoder for motion vectors; before the first frame.

    Raises:
        ValueError: If it has none.
    """
    if context.name not in WITH_VECTORS:
        raise ValueError(
            f'the decoder of {context.name} tells of no motion vectors, those '
            'of H.264, MPEG-4 and MPEG-2 do: convert it, or take '
            "flow='dis' (--flow dis)"
        )
    context.options = dict(flags2='+export_mvs')


def _video_stream(container):
    # A cover, which music has, is no video.
    cover = av.stream.Disposition.attached_pic
    streams = [s for s in container.streams.video if not s.disposition & cover]
    if not streams:
        kinds = sorted({stream.type for stream in container.streams})
        raise OSError(
            f'it has no video stream, only {" and ".join(kinds) or "nothing"}'
        )
    if streams[0].codec_context is None:
        raise OSError(
            'no decoder for its codec: convert it, for example to H.264'
        )
    return streams[0]


def _decode(container, stream) -> Iterator[tuple[av.VideoFrame | None, int]]:
    """Each frame, and how many could not be decoded right before it; None
    for the end, where some could not be."""
    lost = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):
            # Where a file breaks off, nothing more can be found.
            if lost:
                yield None, lost
            return
        try:
            frames = packet.decode()
        except av.FFmpegError:
            # A file may go on behind a frame that cannot be read.
            lost += 1
            continue
        for frame in frames:
            yield frame, lost
            lost = 0


def _pixels(frame: av.VideoFrame) -> np.ndarray:
    """(H, W, 3) uint8 BGR; phones record on their side and say so."""
    pixels = frame.to_ndarray(format='bgr24')
    quarters = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, quarters))
