"""A stream must be worth what a clip is, and no stream may see another."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine import Config
from mmseg.structures import SegDataSample

from mmseg_video.apis import VideoSegInferencer
from mmseg_video.apis.memory import watch_memory
from mmseg_video.apis.pseudo_label_teachers import FramesAlone
from mmseg_video.apis.video_seg_inferencer import flow_of
from mmseg_video.flow.previous import FlowToPrevious
from tests.models import (
    BINARY,
    FRAMEWISE,
    NUM_CLASSES,
    RECURRENT,
    build,
    split_by_threshold,
    wake,
)
from tests.runs import config, model_config


def saved(name, folder):
    """A tiny street model with random weights, on disk; the model too."""
    cfg = config(name, folder, folder / 'run')
    path = folder / f'{name}_config.py'
    cfg.dump(path)
    model = wake(build(model_config(name)))
    checkpoint = folder / f'{name}.pth'
    torch.save(dict(state_dict=model.state_dict()), checkpoint)
    return str(path), str(checkpoint), model


@pytest.fixture(scope='module')
def video():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (4, 64, 128, 3), np.uint8)


def predicted(model, frames):
    """Label map of the last of the frames (T, H, W, 3), as one clip."""
    clip = torch.from_numpy(frames).permute(0, 3, 1, 2)
    data = model.data_preprocessor(dict(inputs=[clip]))
    with torch.no_grad():
        (sample,) = model.predict(data['inputs'])
    return sample.pred_sem_seg.data[0].numpy()


def agree(a, b):
    """Equal but for pixels where two classes tie within rounding."""
    return (a == b).mean() > 0.999


def test_a_stream_predicts_what_the_clip_so_far_does(tmp_path, video):
    config_path, checkpoint, model = saved('rnn_unet', tmp_path)
    inferencer = VideoSegInferencer(config_path, checkpoint, 'cpu')
    for t, frame in enumerate(video):
        assert agree(
            inferencer.predict_frame(frame).label,
            predicted(model, video[: t + 1]),
        )
    alone = predicted(model, video[-1:])
    assert not agree(inferencer.predict_frame(video[-1]).label, alone)
    inferencer.reset()
    assert agree(inferencer.predict_frame(video[-1]).label, alone)


def test_mixed_precision_on_the_cpu_of_a_machine_with_a_gpu(
    tmp_path, video, monkeypatch
):
    config_path, checkpoint, _ = saved('unet', tmp_path)
    inferencer = VideoSegInferencer(config_path, checkpoint, 'cpu', amp=True)
    seen = []
    inferencer.model.backbone.register_forward_hook(
        lambda module, inputs, maps: seen.append(maps[-1].dtype)
    )
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    inferencer.predict_frame(video[0])
    frame = dict(
        inputs=torch.from_numpy(video[0]).permute(2, 0, 1)[None],
        data_samples=SegDataSample(metainfo=dict(ori_shape=(64, 128))),
    )
    alone = FramesAlone(inferencer, scales=[1], flip=False, amp=True)
    list(alone.probabilities([frame], [0], workers=0))
    assert seen == [torch.bfloat16] * 2


def test_another_size_begins_another_stream(tmp_path, video):
    config_path, checkpoint, model = saved('rnn_unet', tmp_path)
    inferencer = VideoSegInferencer(config_path, checkpoint, 'cpu')
    inferencer.predict_frame(video[0])
    small = np.ascontiguousarray(video[1][:, :96])
    assert agree(
        inferencer.predict_frame(small).label, predicted(model, small[None])
    )


def test_framewise_models_have_no_past(tmp_path, video):
    config_path, checkpoint, _ = saved('unet_finetune', tmp_path)
    inferencer = VideoSegInferencer(config_path, checkpoint, 'cpu')
    first = inferencer.predict_frame(video[0]).label
    inferencer.predict_frame(video[1])
    np.testing.assert_array_equal(
        inferencer.predict_frame(video[0]).label, first
    )
    assert first.shape == (64, 128)
    assert first.dtype == np.uint8
    assert inferencer.classes[0] == 'road'


def test_a_video_starts_fresh_and_lazily(tmp_path, video):
    config_path, checkpoint, model = saved('rnn_unet', tmp_path)
    inferencer = VideoSegInferencer(config_path, checkpoint, 'cpu')
    inferencer.predict_frame(video[2])
    taken = []

    def frames():
        for frame in video:
            taken.append(1)
            yield torch.from_numpy(frame)

    predictions = inferencer.predict(frames())
    first = next(predictions)
    assert len(taken) == 1
    assert agree(first.label, predicted(model, video[:1]))
    assert first.overlay().shape == video[0].shape
    # Another stream in between does not disturb it.
    inferencer.predict_frame(video[3])
    *_, last = predictions
    assert agree(last.label, predicted(model, video))
    assert len(inferencer.streams) == 1  # the video's is forgotten


def test_streams_in_a_batch_are_as_if_alone(tmp_path, video):
    config_path, checkpoint, model = saved('rnn_unet', tmp_path)
    inferencer = VideoSegInferencer(config_path, checkpoint, 'cpu')
    other = video[::-1].copy()
    small = np.ascontiguousarray(video[:, :, :96])
    for t in range(3):
        frames = {'a': video[t], 'small': small[t]}
        if t > 0:  # joins when the others are under way
            frames['b'] = other[t - 1]
        got = inferencer.predict_frames(frames)
        assert list(got) == list(frames)
        assert agree(got['a'].label, predicted(model, video[: t + 1]))
        assert agree(got['small'].label, predicted(model, small[: t + 1]))
        if t > 0:
            assert agree(got['b'].label, predicted(model, other[:t]))
    inferencer.reset('a')
    got = inferencer.predict_frames({'a': video[3], 'b': other[2]})
    assert agree(got['a'].label, predicted(model, video[3:]))
    assert agree(got['b'].label, predicted(model, other[:3]))


def test_a_batch_of_streams_is_all_or_nothing(tmp_path, video, monkeypatch):
    config_path, checkpoint, model = saved('rnn_unet', tmp_path)
    inferencer = VideoSegInferencer(config_path, checkpoint, 'cpu')
    small = np.ascontiguousarray(video[:, :, :96])
    inferencer.predict_frames({'a': video[0], 'b': small[0]})
    with pytest.raises(ValueError, match="stream 'b': a frame must be"):
        inferencer.predict_frames({'a': video[1], 'b': small[1] / 255})
    # The net fails on the second of two batches.
    step = inferencer.model.step

    def fails(frames, states, flow):
        if frames.shape[-1] == 96:
            raise RuntimeError('out of memory')
        return step(frames, states, flow)

    with monkeypatch.context() as patch:
        patch.setattr(inferencer.model, 'step', fails)
        with pytest.raises(RuntimeError, match='out of memory'):
            inferencer.predict_frames({'a': video[1], 'b': small[1]})
    got = inferencer.predict_frames({'a': video[1], 'b': small[1]})
    assert agree(got['a'].label, predicted(model, video[:2]))
    assert agree(got['b'].label, predicted(model, small[:2]))


def test_a_gap_in_the_numbers_begins_a_new_sequence(tmp_path, video):
    config_path, checkpoint, model = saved('rnn_unet', tmp_path)
    inferencer = VideoSegInferencer(config_path, checkpoint, 'cpu')
    inferencer.predict_frame(video[0], frame_id=7)
    got = inferencer.predict_frame(video[1], frame_id=8)
    assert agree(got.label, predicted(model, video[:2]))
    got = inferencer.predict_frame(video[2], frame_id=10)
    assert agree(got.label, predicted(model, video[2:3]))


def test_streams_that_nobody_resets_do_not_add_up(tmp_path, video):
    config_path, checkpoint, model = saved('rnn_unet', tmp_path)
    inferencer = VideoSegInferencer(
        config_path, checkpoint, 'cpu', max_streams=2
    )
    for name in ('a', 'b', 'c'):
        inferencer.predict_frame(video[0], name)
    assert len(inferencer.streams) == 2
    got = inferencer.predict_frame(video[1], 'c')
    assert agree(got.label, predicted(model, video[:2]))


def test_a_flow_compensated_model_gets_its_flow(tmp_path, video):
    """From the frames, alone or in a video, with the settings of its test
    data."""
    config_path, checkpoint, _ = saved('rnn_unet_gated_ema', tmp_path)
    cfg = Config.fromfile(config_path)
    cfg.model.flow_compensated = True
    cfg.test_dataloader.dataset.augments = dict(
        flow=dict(type='AddFlow', min_size=32)
    )
    cfg.dump(config_path)
    inferencer = VideoSegInferencer(config_path, checkpoint, 'cpu')
    assert inferencer.flow.settings['min_size'] == 32
    states, before = None, None
    alone = VideoSegInferencer(config_path, checkpoint, 'cpu')
    for frame, prediction in zip(
        video, inferencer.predict(list(video)), strict=True
    ):
        image = inferencer.flow.reduce(frame)
        flow = torch.from_numpy(inferencer.flow(image, before))[None]
        inputs = torch.from_numpy(frame.transpose(2, 0, 1).copy())[None]
        data = inferencer.model.data_preprocessor(dict(inputs=[inputs]))
        with torch.no_grad():
            logits, states = inferencer.model.step(
                data['inputs'][:, 0], states, flow
            )
        want = logits[0].argmax(0).numpy()
        assert agree(prediction.label, want)
        assert agree(alone.predict_frame(frame).label, want)
        before = image


@pytest.mark.parametrize('loader', [{}, dict(test_dataloader=None)])
def test_without_test_data_the_flow_is_the_default(loader):
    model = SimpleNamespace(flow_compensated=True)
    flow = flow_of(Config(loader), model)
    assert flow.settings == FlowToPrevious().settings


def test_the_net_runs_on_some_frames(tmp_path, video):
    config_path, checkpoint, model = saved('rnn_unet_gated_ema', tmp_path)
    inferencer = VideoSegInferencer(config_path, checkpoint, 'cpu', every=3)
    found = list(inferencer.predict(list(video)))
    assert [p.full for p in found] == [True, False, False, True]
    # In place: the state stays, and with it the answer.
    np.testing.assert_array_equal(found[2].label, found[0].label)
    # Streams of a batch that are at different frames.
    inferencer.predict_frame(video[0], 'a')
    got = inferencer.predict_frames({'a': video[1], 'b': video[1]})
    assert [got[k].full for k in 'ab'] == [False, True]
    assert agree(got['a'].label, predicted(model, video[:1]))
    assert agree(got['b'].label, predicted(model, video[1:2]))
    config_path, checkpoint, _ = saved('unet_finetune', tmp_path)
    with pytest.raises(ValueError, match='every=3: EncoderDecoder keeps no'):
        VideoSegInferencer(config_path, checkpoint, 'cpu', every=3)


def test_broken_states_stay_out_of_the_stream(tmp_path, video, monkeypatch):
    config_path, checkpoint, model = saved('rnn_unet', tmp_path)
    inferencer = VideoSegInferencer(config_path, checkpoint, 'cpu')
    streams = {'a': video[0], 'b': video[1]}
    inferencer.predict_frames(streams)
    step = inferencer.model.step

    def broken(frames, states, flow):
        logits, after = step(frames, states, flow)
        after['neck.0.1'][0][0] = float('nan')  # of the first stream
        return logits, after

    with monkeypatch.context() as patch:
        patch.setattr(inferencer.model, 'step', broken)
        inferencer.predict_frames({'a': video[2], 'b': video[2]})
    got = inferencer.predict_frames({'a': video[3], 'b': video[3]})
    assert agree(got['a'].label, predicted(model, video[[0, 3]]))
    assert agree(got['b'].label, predicted(model, video[1:]))


def test_a_camera_number_and_a_path(tmp_path, video):
    config_path, checkpoint, _ = saved('rnn_unet', tmp_path)
    inferencer = VideoSegInferencer(config_path, checkpoint, 'cpu')
    folder = tmp_path / 'frames'
    folder.mkdir()
    cv2.imwrite(str(folder / '0.png'), video[0])
    (got,) = inferencer.predict(folder)
    np.testing.assert_array_equal(got.frame, video[0])
    with pytest.raises(OSError, match='camera 97 cannot be opened'):
        next(inferencer.predict(97))


def test_probabilities(tmp_path, video):
    config_path, checkpoint, _ = saved('rnn_unet', tmp_path)
    inferencer = VideoSegInferencer(
        config_path, checkpoint, 'cpu', probabilities=True
    )
    got = inferencer.predict_frame(video[0])
    assert got.probabilities.shape == (19, 64, 128)
    np.testing.assert_allclose(got.probabilities.sum(0), 1, rtol=1e-4)
    np.testing.assert_array_equal(got.probabilities.argmax(0), got.label)


@pytest.mark.parametrize(
    'frame',
    [
        np.zeros((64, 128), np.uint8),
        np.zeros((64, 128, 4), np.uint8),
        np.zeros((64, 128, 3), np.float32),
        'frame.png',
    ],
    ids=['grey', 'with alpha', 'float', 'a path'],
)
def test_what_is_no_frame_is_refused(frame, tmp_path, video):
    config_path, checkpoint, model = saved('rnn_unet', tmp_path)
    inferencer = VideoSegInferencer(config_path, checkpoint, 'cpu')
    inferencer.predict_frame(video[0])
    with pytest.raises(ValueError, match=r"'default': a frame must be \(H, W"):
        inferencer.predict_frame(frame)
    # The stream goes on.
    got = inferencer.predict_frame(video[1]).label
    assert agree(got, predicted(model, video[:2]))


def test_a_checkpoint_of_another_architecture(tmp_path):
    config_path, _, _ = saved('rnn_unet', tmp_path)
    _, checkpoint, _ = saved('unet_finetune', tmp_path)
    with pytest.raises(RuntimeError, match=r'not in the checkpoint: neck'):
        VideoSegInferencer(config_path, checkpoint, 'cpu')


def test_no_checkpoint(tmp_path):
    config_path, _, _ = saved('rnn_unet', tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no checkpoint 'none.pth'"):
        VideoSegInferencer(config_path, 'none.pth', 'cpu')


def test_a_framewise_model_that_sees_windows(video):
    """As in mmseg's test, several frames in one batch too."""
    windows = dict(mode='slide', crop_size=(32, 64), stride=(24, 48))
    model = build(FRAMEWISE, test_cfg=windows)
    inferencer = VideoSegInferencer.from_model(
        *(model, ['a'] * NUM_CLASSES, [[0] * 3] * NUM_CLASSES), device='cpu'
    )
    found = inferencer.predict_frames({'a': video[0], 'b': video[1]})
    for frame, prediction in zip(video, found.values(), strict=False):
        np.testing.assert_array_equal(
            prediction.label, predicted(model, frame[None])
        )


def binary(cfg, frames, **changes):
    """A model with one logit for two classes, and what mmseg says of frames
    (N, H, W, 3)."""
    model = build(cfg, decode_head=BINARY, **changes)
    images = torch.from_numpy(frames).permute(0, 3, 1, 2)
    data = dict(inputs=list(images))
    split_by_threshold(model, model.data_preprocessor(data)['inputs'])
    want = [
        sample.pred_sem_seg.data[0].numpy()
        for image in images
        for sample in model.test_step(dict(inputs=[image]))
    ]
    assert 0.2 < np.mean(want) < 0.8
    return model, want


@pytest.mark.parametrize('cfg', [FRAMEWISE, RECURRENT])
def test_one_logit_for_two_classes(cfg, video):
    model, want = binary(cfg, video[:1])
    inferencer = VideoSegInferencer.from_model(
        *(model, ['no', 'yes'], [[0] * 3, [255] * 3]),
        device='cpu',
        probabilities=True,
    )
    prediction = inferencer.predict_frame(video[0])
    np.testing.assert_array_equal(prediction.label, want[0])
    assert prediction.probabilities.shape == (2, 64, 128)
    np.testing.assert_allclose(prediction.probabilities.sum(0), 1, rtol=1e-5)


@pytest.mark.parametrize('of', ['logits', 'probabilities'])
def test_one_logit_behind_a_filter(of, video):
    """On propagated frames too, and by past and future."""
    still = np.stack([video[0]] * 3)
    filter = dict(type='EMAFilter', of=of)
    model, want = binary(RECURRENT, still[:1], filter=filter, neck=None)
    inferencer = VideoSegInferencer.from_model(
        *(model, ['no', 'yes'], [[0] * 3, [255] * 3]), device='cpu', every=2
    )
    for lag in (None, 1):
        for prediction in inferencer.predict(still, lag=lag):
            assert agree(prediction.label, want[0])
    *_, last = watch_memory(inferencer, still)
    assert agree(last.before, want[0])
