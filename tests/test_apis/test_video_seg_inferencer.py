"""A stream must be worth what a clip is, and no stream may see another."""

import cv2
import numpy as np
import pytest
import torch

from mmseg_video.apis import VideoSegInferencer
from tests.models import build, wake
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
