import fractions
import sys

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from mmseg_video.io import videos
from mmseg_video.io.frames import open_frames
from mmseg_video.io.images import check_frame_file, read_image
from mmseg_video.io.videos import open_video
from mmseg_video.io.writers import VideoWriter
from tests.commands import call
from tests.sequences import frame, number_of, write_image


@pytest.fixture
def logged(caplog):
    """What is said, when it is asked for."""
    # FFmpeg may talk too, as older releases of PyAV let it.
    return lambda: [
        record.getMessage()
        for record in caplog.records
        if record.name == 'mmseg_video'
    ]


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


def test_numbers_are_sorted_by_their_value(tmp_path):
    for number in (10, 9, 100, 1):
        write_image(tmp_path / f'frame{number}.png', frame(number))
    frames = open_frames(tmp_path)
    assert [number_of(img) for img in frames] == [1, 9, 10, 100]
    frames = open_frames(f'{tmp_path}/frame*.png')
    assert [number_of(img) for img in frames] == [1, 9, 10, 100]


def test_suffixes_in_capitals_are_images_and_hidden_files_are_not(tmp_path):
    (tmp_path / '.cache').mkdir()
    folder = tmp_path / '.cache'  # a hidden folder may be asked for
    for number, suffix in enumerate(('JPG', 'Png', 'jpeg', 'BMP')):
        write_image(folder / f'{number}.{suffix}', frame(number))
    (folder / '._0.JPG').write_bytes(b'AppleDouble')
    (folder / '.5.png').write_bytes(b'hidden')
    assert open_frames(folder).length == 4
    assert len(list(open_frames(folder))) == 4
    assert open_frames(f'{folder}/*').length == 4
    assert open_frames(f'{folder}/*.JPG').length == 1


def test_a_folder_of_digits_is_no_camera(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    folder.rename('0001')
    assert open_frames('0001').length == 3


def test_an_image_alone_is_one_frame(folder):
    source = open_frames(folder / '0010.png')
    assert source.length == 1
    assert [number_of(img) for img in source] == [10]


@pytest.mark.parametrize('suffix', ['webp', 'png', 'tif'])
def test_an_image_of_several_frames_is_a_video(suffix, tmp_path):
    path = tmp_path / f'in.{suffix}'
    first, *others = (Image.fromarray(frame(i)) for i in range(3))
    options = dict(lossless=True) if suffix == 'webp' else {}
    first.save(
        path, save_all=True, append_images=others, duration=40, **options
    )
    source = open_frames(path)
    assert source.length == 3
    found, times = zip(*source.timed, strict=True)
    for i, got in enumerate(found):
        np.testing.assert_array_equal(got, frame(i)[..., ::-1])
    timed = suffix != 'tif'
    assert (
        list(times) == pytest.approx([0, 0.04, 0.08])
        if timed
        else (times == (None,) * 3)
    )
    # Alone it is one frame.
    first.save(path)
    assert len(list(open_frames(path))) == 1


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


def encode(path, codec, times, size=(64, 96), pixel_format='yuv420p'):
    """A video whose frames get brighter by 20, shown at these 1/30 s."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=30)
        stream.height, stream.width = size
        stream.pix_fmt = pixel_format
        stream.codec_context.time_base = fractions.Fraction(1, 30)
        for i, time in enumerate(times):
            pixels = np.full((*size, 3), 20 * (i % 12), np.uint8)
            picture = av.VideoFrame.from_ndarray(pixels, format='bgr24')
            picture = picture.reformat(format=pixel_format)
            picture.pts = time
            picture.time_base = stream.codec_context.time_base
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def levels(source):
    return [round(frame.mean() / 20) for frame in source]


@pytest.mark.parametrize(
    ('name', 'codec', 'pixel_format'),
    [
        ('a.mp4', 'libx264', 'yuv444p'),
        ('a.mp4', 'libx264', 'yuv420p10le'),
        ('a.mkv', 'ffv1', 'gray'),
        ('a.mkv', 'ffv1', 'bgra'),
        ('a.webm', 'libvpx-vp9', 'yuv420p'),
        ('a.gif', 'gif', 'bgr8'),
        ('a.avi', 'mjpeg', 'yuvj420p'),
    ],
)
def test_videos_of_every_kind(tmp_path, logged, name, codec, pixel_format):
    size = (63, 95) if pixel_format in ('yuv444p', 'gray') else (64, 96)
    path = encode(tmp_path / name, codec, range(8), size, pixel_format)
    source = open_frames(path)
    assert source.length == 8
    frames = list(source)
    assert {f.shape for f in frames} == {(*size, 3)}
    assert levels(frames) == list(range(8)) or codec == 'gif'
    assert not logged()


@pytest.mark.skipif(
    not {'libaom-av1', 'libsvtav1'} & set(av.codecs_available),
    reason='no encoder of AV1',
)
def test_av1(tmp_path):
    codec = ({'libaom-av1', 'libsvtav1'} & set(av.codecs_available)).pop()
    source = open_frames(encode(tmp_path / 'a.mp4', codec, range(8)))
    assert levels(source) == list(range(8))


def test_frames_of_a_variable_rate_have_their_times(tmp_path):
    times = [0, 1, 2, 3, 9, 15, 21]
    source = open_frames(encode(tmp_path / 'a.mp4', 'libx264', times))
    got = [time for _, time in source.timed]
    np.testing.assert_allclose(got, np.array(times) / 30, atol=1e-3)


def test_a_phone_held_upright(tmp_path):
    """Its frames lie on their side, and the file's matrix says so."""
    path = tmp_path / 'a.mp4'
    with VideoWriter(path, 10) as writer:
        picture = np.zeros((64, 96, 3), np.uint8)
        picture[:32] = 255  # the upper half
        writer.write(picture)

    def matrix(a, b, c, d):
        return b''.join(
            (v % 2**32).to_bytes(4, 'big')
            for v in (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
        )

    data = path.read_bytes()
    place = data.index(matrix(1, 0, 0, 1), data.index(b'tkhd'))
    quarter = matrix(0, 1, -1, 0)  # clockwise
    path.write_bytes(data[:place] + quarter + data[place + len(quarter) :])
    (frame,) = open_frames(path)
    assert frame.shape == (96, 64, 3)
    assert frame[:, 40:].min() > 240  # the right half
    assert frame[:, :24].max() < 15


def test_a_file_without_a_video_stream_says_so(tmp_path):
    path = tmp_path / 'sound.mp4'
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('aac', rate=44100)
        silence = np.zeros((1, 44100), np.float32)
        sound = av.AudioFrame.from_ndarray(silence, 'fltp', 'mono')
        sound.rate = 44100
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    with pytest.raises(OSError, match='it has no video stream, only audio'):
        open_frames(path)


def test_a_codec_that_nobody_knows(tmp_path):
    path = encode(tmp_path / 'a.mp4', 'libx264', range(3))
    path.write_bytes(path.read_bytes().replace(b'avc1', b'zzz9'))
    with pytest.raises(OSError, match='no decoder for its codec'):
        open_frames(path)


def test_a_video_without_its_index(tmp_path):
    path = encode(tmp_path / 'a.mp4', 'libx264', range(30))
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b'moov') - 4])
    with pytest.raises(OSError, match='breaks off before its index'):
        open_frames(path)


def test_frames_that_a_container_counts_but_never_shows(tmp_path, logged):
    """Before time 0, as a cut video has them: nothing of it is missing."""
    path = encode(tmp_path / 'a.mp4', 'mpeg4', range(-4, 12))
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames == 16
    assert len(list(open_frames(path))) == 12
    assert logged() == []


def test_a_header_that_claims_too_much_does_not_hold_up(motion_jpeg, logged):
    data = bytearray(motion_jpeg.read_bytes())
    for place in (data.index(b'avih') + 24, data.index(b'strh') + 40):
        data[place : place + 4] = (5_000_000).to_bytes(4, 'little')
    motion_jpeg.write_bytes(data)
    assert len(list(open_frames(motion_jpeg, broken='skip'))) == 11
    assert logged()[-1].endswith('no more frames after 12 of 5000000')


def test_first_frames_resized(tmp_path):
    path = encode(tmp_path / 'a.mp4', 'libx264', range(8))
    source = open_frames(path).reduced(5, (32, 48))
    assert (source.length, source.fps) == (5, 30)
    frames = list(source)
    assert [frame.shape for frame in frames] == [(32, 48, 3)] * 5
    assert levels(frames) == list(range(5))
    assert open_frames(path).reduced(20).length == 8


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


def test_users_see_what_is_skipped(folder):
    path = folder / '0010.png'
    path.write_bytes(path.read_bytes()[:60])
    code = (
        'from mmseg_video.io.frames import open_frames; '
        f"print(len(list(open_frames({str(folder)!r}, 'skip'))))"
    )
    status, output = call(sys.executable, '-c', code)
    assert status == 0
    said, number = sorted(output.splitlines(), key=len, reverse=True)
    assert number == '2'
    assert '0010.png' in said
    assert said.endswith('copy it again: skipped')


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
    (said,) = logged()
    assert said.endswith('cannot be read, after 5: skipped')


def test_a_video_that_ends_early_says_so(motion_jpeg, logged):
    data = motion_jpeg.read_bytes()
    motion_jpeg.write_bytes(data[: len(data) * 3 // 4])
    num_frames = len(list(open_frames(motion_jpeg, broken='skip')))
    assert 0 < num_frames < 12
    (said,) = logged()
    assert said.endswith(f'gives no more frames after {num_frames} of 12')
    given = []
    with pytest.raises(OSError, match=f'breaks off after {num_frames} of 12'):
        given.extend(1 for _ in open_frames(motion_jpeg))
    frames = iter(open_frames(motion_jpeg))  # and gives what is there
    assert len([next(frames) for _ in range(num_frames)]) == num_frames


def deep(image):
    return image.astype(np.uint16) * 257


ODD = {
    '16-bit colour': deep,
    '8-bit grey': lambda frame: frame[..., 0],
    '16-bit grey': lambda frame: deep(frame[..., 0]),
    '8-bit RGBA': lambda frame: np.dstack([frame, frame[..., :1]]),
    '16-bit RGBA': lambda frame: deep(np.dstack([frame, frame[..., :1]])),
}


@pytest.mark.parametrize('suffix', ['.png', '.jpg', '.bmp', '.webp', '.tif'])
@pytest.mark.parametrize('kind', ['8-bit colour', *ODD])
def test_frames_of_all_kinds_are_read_and_none_learned_from(
    kind, suffix, tmp_path, logged
):
    # No alpha of 0, where WebP leaves the colours out.
    frame = np.random.default_rng(0).integers(1, 256, (16, 24, 3), np.uint8)
    odd = ODD.get(kind, np.copy)(frame)
    path = tmp_path / f'frame{suffix}'
    lossless = [cv2.IMWRITE_WEBP_QUALITY, 101] * (suffix == '.webp')
    assert cv2.imwrite(str(path), odd, lossless)
    stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if (stored.shape, stored.dtype) != (odd.shape, odd.dtype):
        pytest.skip('the format has none of these')
    if 'grey' in kind:
        frame = np.dstack([frame[..., 0]] * 3)
    read = [read_image(path) for _ in range(2)][1]
    assert read.shape == frame.shape
    assert read.dtype == np.uint8
    if suffix != '.jpg':
        np.testing.assert_array_equal(read, frame)
    assert len(logged()) == ('16-bit' in kind)  # once
    if kind == '8-bit colour':
        check_frame_file(path)
        return
    with pytest.raises(ValueError, match=kind.split()[-1]) as error:
        check_frame_file(path)
    assert f"'{path}'" in str(error.value)
    if kind == '8-bit grey':
        check_frame_file(path, grey=True)


def test_palettes_alpha_cmyk_and_two_levels_have_their_colours(tmp_path):
    rng = np.random.default_rng(0)
    frame = rng.integers(1, 256, (16, 24, 3), np.uint8)
    colours = Image.fromarray(frame)
    grey = colours.convert('L')
    alpha = Image.fromarray(rng.integers(1, 256, (16, 24), np.uint8))
    palette, two = colours.quantize(16), grey.convert('1')
    images = {
        'palette.png': palette,
        'palette.tif': palette,
        'two.png': two,
        'two.tif': two,
        'grey and alpha.png': Image.merge('LA', (grey, alpha)),
        'alpha.tif': Image.merge('RGBA', (*colours.split(), alpha)),
        'cmyk.tif': colours.convert('CMYK'),
    }
    right = {'grey and alpha.png': grey, 'alpha.tif': colours}
    for name, image in images.items():
        image.save(tmp_path / name)
        expected = right.get(name, image).convert('RGB')
        read = read_image(tmp_path / name)[..., ::-1]
        np.testing.assert_array_equal(read, expected, name)


@pytest.mark.parametrize('kind', ['float32', 'int32'])
def test_levels_without_a_white_are_refused(kind, tmp_path):
    path = tmp_path / 'frame.tif'
    Image.fromarray(np.ones((16, 24), kind)).save(path)
    with pytest.raises(ValueError, match=f'pixels of {kind}'):
        read_image(path)


def test_pages_of_16_bits(tmp_path, logged):
    levels = np.arange(384, dtype=np.uint16).reshape(16, 24) * 170
    pages = [Image.fromarray(page) for page in (levels, levels.T.copy().T)]
    path = tmp_path / 'pages.tif'
    pages[0].save(path, save_all=True, append_images=pages[1:])
    first, second = open_frames(path)
    np.testing.assert_array_equal(first, second)
    expected = np.round(levels / 257).astype(np.uint8)
    np.testing.assert_array_equal(first, np.dstack([expected] * 3))
    assert len(logged()) == 1


def test_an_address_that_does_not_answer():
    with pytest.raises(OSError, match=r"'rtsp://127\.0\.0\.1:9/x' cannot be"):
        open_frames('rtsp://127.0.0.1:9/x')


def test_no_camera_is_one_sentence(capfd):
    with pytest.raises(OSError, match='camera 99 cannot be opened: no such'):
        open_frames(99)
    assert capfd.readouterr() == ('', '')


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
    assert logged() == ['camera 0 gives no more frames after 3']


@pytest.mark.parametrize(
    ('source', 'told', 'expected'),
    [
        (0, [9, 18, 27, 36], [0, 2, 3, 5]),  # when they came
        ('rtsp://x', [500, 600, 900, 950], [0, 0.1, 0.4, 0.45]),
        ('rtsp://x', [0, 0, 0, 0], [0, 2, 3, 5]),
        ('rtsp://x', [0, 2500, 100, 200], [0, 2.5, 3, 5]),
    ],
)
def test_frames_of_cameras_have_their_times(
    source, told, expected, monkeypatch
):
    came = iter([7, 9, 10, 12, 13])

    class Camera:
        count = -1

        def __init__(self, source):
            pass

        def isOpened(self):
            return True

        def read(self):
            self.count += 1
            return self.count < 4, frame(0) if self.count < 4 else None

        def get(self, name):
            milliseconds = [*told, 0][self.count]
            return milliseconds if name == cv2.CAP_PROP_POS_MSEC else 30

        def release(self):
            pass

    monkeypatch.setattr(cv2, 'VideoCapture', Camera)
    monkeypatch.setattr(
        'mmseg_video.io.cameras.time.monotonic', lambda: next(came)
    )
    times = [time for _, time in open_frames(source).timed]
    assert times == pytest.approx(expected)


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


def test_a_start_is_sought_not_decoded(tmp_path, monkeypatch):
    path = tmp_path / 'in.mp4'
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', 10, {'g': '8', 'crf': '1'})
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        for i in range(40):
            pixels = np.full((48, 64, 3), 6 * i, np.uint8)
            picture = av.VideoFrame.from_ndarray(pixels, format='bgr24')
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    decoded = []
    pixels_of = videos._pixels
    monkeypatch.setattr(
        videos, '_pixels', lambda f: decoded.append(1) or pixels_of(f)
    )
    for start, first in ((2.5, 25), (0.3, 3), (3.9, 39)):
        decoded.clear()
        got = list(open_frames(path).reduced(start=start).timed)
        assert [round(10 * time) for _, time in got] == list(range(first, 40))
        levels = [frame.mean() / 6 for frame, _ in got]
        np.testing.assert_allclose(levels, range(first, 40), atol=0.8)
        # From the key frame before, every 8th, not from the beginning.
        assert len(decoded) == 40 - first // 8 * 8
    assert list(open_frames(path).reduced(start=1e6)) == []


def raw_h264(path, width, height, frames):
    with av.open(str(path), 'w', format='h264') as container:
        stream = container.add_stream('libx264', rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, 'yuv420p'
        for i in range(frames):
            img = np.full((height, width, 3), 20 * i, np.uint8)
            frame = av.VideoFrame.from_ndarray(img, format='bgr24')
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path.read_bytes()


def test_a_large_frame_behind_small_ones_is_not_decoded(tmp_path):
    """A limit that looks at the first frame alone can be passed by."""
    small = raw_h264(tmp_path / 'small.h264', 64, 48, 12)
    large = raw_h264(tmp_path / 'large.h264', 640, 480, 4)
    path = tmp_path / 'both.h264'
    path.write_bytes(small + large)
    assert max(f.shape for f in open_video(path, 'skip'))[0] == 480
    frames = list(open_video(path, 'skip', max_pixels=10_000))
    # Of those in the decoder's threads, some may go with the large ones.
    assert 6 <= len(frames) <= 12
    assert {frame.shape for frame in frames} == {(48, 64, 3)}
    with pytest.raises(OSError, match='cannot be read, after'):
        list(open_video(path, max_pixels=10_000))
