"""A video whose predictions look at the future too."""

import itertools

import numpy as np
import pytest
import torch

from mmseg_video.apis import VideoSegInferencer
from mmseg_video.apis.pseudo_label_teachers import FramesInVideo
from mmseg_video.apis.steady import steady
from mmseg_video.models import RecurrentNet
from tests.frames import moving
from tests.models import NUM_CLASSES, RECURRENT, build

CLASSES = ['a', 'b', 'c']


def colours(images):
    return torch.nn.functional.avg_pool2d(images, 4) / 255


def agree(a, b):
    return (a == b).mean() > 0.99


@pytest.mark.parametrize('lag', [1, 2, 'offline'])
def test_every_frame_once_and_in_order(lag):
    frames = [*moving(5, 4), *moving(2, 4, width=64)]
    video = steady(colours, CLASSES, device='cpu')
    found = list(video.predict(frames, lag=lag))
    assert len(found) == 7
    for prediction, frame in zip(found, frames, strict=True):
        np.testing.assert_array_equal(prediction.frame, frame)
        assert prediction.label.shape == frame.shape[:2]
    # The last frame has no future.
    *_, causal = video.predict(frames[:5])
    assert agree(found[4].label, causal.label)
    assert not agree(found[3].label, found[0].label)


def test_what_flickers_is_steadied_by_the_future_too():
    """A frame that is wrong by itself, the first one."""
    frames = [moving(1)[0]] * 5
    flicker = iter(range(5))

    def net(images):
        wrong = next(flicker) == 0
        return colours(images.roll(1, 1) if wrong else images)

    causal = list(steady(net, CLASSES, device='cpu').predict(frames))
    flicker = iter(range(5))
    video = steady(net, CLASSES, device='cpu')
    both = list(video.predict(frames, lag=4))
    right = both[4].label
    causal_share, share = (
        (found[0].label == right).mean() for found in (causal, both)
    )
    assert causal_share < 0.6
    assert share > 0.8


def test_the_net_runs_on_some_frames():
    runs = []

    def net(images):
        runs.append(1)
        return colours(images)

    video = steady(net, CLASSES, device='cpu', every=3)
    found = list(video.predict([moving(1)[0]] * 7, lag=2))
    assert [p.full for p in found] == [True, False, False] * 2 + [True]
    assert len(runs) == 3


def test_bad_lags_are_refused():
    video = steady(colours, CLASSES, device='cpu')
    for lag in (0, 'late'):
        with pytest.raises(ValueError, match='lag is a number of frames >= 1'):
            video.predict([], lag=lag)
    alone = steady(colours, CLASSES, filter='none', device='cpu')
    with pytest.raises(ValueError, match=r'look at the future: take .*--stea'):
        alone.predict([], lag=3)
    alone.model.framewise.own_filter = 'gated EMA'
    with pytest.raises(ValueError, match='future, only its own gated EMA: ta'):
        alone.predict([], lag='offline')


def test_windows_have_no_scores_of_the_frame():
    windows = dict(mode='slide', crop_size=(32, 32), stride=(32, 32))
    filter = dict(type='EMAFilter', weight=0.5)
    model = build(RECURRENT, neck=None, filter=filter, test_cfg=windows)
    classes = ['a'] * NUM_CLASSES
    video = VideoSegInferencer.from_model(
        model, classes, [[0] * 3] * NUM_CLASSES, device='cpu'
    )
    for check in (lambda: video.predict([], 1), lambda: FramesInVideo(video)):
        with pytest.raises(ValueError, match=r"needs test_cfg\.mode='whole'"):
            check()
    frames = moving(2)
    net = RecurrentNet(model, classes)
    steadied = steady(net, filter='flow', device='cpu')
    assert len(list(steadied.predict(frames, lag=1))) == 2


@pytest.mark.parametrize('lag', [2, 'offline'])
@pytest.mark.parametrize('bad', [0, 2])
def test_scores_that_are_not_finite_spoil_no_other_frame(bad, lag):
    frames, number = [moving(1)[0]] * 5, itertools.count()

    def net(images):
        broken = next(number) == bad
        return colours(images) * (float('nan') if broken else 1)

    video = steady(net, CLASSES, device='cpu')
    found = [p.label for p in video.predict(frames, lag)]
    want = next(steady(colours, CLASSES, device='cpu').predict(frames)).label
    for label in found:
        np.testing.assert_array_equal(label, want)
