"""Motion vectors of H.264 clips that are encoded here, of known motion."""

import itertools

import av
import cv2
import numpy as np
import pytest

from mmseg_video.apis import steady
from mmseg_video.flow.codec import CodecFlow, _filled
from mmseg_video.flow.estimators import build_flow
from mmseg_video.flow.images import warp_image
from mmseg_video.io.coded_frames import Motion, motion_of, with_motion
from mmseg_video.io.frames import open_frames
from tests.frames import moving

MOTION = 5  # pixels to the right


def encode(path, frames, codec='libx264', **options):
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=15)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = 'yuv420p'
        stream.options = options
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame, format='bgr24')
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope='module')
def clips(tmp_path_factory):
    """A pan, with B-frames and without."""
    folder = tmp_path_factory.mktemp('codec')
    frames = moving(8, MOTION, height=96, width=160)
    return dict(
        plain=encode(folder / 'plain.mp4', frames, bf='0', crf='18'),
        bidirectional=encode(folder / 'b.mp4', frames, bf='3', crf='18'),
        mpeg4=encode(folder / 'm.mp4', frames, 'mpeg4', qmax='4'),
        hevc=encode(folder / 'h.mp4', frames, 'libx265'),
    )


def refuse(first, second, name=None):
    raise AssertionError('the fallback is asked')


@pytest.mark.parametrize('name', ['plain', 'bidirectional', 'mpeg4'])
def test_vectors_lead_to_the_frame_before(clips, name):
    frames = list(open_frames(clips[name], vectors=True))
    assert [motion_of(frame).number for frame in frames] == list(range(8))
    assert motion_of(frames[0]).vectors is None
    flow = CodecFlow(refuse)
    for before, frame in itertools.pairwise(frames):
        found = flow(frame, before)
        assert found.shape == (96, 160, 2)
        assert np.median(found[..., 0]) == pytest.approx(-MOTION, abs=0.3)
        assert np.median(found[..., 1]) == pytest.approx(0, abs=0.3)
        inside = (slice(8, -8), slice(16, -8))  # but for what comes in
        warped, still = (
            np.abs(frame.astype(float) - image)[inside].mean()
            for image in (warp_image(before, found), before)
        )
        assert warped < 0.3 * still


def test_another_pair_has_the_flow_of_the_fallback(clips):
    asked = []

    def fallback(first, second, name=None):
        asked.append((motion_of(first).number, motion_of(second).number))
        return np.zeros((*first.shape[:2], 2), np.float32)

    frames = list(open_frames(clips['plain'], vectors=True))
    flow = CodecFlow(fallback)
    for now, before in ((1, 2), (3, 1), (2, 1), (5, 5)):
        flow(frames[now], frames[before])
    assert asked == [(1, 2), (3, 1), (5, 5)]
    # A frame that the codec coded by itself.
    still = with_motion(frames[2].copy(), Motion(2, None, (96, 160)))
    flow(still, frames[1])
    assert asked[-1] == (2, 1)
    # Every second frame: those between are gone.
    source = open_frames(clips['plain'], vectors=True).reduced(stride=2)
    assert [motion_of(f).number for f in source] == [0, 2, 4, 6]


def test_frames_keep_their_vectors_where_they_are_resized(clips):
    source = open_frames(clips['plain'], vectors=True)
    frames = list(source.reduced(size=(48, 80)))
    found = CodecFlow(refuse)(frames[2], frames[1])
    assert found.shape == (48, 80, 2)
    assert np.median(found[..., 0]) == pytest.approx(-MOTION / 2, abs=0.3)
    make = build_flow(
        dict(type='CodecFlow'), min_size=24, max_error_ratio=None
    )
    make.estimator.fallback = refuse
    assert make.reads_motion
    reduced = [make.reduce(frame) for frame in frames[1:3]]
    field = make(reduced[1], reduced[0])
    assert field.shape == (3, 24, 40)
    assert np.median(field[0]) == pytest.approx(-MOTION / 4, abs=0.3)


def test_a_video_on_its_side(clips, tmp_path):
    """What is right in the file is up to whoever looks at it."""
    path = tmp_path / 'side.mp4'
    with av.open(str(clips['plain'])) as old, av.open(str(path), 'w') as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        stream.set_display_rotation(90)
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    frames = list(open_frames(path, vectors=True))
    assert frames[0].shape == (160, 96, 3)
    found = CodecFlow(refuse)(frames[2], frames[1])
    shift = np.median(found, (0, 1))
    assert np.abs(shift).max() == pytest.approx(MOTION, abs=0.3)
    warped, still = (
        np.abs(frames[2].astype(float) - image)[16:-16].mean()
        for image in (warp_image(frames[1], found), frames[1])
    )
    assert warped < 0.3 * still


def test_a_net_is_steadied_along_them(clips):
    def colours(images):
        return images[:, :, ::4, ::4] / 255

    video = steady(colours, ['a', 'b', 'c'], flow='codec', device='cpu')
    for lag in (None, 2):
        video.flow.estimator.fallback = DISStandIn(lag)
        found = [p.label for p in video.predict(clips['plain'], lag=lag)]
        assert len(found) == 8
    again = [p.label for p in video.predict(clips['plain'])]
    estimated = steady(colours, ['a', 'b', 'c'], device='cpu')
    want = [p.label for p in estimated.predict(clips['plain'])]
    agree = [(a == b).mean() for a, b in zip(again, want, strict=True)]
    assert min(agree) > 0.9


class DISStandIn:
    """Refuses, but for the way back, which has no vectors."""

    def __init__(self, lag):
        self.lag = lag

    def __call__(self, first, second, name=None):
        assert self.lag
        return np.zeros((*first.shape[:2], 2), np.float32)


def test_what_has_no_vectors_is_refused(clips, tmp_path):
    cv2.imwrite(str(tmp_path / '0.png'), moving(1)[0])
    for source in (tmp_path, tmp_path / '0.png', 0, '7', 'rtsp://nobody'):
        with pytest.raises(ValueError, match='has no motion vectors: they'):
            open_frames(source, vectors=True)
    with pytest.raises(ValueError, match='decoder of hevc tells of no motion'):
        open_frames(clips['hevc'], vectors=True)
    with pytest.raises(FileNotFoundError, match='no video'):
        open_frames('none.mp4', vectors=True)
    video = steady(lambda x: x, ['a', 'b', 'c'], flow='codec', device='cpu')
    with pytest.raises(ValueError, match='these frames have no motion'):
        list(video.predict(moving(2)))
    with pytest.raises(ValueError, match='has no motion vectors'):
        video.predict(str(tmp_path))
    told = r"flow=|one of 'dis', 'codec': 'x'"
    for options in (dict(filter='none', flow='codec'), dict(flow='x')):
        with pytest.raises(ValueError, match=told):
            steady(lambda x: x, ['a', 'b', 'c'], **options)


def test_a_lonely_cell_fills_the_whole_field():
    cells = np.full((270, 480, 2), np.nan, np.float32)
    cells[:2, :2] = 3, -1
    filled = _filled(cells)
    assert np.isfinite(filled).all()
    assert np.allclose(filled, (3, -1), atol=1e-3)


def test_a_mirrored_view_has_no_motion():
    frame = with_motion(
        np.zeros((8, 12, 3), np.uint8), Motion(1, None, (8, 12))
    )
    assert motion_of(frame.copy()) is not None
    for other in (frame[:, ::-1], frame[::-1], frame[:, ::-1].copy()):
        assert motion_of(other) is None
