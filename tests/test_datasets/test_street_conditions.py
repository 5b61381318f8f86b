"""Street scenes of test under lasting conditions: what is hidden, dark or
far is what the records and labels say, and the scenes are those of test."""

import numpy as np
import pytest

from mmseg_video.datasets.street_scenes import (
    NUM_FRAMES,
    StreetScene,
    sprites,
    write_street_scenes,
    writer,
)
from mmseg_video.datasets.street_scenes import textures as tx
from mmseg_video.datasets.street_scenes.darkness import DarkScene
from mmseg_video.datasets.street_scenes.far import SMALL, FarScene
from mmseg_video.datasets.street_scenes.occlusion import OccludedScene
from mmseg_video.datasets.street_scenes.scene import _Actor

SIZE = (64, 128)
OLD = ('test_clean', 'test_long_bursts')


def frames(scene):
    return [scene.frame(t) for t in range(NUM_FRAMES)]


def clean(index):
    return frames(StreetScene(0, 'test', index, *SIZE, burst_rate=0.0))


@pytest.mark.parametrize('kind', [OccludedScene, DarkScene])
def test_other_frames_and_all_labels_are_those_of_the_clean_scene(kind):
    scene = kind(0, 'test', 1, *SIZE)
    assert 0 < len(scene.bursts) < NUM_FRAMES
    for t, (own, plain) in enumerate(
        zip(frames(scene), clean(1), strict=True)
    ):
        assert own[2] == scene.bursts.get(t)
        np.testing.assert_array_equal(own[1], plain[1])
        assert (own[0] == plain[0]).all() == (own[2] is None)


def test_a_cover_hides_a_tenth_to_a_quarter_of_the_picture():
    shapes = set()
    for index in range(8):
        scene = OccludedScene(0, 'test', index, *SIZE)
        assert set(scene.bursts.values()) <= {'occlusion'}
        for t in list(scene.bursts)[::5]:
            alpha = scene.covers[t].alpha(t)
            assert alpha.shape == SIZE
            assert 0.09 < (alpha > 0.5).mean() < 0.26
            assert alpha.max() > 0.99  # opaque
            shapes.add(type(scene.covers[t]))
            img, _, _ = scene.frame(t)
            hidden = img[alpha > 0.99].astype(float)
            texture = scene.covers[t].texture[alpha > 0.99]
            # But for the sensor's grain.
            assert np.abs(hidden - texture).mean() < 8
    assert len(shapes) == 3


def test_a_cover_stays_for_4_to_12_frames_and_then_the_lens_is_free():
    hidden = np.zeros((60, NUM_FRAMES), bool)
    for index, own in enumerate(hidden):
        scene = OccludedScene(0, 'test', index, *SIZE)
        own[list(scene.bursts)] = True
        edges = np.flatnonzero(np.diff(own.astype(int))) + 1
        spans = np.diff(edges)  # whole ones within the snippet
        assert ((spans >= 4) & (spans <= 12)).all()
    # Nothing keeps the first frames free.
    assert 0.3 < hidden[:, 0].mean() < 0.7
    assert 0.4 < hidden.mean() < 0.6


def test_darkness_falls_in_the_first_half_and_stays():
    starts = set()
    for index in range(8):
        scene = DarkScene(0, 'test', index, *SIZE)
        start = min(scene.bursts)
        starts.add(start)
        assert 0 < start < NUM_FRAMES / 2
        assert list(scene.bursts) == list(range(start, NUM_FRAMES))
        assert set(scene.bursts.values()) == {'darkness'}
    assert len(starts) > 2


def test_darkness_is_dark_and_noisy_but_not_black():
    for index in range(3):
        scene = DarkScene(0, 'test', index, *SIZE)
        for (img, _, kind), (plain, _, _) in zip(
            frames(scene)[::3], clean(index)[::3], strict=True
        ):
            if kind is None:
                continue
            assert 8 < img.mean() < 20
            assert img.std() > 6
            likeness = np.corrcoef(img.ravel(), plain.ravel())[0, 1]
            assert 0.1 < likeness < 0.9


def test_labels_of_far_things_are_those_of_the_clean_scene():
    kept = []
    for own, plain in zip(
        frames(FarScene(0, 'test', 0, *SIZE)), clean(0), strict=True
    ):
        np.testing.assert_array_equal(own[0], plain[0])
        assert own[2] is None
        there = own[1] != tx.IGNORE
        np.testing.assert_array_equal(own[1][there], plain[1][there])
        kept.append(there.mean())
    assert 0 < np.mean(kept) < 0.3


def with_cars(*distances):
    """A scene of cars straight ahead, and the label of its first frame."""
    scene = FarScene(0, 'test', 0, *SIZE)
    car = sprites.car(np.random.default_rng(0))
    scene.actors = [_Actor([car], scene.lane, z) for z in distances]
    return scene, car, scene.frame(0)[1]


def test_small_things_alone_count_and_what_is_around_them():
    scene, car, label = with_cars(40.0)
    height = scene.focal / 40 * car.height
    assert height < SMALL * SIZE[0]
    rows, columns = np.nonzero(label == tx.CAR)
    around = np.nonzero(label != tx.IGNORE)
    for inner, outer in zip((rows, columns), around, strict=True):
        margin = inner.min() - outer.min(), outer.max() - inner.max()
        assert np.abs(np.array(margin) - height).max() <= 1
    assert len(np.unique(label)) > 2


@pytest.mark.parametrize('distances', [(6.0,), (6.0, 40.0), ()])
def test_near_things_and_those_behind_them_do_not_count(distances):
    _, _, label = with_cars(*distances)
    assert (label == tx.IGNORE).all()


def test_a_folder_of_before_gets_the_new_splits_only(tmp_path, monkeypatch):
    kinds = dict(num_val=1, num_test=2, size=SIZE, seed=2, frames=(10, 20))
    kinds |= dict(burst_rate=0.3, all_labels=True, variants=True)
    whole = writer.VARIANTS
    with monkeypatch.context() as patch:
        patch.setattr(writer, 'VARIANTS', {name: whole[name] for name in OLD})
        before = write_street_scenes(tmp_path, **kinds)
    files = {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in tmp_path.rglob('*.png')
    }
    after = write_street_scenes(tmp_path, **kinds)
    assert len(files) < len(list(tmp_path.rglob('*.png')))
    for path, (stamp, content) in files.items():
        assert path.stat().st_mtime_ns == stamp
        assert path.read_bytes() == content
    old = [b for b in after['degraded'] if b['split'] in before['snippets']]
    assert old == before['degraded']
    new = {(b['split'], b['kind']) for b in after['degraded']} - {
        (b['split'], b['kind']) for b in old
    }
    assert new == {
        ('test_occlusion', 'occlusion'),
        ('test_darkness', 'darkness'),
    }
