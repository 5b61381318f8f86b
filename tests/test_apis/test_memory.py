"""What a stream remembers, read from its states."""

import numpy as np
import pytest
import torch

from mmseg_video.apis import VideoSegInferencer, steady
from mmseg_video.apis.memory import watch_memory
from mmseg_video.flow.previous import FlowToPrevious
from mmseg_video.models import RecurrentNet
from tests.frames import moving
from tests.models import NUM_CLASSES, RECURRENT, build

CLASSES = [f'class {i}' for i in range(NUM_CLASSES)]
GATED = dict(
    RECURRENT,
    neck=None,
    head_rnns=dict(
        conv_seg=dict(
            cell=dict(type='GatedEMACell', keep=0.25), connection='standard'
        )
    ),
)


def colours(images):
    return torch.nn.functional.avg_pool2d(images, 4) / 255


def test_an_untrained_gate_keeps_what_its_config_says():
    net = VideoSegInferencer.from_model(
        build(GATED), CLASSES, [[0, 0, 0]] * NUM_CLASSES, device='cpu'
    )
    frames = moving(3)
    first, second, third = watch_memory(net, frames)
    assert first.before is None
    assert np.isnan(first.keep).all()
    np.testing.assert_array_equal(first.past, 0)
    np.testing.assert_allclose(second.keep, 0.25, rtol=1e-4)
    # 0.25 of one frame against the present one; then 0.25 of 1.25.
    np.testing.assert_allclose(second.past, 0.25 / 1.25, rtol=1e-4)
    np.testing.assert_allclose(third.past, 0.3125 / 1.3125, rtol=1e-4)
    assert second.flow is None
    np.testing.assert_array_equal(second.before, second.warped)
    # The stream is a stream as any other, and leaves nothing behind.
    for memory, prediction in zip(
        (first, second, third), net.predict(frames), strict=True
    ):
        np.testing.assert_array_equal(memory.label, prediction.label)
    assert len(net.streams) == 0


@pytest.mark.parametrize(
    'changes',
    [
        dict(),
        dict(flow_compensated=True),
        dict(head_rnns=None, filter=dict(type='EMAFilter', weight=0.25)),
    ],
)
def test_of_a_steadied_net_it_is_the_net_s_own(changes):
    net = build(GATED, **changes)
    flow = FlowToPrevious() if net.flow_compensated else None
    palette = [[0, 0, 0]] * NUM_CLASSES
    alone = VideoSegInferencer.from_model(
        net, CLASSES, palette, flow, device='cpu'
    )
    steadied = steady(RecurrentNet(net, CLASSES), device='cpu')
    assert steadied.model.filter is None
    frames = moving(3, 4)
    found = list(watch_memory(steadied, frames))
    for got, want in zip(found, watch_memory(alone, frames), strict=True):
        for name in ('label', 'past', 'keep', 'before', 'warped', 'flow'):
            np.testing.assert_equal(getattr(got, name), getattr(want, name))
    moved = not np.array_equal(found[2].before, found[2].warped)
    assert moved == net.flow_compensated
    assert 0 < found[2].past.mean() < 1


def test_what_the_state_says_follows_the_flow():
    """The scene moves by whole pixels: the warped state has the classes of
    the present frame, the state in place those of the one before."""
    frames = moving(4, 4)
    video = steady(colours, ['a', 'b', 'c'], device='cpu')
    *_, last = watch_memory(video, frames)
    right = [
        np.mean((answer == last.label)[:, 8:-8])
        for answer in (last.before, last.warped)
    ]
    assert right[1] > right[0] + 0.02
    assert last.flow.shape[0] == 3
    assert 0 < last.past.mean() < 1


def test_over_a_burst_the_flow_leads_to_the_last_usable_frame():
    frames = moving(6, 4)
    burst = [*frames[:3], np.zeros_like(frames[0]), *frames[3:]]
    burst[4] = np.zeros_like(frames[0])
    video = steady(colours, ['a', 'b', 'c'], device='cpu')
    found = list(watch_memory(video, burst))
    assert [m.held for m in found] == [False] * 3 + [True] * 2 + [False] * 2
    for memory in found[3:5]:
        assert memory.flow is None
        np.testing.assert_array_equal(memory.label, found[2].label)
        np.testing.assert_array_equal(memory.before, memory.warped)
        np.testing.assert_array_equal(memory.past, 1)
        np.testing.assert_array_equal(memory.keep, 1)
    # As if the burst had not been there.
    alone = list(watch_memory(video, [*burst[:3], *burst[5:]]))
    for with_burst, without in zip(found[5:], alone[3:], strict=True):
        np.testing.assert_array_equal(with_burst.flow, without.flow)
        np.testing.assert_array_equal(with_burst.past, without.past)
        np.testing.assert_array_equal(with_burst.warped, without.warped)
        np.testing.assert_array_equal(with_burst.label, without.label)


def test_on_propagated_frames_the_answer_is_the_past():
    video = steady(colours, ['a', 'b', 'c'], device='cpu', every=2)
    *_, last = watch_memory(video, moving(2, 0))
    np.testing.assert_array_equal(last.past, 1)
    np.testing.assert_allclose(last.keep, 0.9, rtol=1e-3)


def test_a_model_without_an_average_is_refused():
    net = VideoSegInferencer.from_model(
        build(RECURRENT), CLASSES, [[0, 0, 0]] * NUM_CLASSES, device='cpu'
    )
    with pytest.raises(ValueError, match='keeps no average of its scores'):
        watch_memory(net, moving(2))
