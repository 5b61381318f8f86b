import numpy as np

from mmseg_video.visualization import (
    beside,
    captioned,
    colourise,
    legend,
    overlay,
)

PALETTE = [[255, 0, 0], [0, 255, 0]]


def panels(num=3):
    return [np.full((48, 64, 3), 80 * i, np.uint8) for i in range(num)]


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
