import cv2
import numpy as np
import pytest

from mmseg_video.apis import open_frames
from mmseg_video.io.writers import VideoWriter
from tests.sequences import frame, number_of, write_image


@pytest.fixture
def folder(tmp_path):
    for number in (10, 9, 100):
        write_image(tmp_path / f'frames/{number:04d}.png', frame(number))
    (tmp_path / 'frames/notes.txt').write_text('not an image')
    return tmp_path / 'frames'


def test_a_folder_in_the_order_of_its_names(folder):
    source = open_frames(str(folder))
    assert (source.length, source.fps) == (3, None)
    assert [number_of(img) for img in source] == [9, 10, 100]


def test_a_glob(folder):
    source = open_frames(str(folder / '00*.png'))
    assert [number_of(img) for img in source] == [9, 10]


def test_a_video_keeps_its_frame_rate(tmp_path):
    path = tmp_path / 'video.mp4'
    with VideoWriter(path, 12.5) as writer:
        for level in range(0, 250, 50):
            writer.write(np.full((64, 96, 3), level, np.uint8))
    source = open_frames(str(path))
    assert source.fps == 12.5
    assert source.length == 5
    frames = list(source)
    assert [f.shape for f in frames] == [(64, 96, 3)] * 5
    assert [round(f.mean() / 50) for f in frames] == list(range(5))


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"'.*none.mp4'"):
        open_frames(str(tmp_path / 'none.mp4'))
    with pytest.raises(FileNotFoundError, match='has no images'):
        open_frames(str(tmp_path))
    with pytest.raises(FileNotFoundError, match='has no images'):
        open_frames(str(tmp_path / '*.png'))


def test_a_file_that_is_no_video(tmp_path):
    path = tmp_path / 'broken.mp4'
    path.write_bytes(b'no video at all')
    with pytest.raises(OSError, match=r"'.*broken.mp4' cannot be opened"):
        open_frames(str(path))


def test_a_truncated_image_is_named(folder):
    path = folder / '0010.png'
    path.write_bytes(path.read_bytes()[:60])
    frames = iter(open_frames(str(folder)))
    assert number_of(next(frames)) == 9
    with pytest.raises(OSError, match=r"'.*0010.png'"):
        next(frames)


def test_a_truncated_image_can_be_skipped(folder):
    path = folder / '0010.png'
    path.write_bytes(path.read_bytes()[:60])
    frames = open_frames(str(folder), broken='skip')
    assert [number_of(img) for img in frames] == [9, 100]
    with pytest.raises(ValueError, match="'error' or 'skip'"):
        open_frames(str(folder), broken='ignore')


@pytest.fixture
def motion_jpeg(tmp_path):
    """12 frames, each coded by itself; number 5 is zeros."""
    path = tmp_path / 'video.avi'
    codec = cv2.VideoWriter_fourcc(*'MJPG')
    writer = cv2.VideoWriter(str(path), codec, 10, (96, 64))
    for level in range(12):
        writer.write(np.full((64, 96, 3), 20 * level, np.uint8))
    writer.release()
    data = bytearray(path.read_bytes())
    start = data.index(b'movi')
    for _ in range(6):
        start = data.index(b'00dc', start) + 8
    end = start + int.from_bytes(data[start - 4 : start], 'little')
    data[start:end] = bytes(end - start)
    path.write_bytes(data)
    return path


def test_a_broken_frame_in_a_video_is_an_error_or_skipped(motion_jpeg, logged):
    frames = iter(open_frames(motion_jpeg))
    for level in range(5):
        assert round(next(frames).mean() / 20) == level
    with pytest.raises(OSError, match='1 of its frames cannot be read, after'):
        next(frames)
    frames = open_frames(motion_jpeg, broken='skip')
    levels = [round(frame.mean() / 20) for frame in frames]
    assert levels == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]
    (said,) = logged
    assert said.endswith('cannot be read, after 5: skipped')


def test_a_video_that_ends_early_says_so(motion_jpeg, logged):
    data = motion_jpeg.read_bytes()
    motion_jpeg.write_bytes(data[: len(data) * 3 // 4])
    num_frames = len(list(open_frames(motion_jpeg)))
    assert 0 < num_frames < 12
    (said,) = logged
    assert said.endswith(f'gives no more frames after {num_frames} of 12')


@pytest.fixture
def logged(monkeypatch):
    said = []
    monkeypatch.setattr(
        'mmseg_video.io.frames.print_log', lambda text, *_: said.append(text)
    )
    return said


def test_an_address_that_does_not_answer():
    with pytest.raises(OSError, match=r"'rtsp://127\.0\.0\.1:9/x' cannot be"):
        open_frames('rtsp://127.0.0.1:9/x')


def test_a_camera_that_disappears_ends_the_frames(monkeypatch, logged):
    class Camera:
        left = 3

        def __init__(self, source):
            self.source = source

        def isOpened(self):
            return True

        def read(self):
            self.left -= 1
            return (
                (True, frame(self.left)) if self.left >= 0 else (False, None)
            )

        def get(self, _):
            return 0

        def release(self):
            pass

    monkeypatch.setattr(cv2, 'VideoCapture', Camera)
    assert len(list(open_frames(0))) == 3
    assert logged == ['camera 0 gives no more frames after 3']


def test_a_camera_that_is_not_there(monkeypatch):
    class NoCamera:
        def __init__(self, source):
            assert source == 7

        def isOpened(self):
            return False

        def release(self):
            pass

    monkeypatch.setattr(cv2, 'VideoCapture', NoCamera)
    with pytest.raises(OSError, match='camera 7 cannot be opened'):
        open_frames('7')
