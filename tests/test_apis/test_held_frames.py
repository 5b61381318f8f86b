"""Flat and dark frames: no net runs, and the stream is what it would be
without them."""

import json

import cv2
import numpy as np
import pytest
import torch

from mmseg_video.apis import LiveSegmentor, VideoSegInferencer, steady
from mmseg_video.apis.run import Targets, run_video
from mmseg_video.flow.previous import FlowToPrevious
from tests.frames import moving
from tests.models import RECURRENT, build, wake
from tests.test_models.test_propagation import SYSTEMS

CLASSES = ['a', 'b', 'c']
HELD = (2, 3, 5)
SHOWS = (0, 1, 1, 1, 4, 4, 6)  # whose label map each frame has


@pytest.fixture(scope='module')
def usable():
    return moving(7, 3)


@pytest.fixture(scope='module')
def video(usable):
    """The same with three frames that show nothing."""
    frames = list(usable)
    frames[2] = np.full_like(frames[2], 128)
    frames[3] = frames[3] // 20
    frames[5] = np.zeros_like(frames[5])
    return frames


class Net:
    """Colours as scores; counts its frames."""

    def __init__(self):
        self.runs = 0

    def __call__(self, images):
        self.runs += len(images)
        return torch.nn.functional.avg_pool2d(images, 4) / 255


def without(frames):
    return [f for t, f in enumerate(frames) if t not in HELD]


@pytest.mark.parametrize('filter', ['flow', 'place', 'none'])
def test_a_net_is_steady_over_them(filter, video, usable):
    net = Net()
    got = steady(net, CLASSES, filter, device='cpu', probabilities=True)
    found = list(got.predict(video))
    assert net.runs == 4
    assert [p.held for p in found] == [t in HELD for t in range(7)]
    assert [p.full for p in found] == [t not in HELD for t in range(7)]
    alone = steady(Net(), CLASSES, filter, device='cpu')
    want = [p.label for p in alone.predict(without(usable))]
    want = dict(zip((0, 1, 4, 6), want, strict=True))
    for prediction, frame, shown in zip(found, video, SHOWS, strict=True):
        np.testing.assert_array_equal(prediction.label, want[shown])
        np.testing.assert_array_equal(prediction.frame, frame)
        best = prediction.probabilities.argmax(0)
        np.testing.assert_array_equal(best, want[shown])
    # Frame by frame it is the same.
    for frame, prediction in zip(video, found, strict=True):
        again = got.predict_frame(frame)
        np.testing.assert_array_equal(again.label, prediction.label)
    assert net.runs == 8


def test_it_may_be_switched_off(video):
    net = Net()
    off = steady(net, CLASSES, device='cpu', min_contrast=0)
    assert not any(p.held for p in off.predict(video))
    assert net.runs == 7
    net = Net()
    short = steady(net, CLASSES, device='cpu', max_held=1)
    held = [p.held for p in short.predict(video)]
    assert held == [t in (2, 5) for t in range(7)]


def models():
    yield 'laterals', build(RECURRENT)
    for name in ('filter', 'gated EMA'):
        yield name, build(SYSTEMS[name])


@pytest.mark.parametrize('name', ['laterals', 'filter', 'gated EMA'])
def test_states_wait(name, video, usable):
    model = wake(dict(models())[name])
    runs = []
    model.backbone.register_forward_hook(lambda *args: runs.append(1))
    inferencer = VideoSegInferencer.from_model(
        *(model, 'abcde', [[0] * 3] * 5),
        FlowToPrevious() if model.flow_compensated else None,
        device='cpu',
        min_contrast=10,
    )
    states, labels = [], []
    for frame in video:
        labels.append(inferencer.predict_frame(frame, 's').label)
        states.append(inferencer.streams['s'].states)
    assert len(runs) == 4
    for place, kept in states[1].items():
        for t in (2, 3):
            torch.testing.assert_close(states[t][place], kept, rtol=0, atol=0)
    alone = [
        inferencer.predict_frame(frame, 'alone').label
        for frame in without(usable)
    ]
    for t, label in zip((0, 1, 4, 6), alone, strict=True):
        np.testing.assert_array_equal(labels[t], label)


def test_some_streams_of_a_batch_are_held(video, usable):
    net = Net()
    got = steady(net, CLASSES, device='cpu')
    alone = steady(Net(), CLASSES, device='cpu')
    for frames in zip(video, usable, strict=True):
        found = got.predict_frames(dict(zip('ab', frames, strict=True)))
        for name, frame in zip('ab', frames, strict=True):
            want = alone.predict_frame(frame, name)
            np.testing.assert_array_equal(found[name].label, want.label)
            assert found[name].held == want.held
    assert net.runs == 11


def test_what_a_user_does_to_a_label_map_stays_with_it(video):
    got = steady(Net(), CLASSES, device='cpu')
    got.predict_frame(video[0])
    want = got.predict_frame(video[1])
    label = want.label.copy()
    want.label[:] = 9
    for t in (2, 3):
        held = got.predict_frame(video[t])
        np.testing.assert_array_equal(held.label, label)
        held.label[:] = 9


def test_a_burst_counts_in_the_pace(video):
    net = Net()
    got = steady(net, CLASSES, device='cpu', every=3)
    full = [p.full for p in got.predict(video)]
    assert full == [True, False, False, False, True, False, False]
    assert net.runs == 2


@pytest.mark.parametrize('lag', [1, 'offline'])
def test_a_two_sided_filter_answers_them_from_both_sides(lag, video):
    net = Net()
    found = list(steady(net, CLASSES, device='cpu').predict(video, lag))
    assert net.runs == 4
    assert [p.held for p in found] == [t in HELD for t in range(7)]
    for prediction, frame in zip(found, video, strict=True):
        np.testing.assert_array_equal(prediction.frame, frame)
    near = (found[2].label == found[1].label).mean()
    assert near > 0.9 > (found[2].label == found[6].label).mean()


def test_a_live_net_does_not_get_them(video):
    net = Net()
    with LiveSegmentor(steady(net, CLASSES, device='cpu')) as live:
        first = live.answer(video[0])
        for t in (2, 3):
            answer = live.answer(video[t])
            assert answer.held
            np.testing.assert_array_equal(answer.label, first.label)
        assert net.runs == 1
        assert not live.answer(video[4]).held


def test_a_run_tells_of_them(video, tmp_path):
    path = tmp_path / 'frames.ndjson'
    model = steady(Net(), CLASSES, device='cpu')
    source = tmp_path / 'frames'
    source.mkdir()
    for t, frame in enumerate(video):
        cv2.imwrite(str(source / f'{t}.png'), frame)
    run = run_video(str(source), model, Targets(json=path), quiet=True)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line['held'] for line in lines] == [t in HELD for t in range(7)]
    assert [line['full'] for line in lines] == [
        t not in HELD for t in range(7)
    ]
    assert run.held == 3
    assert '; 3 frames were flat or dark, and held the last' in run.report


def test_what_is_broken_is_not_held(usable):
    """A sequence that begins with scores that are no numbers."""
    broken = iter([True, False, False])
    model = wake(build(RECURRENT))
    model.backbone.register_forward_hook(
        lambda module, args, levels: tuple(
            level * torch.nan if i == 0 and next(broken) else level
            for i, level in enumerate(levels)
        )
    )
    got = VideoSegInferencer.from_model(
        model, 'abcde', [[0] * 3] * 5, device='cpu', min_contrast=10
    )
    got.predict_frame(usable[0])
    assert not got.predict_frame(np.zeros_like(usable[0])).held
    assert not got.predict_frame(usable[1]).held
