"""The flow that comes with the frames of clips and of streams."""

import cv2
import numpy as np
import pytest
from mmengine.dataset import pseudo_collate
from mmseg.registry import TRANSFORMS
from torch.utils.data import DataLoader

from mmseg_video.datasets import CamVidSequenceDataset
from mmseg_video.flow.previous import FlowToPrevious
from tests.frames import moving, textured

LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadRefFrames')]
PIPELINE = [*LOAD, dict(type='LoadClipAnnotations')]
HALF = dict(
    type='ForEachFrame',
    transforms=[dict(type='Resize', scale_factor=0.5, keep_ratio=True)],
)
FLOW = dict(flow=dict(type='AddFlow', min_size=None))


def build(**kwargs):
    return TRANSFORMS.build(dict(type='AddFlow', **kwargs))


def test_each_frame_of_a_clip_has_its_flow():
    frames = moving(3)
    flow = build()(dict(img=list(frames)))['flow']
    want = [f for _, f in FlowToPrevious().with_previous(frames)]
    np.testing.assert_array_equal(flow, np.stack(want))
    assert not flow[0, :2].any()
    assert flow[1, :2].any()


def test_a_streamed_frame_has_the_flow_to_the_one_before():
    before, frame = moving(2)
    results = build()(dict(img=frame, previous=before))
    want = FlowToPrevious()(frame, before)
    np.testing.assert_array_equal(results['flow'], want[None])
    assert 'previous' not in results


def test_options_are_those_of_the_flow():
    before, frame = moving(2, height=128, width=192)
    add = build(
        estimator=dict(type='FarnebackFlow'),
        min_size=64,
        photometric_scale=9.0,
    )
    flow = add(dict(img=[before, frame]))['flow']
    assert flow.shape == (2, 3, 64, 96)
    assert flow[1, 2].min() < 1
    with pytest.raises(ValueError, match='max_error_ratio must be above 0'):
        build(max_error_ratio=-1)


@pytest.fixture
def camvid(tmp_path):
    """Two recordings of three frames, with a gap in the second."""
    for name, numbers in (('0001TP', (0, 1, 2)), ('0016E5', (0, 1, 90))):
        frames = moving(3, dx=2, seed=len(numbers) + numbers[-1])
        for number, frame in zip(numbers, frames, strict=True):
            for folder, image in (
                ('train', frame),
                ('trainannot', np.zeros((64, 96), np.uint8)),
            ):
                path = tmp_path / folder / f'{name}_{number:06d}.png'
                path.parent.mkdir(exist_ok=True)
                cv2.imwrite(str(path), image)

    def make(pipeline=PIPELINE, **kwargs):
        pipeline = [*pipeline, dict(type='PackClipInputs')]
        return CamVidSequenceDataset(
            data_root=str(tmp_path),
            pipeline=pipeline,
            augments=FLOW,
            **kwargs,
        )

    return make


def fields(dataset, order=None, **kwargs):
    if order is not None:
        return [dataset[i]['data_samples'].flow.numpy() for i in order]
    loader = DataLoader(dataset, collate_fn=pseudo_collate, **kwargs)
    return [b['data_samples'][0].flow.numpy() for b in loader]


def test_a_stream_has_flow_where_its_sequence_goes_on(camvid):
    dataset = camvid(mode='stream')
    got = fields(dataset, range(6))
    moves = [bool(flow[0, :2].any()) for flow in got]
    assert moves == [False, True, True, False, True, False]
    frames = [cv2.imread(dataset.get_data_info(i)['img_path']) for i in (0, 1)]
    want = FlowToPrevious(min_size=None)(frames[1], frames[0])
    np.testing.assert_array_equal(got[1], want[None])
    # In another order, and in several workers, it is the same.
    backwards = fields(camvid(mode='stream'), range(5, -1, -1))
    parallel = fields(dataset, num_workers=2)
    for other in (backwards[::-1], parallel):
        for one, two in zip(got, other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_the_flow_is_that_of_what_the_model_sees(camvid):
    dataset = camvid([*LOAD, HALF, PIPELINE[-1]], mode='stream')
    assert fields(dataset, [1])[0].shape == (1, 3, 32, 48)
    # A degraded frame is the one before, too.
    burst = dict(type='RandomBurst', prob=0.5, max_length=1, seed=1)
    degraded = camvid([*LOAD, burst, PIPELINE[-1]], mode='stream')
    clean = camvid(mode='stream')
    differ = [
        (degraded[i]['inputs'] != clean[i]['inputs']).any() for i in range(6)
    ]
    assert differ.count(True) in range(1, 6)
    for i in (1, 2, 4):
        flow, want = (fields(d, [i])[0] for d in (degraded, clean))
        changed = bool(differ[i] or differ[i - 1])
        assert np.array_equal(flow, want) != changed


def test_clips_have_flow_for_all_their_frames(camvid):
    sample = camvid(num_frames=3)[2]
    assert sample['inputs'].shape[0] == 3
    assert sample['data_samples'].flow.shape == (3, 3, 64, 96)
    # A clip that is padded repeats its first frame, which does not move.
    padded = camvid(num_frames=3)[0]['data_samples'].flow
    assert not padded[:, :2].any()


def test_frames_of_another_size_have_no_flow():
    with pytest.raises(ValueError, match='two frames of one size'):
        build()(dict(img=textured(), previous=textured(32)))
