import cv2
import numpy as np
import pytest
from PIL import Image

from mmseg_video.visualization import (
    beside,
    captioned,
    colourise,
    legend,
    open_writer,
    overlay,
)

PALETTE = [[255, 0, 0], [0, 255, 0]]


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


@pytest.mark.parametrize('name', ['out.gif', 'out.mp4', 'out.webm', 'out'])
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


def test_colours_are_the_palette_and_ignored_pixels_black():
    label = np.array([[0, 1, 255]], np.uint8)
    drawn = colourise(label, PALETTE)  # BGR
    assert drawn.tolist() == [[[0, 0, 255], [0, 255, 0], [0, 0, 0]]]


def test_opacity_blends():
    frame = np.full((1, 2, 3), 100, np.uint8)
    label = np.array([[0, 1]], np.uint8)
    np.testing.assert_array_equal(overlay(frame, label, PALETTE, 0), frame)
    half = overlay(frame, label, PALETTE, 0.5)
    assert half[0, 0].tolist() == [50, 50, 178]


def test_panels_stand_beside_one_another():
    sheet = beside(panels())
    assert sheet.shape == (48, 3 * 64 + 2 * 4, 3)
    assert sheet[0, 68 + 10].tolist() == [80] * 3
    assert beside(panels(), columns=2).shape == (48 * 2 + 4, 64 * 2 + 4, 3)


def test_captions_and_legends_fit_the_width():
    assert captioned(panels()[0], 'frame').shape[1] == 64
    names = [f'class {i}' for i in range(19)]
    strip = legend(names, PALETTE * 9 + PALETTE[:1], 200)
    assert strip.shape[1] == 200
    assert (strip == [0, 0, 255]).all(-1).any()  # BGR of the first colour
