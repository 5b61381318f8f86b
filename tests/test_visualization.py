import cv2
import numpy as np
import pytest

from mmseg_video.io.frames import open_frames
from mmseg_video.visualization import (
    beside,
    captioned,
    colourise,
    legend,
    overlay,
)
from mmseg_video.visualization.encoding import animated, encoded
from mmseg_video.visualization.figures import (
    bar_chart,
    line_chart,
    picture_grid,
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


@pytest.fixture
def named():
    """Where a legend of 20 classes names each in turn: a row, or None."""
    names = [f'class {i}' for i in range(20)]
    palette = [[10 * i + 40, 0, 0] for i in range(20)]
    legend = PresentLegend(names, palette)

    def rows(*classes, width=64):
        picture = np.zeros((48, width, 3), np.uint8)
        strip = legend.below(picture, np.array([classes], np.uint8))[48:]
        there = [(strip == [0, 0, colour[0]]).all(-1) for colour in palette]
        return [
            int(np.flatnonzero(mask.any(1))[0]) if mask.any() else None
            for mask in there
        ]

    return rows


def test_a_legend_keeps_places_and_drops_the_one_seen_longest_ago(named):
    first = named(3)  # a column of 16 places
    assert [place is not None for place in first].index(True) == 3
    both = named(3, 5)
    assert both[3] == first[3] < both[5]
    assert named(5)[3] is None  # dimmed
    assert named(3, 5, 255)[3] == first[3]
    named(5, *range(6, 20))
    last = named(0)
    assert last[0] == first[3]  # 3 was seen longest ago


def test_a_narrow_legend_names_the_classes_of_a_street(named):
    """Of Cityscapes' up to 15 are in a frame of 128x256."""
    assert None not in named(*range(16), width=256)[:16]
    largest = [i for i in range(20) for _ in range(i + 1)]
    assert None not in named(*largest)[4:]  # on 64 pixels, of all 20


def test_a_picture_as_bytes():
    picture = panels()[1]
    decoded = cv2.imdecode(np.frombuffer(encoded(picture), np.uint8), 1)
    np.testing.assert_array_equal(decoded, picture)
    assert encoded(picture, 'jpeg')[:2] == b'\xff\xd8'
    with pytest.raises(ValueError, match="'png' or 'jpeg', got 'gif'"):
        encoded(picture, 'gif')


def test_a_gif_as_bytes(tmp_path):
    path = tmp_path / 'a.gif'
    path.write_bytes(animated(panels(), fps=10))
    frames = list(open_frames(path))
    assert [int(frame.mean()) for frame in frames] == [0, 80, 160]


def test_rows_of_pictures_and_maps():
    rate = np.linspace(0, 1, 48 * 64).reshape(48, 64)
    figure = picture_grid(
        {'frame': panels(2), 'share': [None, rate]},
        ['t-1', 't'],
        {'road': (128, 64, 128)},
    )
    *grid, bar = figure.axes  # one colour bar, of the row of maps
    assert len(grid) == 4
    assert bar.get_ylim() == (0, 1)
    assert [a.get_title() for a in grid[:2]] == ['t-1', 't']
    assert encoded(figure)[1:4] == b'PNG'
    with pytest.raises(ValueError, match=r'rows have \[1, 2\] panels'):
        picture_grid({'a': panels(1), 'b': panels(2)})


def test_bars_and_lines_show_the_values():
    series = {'net': {'road': 80.0, 'car': 40.0}, 'ours': {'road': 90.0}}
    series['ours']['car'] = float('nan')
    axis = bar_chart(series, 'IoU (%)').axes[0]
    heights = [bar.get_height() for bar in axis.patches]
    np.testing.assert_array_equal(heights, [80, 40, 90, np.nan])
    axis = line_chart({'net': [1.0, 2.0]}, 'flicker (%)', {1}).axes[0]
    assert list(axis.lines[0].get_ydata()) == [1, 2]
    assert len(axis.patches) == 1  # the frame that is shaded
