"""One video, and all that can be asked of it."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image

from mmseg_video.apis.run import Drawing, Excerpt, Targets, Way, run_video
from mmseg_video.apis.run.video import UnfinishedError
from mmseg_video.io.frames import open_frames
from tests.bright import (
    CLASSES,
    PALETTE,
    brightness,
    levels,
    model,
    write_video,
)
from tests.sequences import write_image


@pytest.fixture(scope='module')
def net():
    return model()


@pytest.fixture
def video(tmp_path):
    times = [0, 0.1, 0.2, 0.5, 0.9]
    return write_video(tmp_path / 'in.mp4', levels(0, 0, 128, 255, 255), times)


def read_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_everything_that_can_be_asked_for(video, net, tmp_path):
    targets = Targets(
        tmp_path / 'out.mp4',
        tmp_path / 'labels',
        tmp_path / 'out.ndjson',
        tmp_path / 'heat.png',
    )
    run = run_video(video, net, targets, drawing=Drawing('labels'))
    assert (run.frames, run.interrupted) == (5, False)
    drawn = list(open_frames(targets.out).timed)
    assert [round(time, 3) for _, time in drawn] == [0, 0.1, 0.2, 0.5, 0.9]
    for (picture, _), i in zip(drawn, (0, 0, 1, 2, 2), strict=True):
        difference = picture[20, 30].astype(int) - PALETTE[i][::-1]
        assert np.abs(difference).max() < 12
    maps = sorted(p.name for p in targets.labels.glob('*.png'))
    assert maps == [f'00000{i}.png' for i in range(5)]
    for i, name in zip((0, 0, 1, 2, 2), maps, strict=True):
        label = Image.open(targets.labels / name)
        assert (np.asarray(label) == i).all()
        assert label.size == (64, 48)
        # As Pascal VOC's, it is in colours to whoever looks at it.
        assert label.convert('RGB').getpixel((3, 3)) == tuple(PALETTE[i])
    assert json.loads((targets.labels / 'classes.json').read_text()) == [
        dict(id=i, name=name, color=colour)
        for i, (name, colour) in enumerate(zip(CLASSES, PALETTE, strict=True))
    ]
    cvat = (targets.labels / 'labelmap.txt').read_text().splitlines()
    assert cvat[1] == 'dark:10,20,30::'
    lines = read_lines(targets.json)
    assert [line['frame'] for line in lines] == list(range(5))
    assert [round(line['time'], 3) for line in lines] == [
        *(0, 0.1, 0.2, 0.5, 0.9)
    ]
    shares = [{'dark': 1.0}] * 2 + [{'grey': 1.0}] + [{'bright': 1.0}] * 2
    assert [line['classes'] for line in lines] == shares
    assert [line['changed'] for line in lines] == [None, 0, 1, 1, 0]
    assert [line['flicker'] for line in lines] == [None, 0, 1, 1, 0]
    assert all(line['full'] and line['ms'] > 0 for line in lines)
    heat = cv2.imread(str(targets.heat_map))
    assert heat.shape == (48 + 28, 64, 3)


def test_a_heat_map_is_bright_where_predictions_change(net, tmp_path):
    frames = levels(0, 0, 0, 0)
    for frame in frames[1::2]:
        frame[8:24, 8:24] = 255
    video = write_video(tmp_path / 'in', frames)
    run_video(video, net, Targets(heat_map=tmp_path / 'heat.png'))
    heat = cv2.imread(str(tmp_path / 'heat.png')).astype(int).sum(-1)
    assert heat[16, 16] > 400
    assert heat[40, 50] < 60


@pytest.mark.parametrize('size', [(48, 64), (1, 1), (3, 200)])
def test_a_source_of_one_frame_or_of_few_pixels(size, tmp_path):
    """All outputs are there, whatever it is."""
    for num in (1, 3):
        folder = tmp_path / f'{num}'
        for i in range(num):
            write_image(folder / f'in/{i}.png', levels(9 * i, size=size)[0])
        targets = Targets(
            *(folder / 'out.mp4', folder / 'labels', folder / 'lines'),
            folder / 'map.png',
        )
        run = run_video(folder / 'in', model(filter='flow'), targets)
        assert run.frames == num
        assert all(path.exists() for path in targets.paths.values())
        assert Image.open(folder / 'labels/0.png').size == size[::-1]


def test_heat_maps_of_two_models_have_one_scale(net, tmp_path):
    """The first one's predictions change in all frames, the other's in half
    of them."""
    frames = levels(*[0, 255] * 4)
    for i, frame in enumerate(frames):
        frame[:, 32:] = 255 * (i // 2 % 2)

    def half(images):
        return brightness(images[..., 32:].repeat(1, 1, 1, 2))

    path = tmp_path / 'heat.png'
    video = write_video(tmp_path / 'in', frames)
    models = dict(ours=net, baseline=model(half))
    run_video(video, models, Targets(heat_map=path))
    heat = cv2.imread(str(path)).astype(int).sum(-1)
    caption = heat.shape[0] - 48 - 28
    assert heat.shape[1] == 2 * 64 + 4
    ours, other = (heat[caption + 24, x] for x in (16, 68 + 16))
    assert ours > 1.3 * other > 100


def test_a_legend_names_what_is_there(video, net, tmp_path):
    drawing = Drawing('labels', legend=True)
    run_video(video, net, Targets(tmp_path / 'out'), drawing=drawing)
    pictures = [
        cv2.imread(str(path)) for path in sorted(tmp_path.glob('out/*.png'))
    ]
    assert {p.shape[1] for p in pictures} == {64}
    assert len({p.shape for p in pictures}) == 1
    strips = [picture[48:] for picture in pictures]
    for strip, seen in zip(strips, (0, 0, 1, 2, 2), strict=True):
        for i, colour in enumerate(PALETTE):
            there = (strip == colour[::-1]).all(-1).any()
            assert there == (i == seen), (i, seen)


def test_label_maps_have_the_names_of_the_frames(net, tmp_path):
    for name, frame in zip(('b_7', 'b_12'), levels(0, 255), strict=True):
        write_image(tmp_path / f'frames/{name}.png', frame)
    targets = Targets(labels=tmp_path / 'out', json=tmp_path / 'o.ndjson')
    run_video(tmp_path / 'frames', net, targets)
    assert {p.name for p in (tmp_path / 'out').glob('*.png')} == {
        'b_7.png',
        'b_12.png',
    }
    assert cv2.imread(str(tmp_path / 'out/b_7.png')).max() == 30
    assert [line['name'] for line in read_lines(targets.json)] == [
        'b_7',
        'b_12',
    ]


@pytest.mark.parametrize(
    ('excerpt', 'kept'),
    [
        (dict(start=0.3), [3, 4, 5, 6, 7, 8, 9]),
        (dict(end=0.25), [0, 1, 2]),
        (dict(start=0.2, end=0.8, stride=2), [2, 4, 6]),
        (dict(stride=4, max_frames=2), [0, 4]),
    ],
)
@pytest.mark.parametrize('name', ['in.mp4', 'in'])
def test_a_part_of_the_frames(excerpt, kept, name, net, tmp_path):
    values = [25 * i for i in range(10)]
    source = write_video(tmp_path / name, levels(*values))
    targets = Targets(json=tmp_path / 'o', labels=tmp_path / 'labels')
    run = run_video(source, net, targets, Excerpt(**excerpt))
    assert run.frames == len(kept)
    lines = read_lines(tmp_path / 'o')
    # Numbers are those of the source.
    assert [line['frame'] for line in lines] == kept
    maps = sorted(p.stem for p in targets.labels.glob('*.png'))
    assert maps == [f'{number:06d}' for number in kept]
    if name == 'in':
        assert [int(line['name']) for line in lines] == kept
    else:
        times = [round(10 * line['time']) for line in lines]
        assert times == kept
    source = Excerpt(**excerpt).open(source)
    assert source.length == len(kept)
    assert source.fps in (None, 10 / excerpt.get('stride', 1))


def test_an_excerpt_without_frames(video, net, tmp_path):
    with pytest.raises(ValueError, match='has no frames to run between'):
        run_video(
            *(video, net, Targets(tmp_path / 'out.mp4')), Excerpt(start=9)
        )
    with pytest.raises(ValueError, match='not behind the start'):
        Excerpt(start=9, end=3)
    assert not (tmp_path / 'out.mp4').exists()


def test_ctrl_c_before_the_first_frame(video, net, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt
        yield

    results = 'mmseg_video.apis.run.video.frame_results'
    monkeypatch.setattr(results, interrupted)
    with pytest.raises(KeyboardInterrupt, match='before the first frame'):
        run_video(video, net, Targets(tmp_path / 'out.mp4'))
    assert [path.name for path in tmp_path.iterdir()] == ['in.mp4']


def fails_at_brightness_200(frames):
    if frames.mean() > 200:
        raise RuntimeError('the third frame is too much')
    return brightness(frames)


@pytest.mark.parametrize('name', ['out.mp4', 'out'])
def test_what_was_done_before_a_frame_that_fails_is_kept(
    name, video, tmp_path
):
    targets = Targets(
        tmp_path / name, tmp_path / 'labels', tmp_path / 'o.ndjson'
    )
    with pytest.raises(UnfinishedError, match=r'too much.*The 3 frames bef'):
        run_video(video, model(fails_at_brightness_200), targets)
    assert len(list(open_frames(targets.out))) == 3
    assert len(list(targets.labels.glob('*.png'))) == 3
    assert len(read_lines(targets.json)) == 3
    assert {p.name for p in tmp_path.iterdir()} == {
        *('in.mp4', name, 'labels', 'o.ndjson')
    }


def test_nothing_is_left_where_the_first_frame_fails(tmp_path):
    source = write_video(tmp_path / 'in', levels(255))
    targets = Targets(
        *(
            tmp_path / 'a.gif',
            tmp_path / 'b',
            tmp_path / 'c',
            tmp_path / 'd.png',
        )
    )
    with pytest.raises(ValueError, match='too much'):
        run_video(source, model(fails_at_brightness_200), targets)
    assert [p.name for p in tmp_path.iterdir()] == ['in']


def test_propagated_frames_are_told_from_full_ones(video, tmp_path):
    net = model(filter='place', every=2)
    run_video(video, net, Targets(json=tmp_path / 'o'))
    full = [line['full'] for line in read_lines(tmp_path / 'o')]
    assert full == [True, False, True, False, True]


@pytest.mark.parametrize('way', [Way(2), Way('offline'), Way(live=True)])
def test_every_way_answers_every_frame_in_order(way, video, tmp_path):
    run_video(
        video, model(filter='place'), Targets(tmp_path / 'out.mp4'), way=way
    )
    times = [time for _, time in open_frames(tmp_path / 'out.mp4').timed]
    np.testing.assert_allclose(times, [0, 0.1, 0.2, 0.5, 0.9], atol=1e-3)


def test_two_models_are_drawn_beside_each_other(video, net, tmp_path):
    run_video(
        *(video, dict(one=net, two=net), Targets(tmp_path / 'out.mp4')),
        drawing=Drawing('beside', panel_width=100),
    )
    picture = next(iter(open_frames(tmp_path / 'out.mp4')))
    assert picture.shape[1] == 3 * 100 + 2 * 4


def test_targets_are_refused_before_the_work(video, tmp_path, monkeypatch):
    (tmp_path / 'full').mkdir()
    (tmp_path / 'full/mine').touch()
    (tmp_path / 'a.png').mkdir()
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    before = video.read_bytes()
    for targets, error, sentence in (
        (Targets(), ValueError, 'nothing is to be written'),
        (Targets(video), ValueError, 'is the input too'),
        (Targets(json=video), ValueError, 'is the input too'),
        (Targets(tmp_path / 'o.avi'), ValueError, 'name a .gif'),
        (Targets(tmp_path / 'full'), FileExistsError, 'is not empty'),
        (Targets(labels=tmp_path / 'full'), FileExistsError, 'not empty'),
        (Targets(labels=video.parent / 'full/mine'), OSError, 'is a file'),
        (Targets(video / 'a.mp4'), OSError, "in.mp4' is a file, where"),
        (Targets(json=video / 'a/b'), OSError, "in.mp4' is a file, where"),
        (Targets('/proc/a/b.mp4'), OSError, "can be made in '/proc'"),
        (Targets(heat_map=tmp_path / 'a.jpg'), ValueError, 'name a .png'),
        (Targets(heat_map=tmp_path / 'a.png'), OSError, 'name a file'),
        (Targets(json=tmp_path / 'full'), OSError, 'name a file'),
        (Targets(json=tmp_path / 'a.json'), ValueError, 'name an .ndjson'),
        (Targets(tmp_path / 'a', tmp_path / 'a'), ValueError, 'both to be'),
        (Targets(show=True), RuntimeError, 'there is no display'),
    ):
        with pytest.raises(error, match=sentence):
            targets.check(video)
    assert video.read_bytes() == before


def test_the_source_may_change_its_size_for_label_maps(net, tmp_path):
    for i, width in enumerate((64, 64, 32)):
        frame = levels(0, size=(48, width))[0]
        write_image(tmp_path / f'frames/{i}.png', frame)
    targets = Targets(labels=tmp_path / 'a', json=tmp_path / 'b')
    assert run_video(tmp_path / 'frames', net, targets).frames == 3
    assert Image.open(tmp_path / 'a/2.png').size == (32, 48)
    assert read_lines(tmp_path / 'b')[2]['flicker'] is None
    targets = Targets(tmp_path / 'out.mp4')
    with pytest.raises(UnfinishedError, match=r'one size. The 2 frames'):
        run_video(tmp_path / 'frames', net, targets)
    assert len(list(open_frames(targets.out))) == 2


class Screen:
    """A window whose user has seen enough after two frames."""

    def __init__(self):
        self.shown = []

    def imshow(self, title, picture):
        self.shown.append(picture)

    def waitKey(self, _):
        return ord('q') if len(self.shown) == 2 else -1


@pytest.mark.parametrize('closed', [False, True])
def test_a_window_until_its_user_has_seen_enough(
    closed, video, net, tmp_path, monkeypatch
):
    screen = Screen()
    if closed:
        screen.waitKey = lambda _: -1
    monkeypatch.setattr(
        cv2,
        'getWindowProperty',
        lambda *_: float(not closed or len(screen.shown) < 2),
    )
    monkeypatch.setattr('mmseg_video.io.windows.check_display', lambda: None)
    monkeypatch.setattr(
        'mmseg_video.apis.run.outputs.check_display', lambda: None
    )
    for name in ('imshow', 'waitKey'):
        monkeypatch.setattr(cv2, name, getattr(screen, name))
    monkeypatch.setattr(cv2, 'destroyAllWindows', lambda: None)
    targets = Targets(json=tmp_path / 'o', show=True)
    run = run_video(video, net, targets)
    assert run.interrupted
    assert run.frames == len(screen.shown) == 2
    assert len(read_lines(tmp_path / 'o')) == 2


@pytest.mark.parametrize('way', [Way(), Way(1)])
def test_snippets_of_cityscapes_in_one_folder_are_apart(way, tmp_path):
    # The last of three frames has no past where a snippet begins.
    for names, expected in (
        (('a_000000_000007', 'a_000000_000008', 'a_000000_000100'), 'grey'),
        (('b_000000_000007', 'b_000000_000008', 'b_000000_000009'), 'dark'),
    ):
        folder = tmp_path / names[0]
        for name, image in zip(names, levels(0, 0, 105), strict=True):
            write_image(folder / f'{name}_leftImg8bit.png', image)
        lines = tmp_path / f'{names[0]}.ndjson'
        targets = Targets(json=lines)
        run_video(folder, model(filter='place'), targets, way=way)
        last = read_lines(lines)[-1]
        if way.lag is None:
            assert last['classes'] == {expected: 1.0}
        assert (last['flicker'] is None) == (expected == 'grey')
    labels = [
        p.label.max()
        for p in model(filter='place').predict(
            tmp_path / 'a_000000_000007', way.lag
        )
    ]
    assert labels == [0, 0, 1]


@pytest.mark.parametrize(
    ('way', 'sentence'),
    [(Way(3), 'leave out lag'), (Way(live=True), 'leave out live')],
)
def test_several_models_look_neither_ahead_nor_live(
    way, sentence, video, net, tmp_path
):
    """They would be run as if nothing had been said."""
    models = dict(one=net, other=model(filter='place'))
    with pytest.raises(ValueError, match=sentence):
        run_video(video, models, Targets(tmp_path / 'out.mp4'), way=way)
    assert not (tmp_path / 'out.mp4').exists()
