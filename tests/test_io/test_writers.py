"""Writers: whole files that play at their speed, or nothing."""

import sys

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from mmseg_video.io.frames import open_frames
from mmseg_video.io.writers import VideoWriter, check_output, open_writer
from tests.commands import call


def panels(num=3):
    return [np.full((48, 64, 3), 80 * i, np.uint8) for i in range(num)]


@pytest.mark.parametrize('name', ['out.gif', 'out.mp4', 'out.webm', 'out'])
def test_writes_every_frame(name, tmp_path):
    target = tmp_path / 'new folder' / name
    with open_writer(target, 10) as writer:
        for panel in panels():
            writer.write(panel)
    assert [p.name for p in target.parent.iterdir()] == [name]
    if target.suffix == '.gif':
        gif = Image.open(target)
        assert gif.n_frames == 3
        assert gif.info['duration'] == 100
    elif target.suffix in ('.mp4', '.webm'):
        video = cv2.VideoCapture(str(target))
        assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 3
    else:
        names = sorted(p.name for p in target.iterdir())
        assert names == ['000000.png', '000001.png', '000002.png']


def write_and_fail(target):
    with open_writer(target, 10) as writer:
        writer.write(panels()[0])
        raise RuntimeError


@pytest.mark.parametrize('name', ['out.gif', 'out.mp4', 'out.webm', 'out'])
def test_nothing_is_left_of_a_write_that_failed(name, tmp_path):
    with pytest.raises(RuntimeError):
        write_and_fail(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_an_old_file_outlives_a_write_that_failed(tmp_path):
    target = tmp_path / 'out.gif'
    target.write_bytes(b'old')
    with (
        pytest.raises(ValueError, match='no frames'),
        open_writer(target, 10),
    ):
        pass
    assert target.read_bytes() == b'old'


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out/mine.png').touch()
    with (
        pytest.raises(FileExistsError, match='not empty'),
        open_writer(tmp_path / 'out', 10),
    ):
        pass
    assert (tmp_path / 'out/mine.png').exists()


def test_a_folder_takes_frames_of_any_size(tmp_path):
    with open_writer(tmp_path / 'out', 10) as writer:
        writer.write(panels()[0])
        writer.write(panels()[1][:, :32])
    shapes = [frame.shape[:2] for frame in open_frames(tmp_path / 'out')]
    assert shapes == [(48, 64), (48, 32)]


@pytest.mark.parametrize('name', ['out.gif', 'out.mp4', 'out.webm'])
def test_frames_of_another_size_are_refused(name, tmp_path):
    with open_writer(tmp_path / name, 10) as writer:
        writer.write(panels()[0])
        with pytest.raises(ValueError, match=r'frame 1 is \(48, 32\)'):
            writer.write(panels()[1][:, :32])


def test_a_suffix_that_cannot_be_written():
    with pytest.raises(ValueError, match=r'\.mp4, \.webm or a folder'):
        open_writer('out.avi', 10)
    with pytest.raises(ValueError, match='fps must be > 0'):
        open_writer('out.gif', 0)


@pytest.mark.parametrize(
    ('name', 'codec'), [('out.mp4', 'h264'), ('out.webm', 'vp9')]
)
def test_browsers_play_it(name, codec, tmp_path):
    with open_writer(tmp_path / name, 12.5) as writer:
        for level in range(5):
            writer.write(np.full((45, 63, 3), 50 * level, np.uint8))
    with av.open(str(tmp_path / name)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.codec.canonical_name == codec
        assert stream.codec_context.pix_fmt == 'yuv420p'
        assert stream.average_rate == 12.5
    data = (tmp_path / name).read_bytes()
    if name == 'out.mp4':
        assert data.index(b'moov') < data.index(b'mdat')
    frames = list(open_frames(tmp_path / name))
    # The last row and column, of an odd size, are there twice.
    assert [frame.shape for frame in frames] == [(46, 64, 3)] * 5
    for level, frame in enumerate(frames):
        assert np.abs(frame.astype(int) - 50 * level).max() < 8


def test_an_encoder_that_is_not_there_is_named(tmp_path, monkeypatch):
    encoders = {'.mp4': ('libno264', {}, {})}
    monkeypatch.setattr(VideoWriter, 'encoders', encoders)
    with (
        pytest.raises(OSError, match=r"'.*out.mp4' \(libno264: .*a folder"),
        VideoWriter(tmp_path / 'out.mp4', 10) as writer,
    ):
        writer.write(panels()[0])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('name', ['out.mp4', 'out.webm', 'out.gif'])
def test_colours_are_kept(name, tmp_path):
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[:] = (200, 30, 90)
    picture[:32] = (20, 40, 220)
    with open_writer(tmp_path / name, 10) as writer:
        writer.write(picture)
    (frame,) = open_frames(tmp_path / name)
    for place in ((8, 8), (56, 88)):
        difference = frame[place].astype(int) - picture[place]
        assert np.abs(difference).max() < 8


@pytest.mark.parametrize('name', ['out.mp4', 'out.webm', 'out.gif'])
def test_frames_keep_their_times(name, tmp_path):
    times = [0, 0.03, 0.07, 0.1, 0.3, 0.5, 1.3]
    with open_writer(tmp_path / name, 10) as writer:
        for i, time in enumerate(times):
            writer.write(np.full((48, 64, 3), 30 * i, np.uint8), time)
    got = [time for _, time in open_frames(tmp_path / name).timed]
    np.testing.assert_allclose(got, times, atol=0.002)


def test_times_that_do_not_grow_are_no_error(tmp_path):
    with open_writer(tmp_path / 'out.mp4', 10) as writer:
        for panel, time in zip(panels(), (0, 0, 0), strict=True):
            writer.write(panel, time)
    assert len(list(open_frames(tmp_path / 'out.mp4'))) == 3


@pytest.mark.parametrize('fps', [8, 10, 17, 24, 25, 30, 50, 60, 120])
def test_a_second_of_a_gif_lasts_a_second(fps, tmp_path):
    with open_writer(tmp_path / 'out.gif', fps) as writer:
        for i in range(fps):
            writer.write(np.full((16, 16, 3), 255 * i // fps, np.uint8))
    assert writer.count == fps
    durations = []
    with Image.open(tmp_path / 'out.gif') as gif:
        for i in range(gif.n_frames):
            gif.seek(i)
            durations.append(gif.info['duration'])
    assert 980 <= sum(durations) <= 1020
    # Browsers slow down what is shown for less.
    assert min(durations) >= 20


@pytest.mark.parametrize('suffix', ['.mp4', '.webm', '.gif', ''])
def test_names_of_every_kind(suffix, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = f'a:1/my [clip] %03d é 日{suffix}'
    with open_writer(name, 10) as writer:
        for panel in panels():
            writer.write(panel)
    assert len(list(open_frames(name))) == 3


def test_a_long_gif_needs_no_more_memory_than_a_short_one(tmp_path):
    code = f"""
import resource
import numpy as np
from mmseg_video.io.writers import GifWriter

def write(num):
    with GifWriter({str(tmp_path / 'out.gif')!r}, 25) as writer:
        for i in range(num):
            writer.write(np.full((240, 320, 3), i % 256, np.uint8))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

print(write(20), write(400))
"""
    status, output = call(sys.executable, '-c', code)
    assert status == 0, output
    short, long = map(int, output.split())
    # In KiB; 400 frames have 29 MB even at one byte a pixel.
    assert long - short < 5000


def test_the_input_is_not_written_over(tmp_path, monkeypatch):
    mine = tmp_path / 'mine.mp4'
    mine.touch()
    (tmp_path / 'link.mp4').symlink_to(mine)
    monkeypatch.chdir(tmp_path)
    for target, source in (
        ('mine.mp4', mine),
        ('link.mp4', 'mine.mp4'),
        ('mine.mp4', '*.mp4'),
        (tmp_path, '.'),
    ):
        with pytest.raises(ValueError, match='is the input too'):
            check_output(target, source)
    for target, source in (
        ('new.mp4', 'mine.mp4'),
        ('mine.mp4', 0),
        ('mine.mp4', 'rtsp://camera'),
    ):
        check_output(target, source)
