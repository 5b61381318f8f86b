"""The flow that comes with the frames of clips and of streams."""

import copy
import pickle
import re
import threading

import cv2
import numpy as np
import pytest
from mmengine.dataset import Compose, pseudo_collate
from mmseg.registry import TRANSFORMS
from torch.utils.data import DataLoader

from mmseg_video.datasets import CamVidSequenceDataset
from mmseg_video.datasets.base_sequence import insert_augments
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


def test_flow_comes_from_a_file_where_there_is_one(camvid, tmp_path):
    cache = tmp_path / 'flow'
    estimator = dict(type='DISFlow', preset='fast', cache_dir=str(cache))
    want = fields(camvid(mode='stream'), range(6))
    FLOW['flow'] |= dict(estimator=estimator)
    try:
        got = fields(camvid(mode='stream'), range(6))
        names = sorted(str(p.relative_to(cache)) for p in cache.rglob('*.flo'))
        # The check sum keeps changed frames apart.
        assert [re.sub(r'_\w{8}\.flo', '.flo', name) for name in names] == [
            '0001TP_000000/0001TP_000001_0001TP_000000.flo',
            '0001TP_000000/0001TP_000002_0001TP_000001.flo',
            '0016E5_000000/0016E5_000001_0016E5_000000.flo',
        ]
        burst = dict(type='RandomBurst', prob=1, kinds=['dark'], seed=0)
        dark = camvid([*LOAD, burst, PIPELINE[-1]], mode='stream')
        assert not np.array_equal(fields(dark, [1])[0], want[1])
        for name in names:
            path = cache / name
            path.rename(path.with_name(f'{path.stem[:-9]}.flo'))
        FLOW['flow']['estimator'] = dict(
            type='PrecomputedFlow', cache_dir=str(cache)
        )
        again = fields(camvid(mode='stream'), range(6))
        # A clip finds the same files; its repeated frames need none.
        clip = camvid(num_frames=3)[2]['data_samples'].flow
        padded = camvid(num_frames=3)[0]['data_samples'].flow
        with pytest.raises(ValueError, match='were flipped, degraded or'):
            camvid([*LOAD, burst, PIPELINE[-1]], mode='stream')[1]
    finally:
        del FLOW['flow']['estimator']
    for flow in (got, again):
        np.testing.assert_array_equal(np.stack(flow), np.stack(want))
    np.testing.assert_array_equal(clip[1:], np.concatenate(want[1:3]))
    assert not padded[:, :2].any()


def test_frames_that_changed_places_keep_their_motion(camvid):
    """The paths of a clip tell what was loaded, not what the model sees."""
    frames = moving(2)
    paths = dict(ref_img_paths=['a.png'], img_path='a.png', sequence='s')
    flow = build()(dict(img=frames, **paths))['flow']
    assert flow[1, :2].any()
    still = build()(dict(img=[frames[0], frames[0].copy()], **paths))['flow']
    assert not still[:, :2].any()


def test_test_time_augmentation_estimates_flow_of_what_it_shows(camvid):
    tta = dict(
        type='TestTimeAug',
        transforms=[
            [
                dict(
                    type='ForEachFrame',
                    transforms=[dict(type='RandomFlip', prob=prob)],
                )
                for prob in (0.0, 1.0)
            ],
            [PIPELINE[-1]],
            [dict(type='PackClipInputs')],
        ],
    )
    dataset = camvid(LOAD, num_frames=3)
    dataset.pipeline.transforms = camvid(LOAD).pipeline.transforms[:2]
    steps = insert_augments([*LOAD, tta], FLOW)
    results = dataset.get_data_info(2)
    for step in Compose(steps).transforms:
        results = step(results)
    plain, flipped = (sample.flow for sample in results['data_samples'])
    inner = (1, 0, slice(12, -12), slice(12, -12))
    assert plain[inner].mean() == pytest.approx(-2, abs=0.3)
    assert flipped[inner].mean() == pytest.approx(2, abs=0.3)


def test_flow_stands_behind_all_that_changes_frames(camvid):
    burst = dict(type='RandomBurst')
    steps = insert_augments([dict(type='pack')], dict(**FLOW, burst=burst))
    names = [type(step).__name__ for step in steps[:-1]]
    assert names == ['RandomBurst', 'AddFlow']


def test_data_sets_with_flow_are_copied_and_sent_to_workers(camvid):
    dataset = camvid(mode='stream')
    want = fields(dataset, [1])[0]  # OpenCV's object is there now
    for other in (
        copy.deepcopy(dataset.pipeline),
        pickle.loads(pickle.dumps(dataset.pipeline)),
    ):
        dataset.pipeline = other
        np.testing.assert_array_equal(fields(dataset, [1])[0], want)


def test_threads_do_not_share_an_estimator():
    flow = FlowToPrevious()
    videos = [moving(12, dx, height=180, width=240) for dx in (2, 5)]
    want = [[f for _, f in flow.with_previous(v)] for v in videos]
    got = [None, None]

    def work(i):
        got[i] = [f for _, f in flow.with_previous(videos[i])]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, two in zip(got, want, strict=True):
        np.testing.assert_array_equal(np.stack(one), np.stack(two))


def test_a_frame_may_be_overwritten_by_its_owner():
    frames = moving(3)
    buffer = np.empty_like(frames[0])

    def camera():
        for frame in frames:
            buffer[:] = frame
            yield buffer

    seen = list(FlowToPrevious().with_previous(camera()))
    for (frame, flow), want in zip(seen, frames, strict=True):
        np.testing.assert_array_equal(frame, want)
        assert flow[:2].any() == (want is not frames[0])
