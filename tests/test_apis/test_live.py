"""A net that is slower than the camera: events say when it is done."""

import threading

import numpy as np
import pytest
import torch

from mmseg_video.apis.live import LiveSegmentor
from mmseg_video.apis.steady import steady
from mmseg_video.io.frame_source import FrameSource
from mmseg_video.models import Framewise
from tests.frames import moving

CLASSES = ['a', 'b', 'c']


class SlowNet:
    """Colours as scores; from the second frame on, it waits for finish()."""

    def __init__(self):
        self.seen, self.begun, self.go = [], [], threading.Semaphore(1)
        self.started = threading.Semaphore(0)

    def __call__(self, images):
        self.started.release()
        assert self.go.acquire(timeout=30)
        self.seen.append(images.clone())
        return torch.nn.functional.avg_pool2d(images, 4) / 255


def finish(net, live):
    """The net ends the frame that it is at."""
    assert net.started.acquire(timeout=30)
    net.go.release()
    wait(live)


def wait(live):
    """Until the net has nothing to do."""
    with live._worker._changed:
        assert live._worker._changed.wait_for(
            lambda: not live._worker._busy, timeout=30
        )


@pytest.fixture
def net():
    return SlowNet()


@pytest.fixture
def live(net):
    video = steady(net, CLASSES, device='cpu')
    with LiveSegmentor(video) as live:
        yield live
        net.go.release(100)


def test_every_frame_is_answered_while_the_net_works(net, live):
    frames = moving(6, 4)
    answers = [live.answer(frames[0])]
    assert net.started.acquire(timeout=30)
    answers += [live.answer(frame) for frame in frames[1:5]]
    assert len(net.seen) == 1  # it is still at the second frame
    assert [a.full for a in answers] == [True] + [False] * 4
    for t, answer in enumerate(answers):
        # What was at a place is now 4 t pixels to the right.
        agree = answer.label[8:-8, 8 + 4 * t : -8]
        want = answers[0].label[8:-8, 8 : -8 - 4 * t]
        assert (agree == want).mean() > 0.95
    finish(net, live)
    live.answer(frames[5])
    # The newest frame is the next one.
    assert net.started.acquire(timeout=30)
    net.go.release()
    live.close()
    assert len(net.seen) == 3
    newest = torch.from_numpy(frames[5][..., ::-1].transpose(2, 0, 1).copy())
    seen = net.seen[-1][0, :, : newest.shape[1], : newest.shape[2]]
    torch.testing.assert_close(seen, newest.float())


@torch.no_grad()
def test_a_finished_result_is_warped_to_the_present(net, live):
    frames = moving(5, 4)
    for frame in frames[:4]:
        live.answer(frame)
    assert net.started.acquire(timeout=30)
    finish(net, live)  # with the second frame
    live.answer(frames[4])
    net.go.release()
    # The same, frame by frame: full, full, then propagated to the last one.
    model, make = live.inferencer.model, live.inferencer.flow
    net.go.release(2)
    fields = [f for _, f in make.with_previous(frames)]
    fields = [torch.from_numpy(field)[None] for field in fields]
    states = None
    for frame, field in zip(frames[:2], fields, strict=False):
        inputs = live.inferencer.stepper.inputs_of([frame])[:, 0]
        _, states = model.step(inputs, states, field)
    for field in fields[2:]:
        _, states = model.propagate(states, field, (64, 96))
    for got, want in zip(
        live._states['filter'], states['filter'], strict=True
    ):
        torch.testing.assert_close(got, want)


def test_another_size_begins_a_new_sequence(net, live):
    frame = moving(1)[0]
    assert live.answer(frame).full
    net.go.release()
    small = np.ascontiguousarray(frame[:, :64])
    answer = live.answer(small)
    assert answer.full
    assert answer.label.shape == (64, 64)


def test_what_the_net_raises_is_raised(net, live):
    frames = moving(3)
    live.answer(frames[0])
    live.answer(frames[1])
    net.go.release()
    wait(live)
    live._worker._work = None
    live.answer(frames[2])  # the job fails: None is no function
    wait(live)
    with pytest.raises(TypeError, match='not callable'):
        live.answer(frames[2])


def test_closed_and_unfit_ones_are_refused():
    net = SlowNet()
    live = LiveSegmentor(steady(net, CLASSES, device='cpu'))
    live.close()
    with pytest.raises(RuntimeError, match='closed'):
        live.answer(moving(1)[0])
    alone = steady(net, CLASSES, filter='none', device='cpu')
    with pytest.raises(ValueError, match='SteadySegmentor keeps no average'):
        LiveSegmentor(alone)
    with pytest.raises(ValueError, match='a frame must be'):
        LiveSegmentor(steady(net, CLASSES, device='cpu')).answer('x')


def test_a_result_that_comes_late_is_taken_with_the_next_frame(net, live):
    """The net is done while a frame is being propagated."""
    frames, propagate = moving(4, 4), live._propagate
    live.answer(frames[0])
    live.answer(frames[1])  # what the net gets

    def late(*args):
        net.go.release()
        wait(live)
        return propagate(*args)

    live._propagate = late
    live.answer(frames[2])
    live._propagate = propagate
    assert len(net.seen) == 2
    assert live._worker._result is not None
    live.answer(frames[3])
    assert live._worker._result is None
    net.go.release()
    wait(live)
    newest = torch.from_numpy(frames[3][..., ::-1].transpose(2, 0, 1).copy())
    torch.testing.assert_close(net.seen[-1][0], newest.float())


def test_states_that_are_not_finite_are_not_taken():
    frames, bad = moving(3), iter([False, True, False])

    class Net(Framewise):
        """Carries states of its own, that break on the second frame."""

        state_maps = {'own': 1}

        def step(self, frames, states, flow):
            (own,) = states.get('own', (torch.zeros(1, 1, 1, 1),))
            own = own + float('nan') if next(bad) else own + 1
            return torch.nn.functional.avg_pool2d(frames, 4), {'own': (own,)}

    with LiveSegmentor(steady(Net(CLASSES), device='cpu')) as live:
        for frame in frames:
            live.answer(frame)
            wait(live)
        live._catch_up()
        assert live._states['net.own'][0].item() == 2


def test_a_new_sequence_of_the_source_begins_anew():
    first, second = moving(2), moving(2, seed=1)
    source = FrameSource(
        ((frame, None) for frame in first + second),
        sequences=['a', 'a', 'b', 'b'],
    )
    with LiveSegmentor(steady(four, CLASSES, device='cpu')) as live:
        found = list(live.predict(source))
    assert [p.full for p in found] == [True, False, True, False]


def four(images):
    return torch.nn.functional.avg_pool2d(images, 4) / 255


def test_a_camera_may_fill_its_buffer_again(net, live):
    first, second = moving(2, 4)
    live.answer(first)
    assert net.started.acquire(timeout=30)
    buffer = second.copy()
    live.answer(buffer)
    buffer[:] = 255  # while the net is at it
    finish(net, live)
    newest = torch.from_numpy(second[..., ::-1].transpose(2, 0, 1).copy())
    seen = net.seen[-1][0, :, : newest.shape[1], : newest.shape[2]]
    assert torch.equal(seen.to(newest.dtype), newest)
