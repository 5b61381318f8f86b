import numpy as np

from mmseg_video.visualization import (
    beside,
    captioned,
    colourise,
    legend,
    overlay,
)
from mmseg_video.visualization.present_legend import PresentLegend

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


def test_a_legend_keeps_places_and_drops_the_one_seen_longest_ago():
    names = [f'class {i}' for i in range(8)]
    palette = [[30 * i + 40, 0, 0] for i in range(8)]
    legend = PresentLegend(names, palette)
    picture = panels(1)[0]

    def shown(*classes):
        strip = legend.below(picture, np.array([classes], np.uint8))[48:]
        return [
            int(np.flatnonzero((strip == [0, 0, palette[i][0]]).all(-1))[0])
            if (strip == [0, 0, palette[i][0]]).all(-1).any()
            else None
            for i in range(8)
        ]

    first = shown(3)  # a column of three places
    assert [place is not None for place in first].index(True) == 3
    both = shown(3, 5)
    assert both[3] == first[3] < both[5]
    assert shown(5)[3] is None  # dimmed
    assert shown(3, 5, 255)[3] == first[3]
    shown(5, 1)
    last = shown(7)
    assert last[7] == first[3]  # 3 was seen longest ago
