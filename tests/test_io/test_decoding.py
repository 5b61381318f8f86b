import builtins
import io
import logging
import sys
import types

import cv2
import numpy as np
import pytest
from PIL import Image

from mmseg_video.io.decoding import decode_colour, png_decoder
from tests.frames import textured


@pytest.fixture(autouse=True)
def _forget_the_decoder():
    png_decoder.cache_clear()
    yield
    png_decoder.cache_clear()


def encoded(suffix, img, *settings):
    ok, data = cv2.imencode(suffix, img, settings)
    assert ok
    return data.tobytes()


def by_opencv(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def turned():
    """Which stands upright as its EXIF data say."""
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.fromarray(textured()).save(file, 'png', exif=exif)
    return file.getvalue()


FILES = {
    'colour': encoded('.png', textured()),
    'one row': encoded('.png', textured()[:1]),
    'grey': encoded('.png', textured()[..., 0]),
    'alpha': encoded('.png', np.dstack([textured(), textured()[..., :1]])),
    '16 bit': encoded('.png', textured().astype(np.uint16) * 257),
    'jpeg': encoded('.jpg', textured()),
    'webp': encoded('.webp', textured()),
    'turned': turned(),
}


@pytest.mark.parametrize('name', FILES)
def test_pixels_are_opencvs(name):
    assert np.array_equal(decode_colour(FILES[name]), by_opencv(FILES[name]))


def test_the_fast_decoder_gives_opencvs_pixels():
    pytest.importorskip('kornia_rs')
    assert png_decoder() is not None
    rng = np.random.default_rng(0)
    for level in (0, 1, 6):
        for shape in ((64, 96, 3), (33, 7, 3), (1, 1, 3)):
            img = rng.integers(0, 256, shape, np.uint8)
            data = encoded('.png', img, cv2.IMWRITE_PNG_COMPRESSION, level)
            assert np.array_equal(decode_colour(data), img)


def test_its_colours_are_turned_round_and_what_it_refuses_is_opencvs(
    monkeypatch,
):
    data = FILES['colour']
    asked = []

    def fast(src, size, mode):
        asked.append((size, mode))
        if len(asked) > 1:
            raise ValueError('interlaced')
        return by_opencv(src)[..., ::-1].copy()

    decoder = types.SimpleNamespace(decode_image_png_u8=fast)
    monkeypatch.setitem(sys.modules, 'kornia_rs', types.ModuleType('k'))
    monkeypatch.setitem(sys.modules, 'kornia_rs.io', decoder)
    for _ in range(2):
        assert np.array_equal(decode_colour(data), by_opencv(data))
    assert asked == [((64, 96), 'rgb')] * 2
    for name in set(FILES) - {'colour', 'one row'}:
        decode_colour(FILES[name])
    assert len(asked) == 2


def test_one_line_says_that_the_decoder_is_missing(monkeypatch, caplog):
    real = builtins.__import__

    def without(name, *args):
        if name.startswith('kornia_rs'):
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, '__import__', without)
    with caplog.at_level(logging.INFO, 'mmseg_video'):
        for _ in range(3):
            decode_colour(FILES['colour'])
    (line,) = [r.message for r in caplog.records]
    assert 'mmseg-video[fast]' in line


@pytest.mark.parametrize('data', [b'', b'text', FILES['colour'][:40]])
def test_no_image(data):
    assert decode_colour(data) is None
