"""A stream must be worth what a clip is, and no stream may see another."""

import numpy as np
import pytest
import torch

from mmseg_video.apis import Segmenter
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
    segmenter = Segmenter(config_path, checkpoint, 'cpu')
    for t, frame in enumerate(video):
        assert agree(segmenter(frame), predicted(model, video[: t + 1]))
    alone = predicted(model, video[-1:])
    assert not agree(segmenter(video[-1]), alone)
    segmenter.reset()
    assert agree(segmenter(video[-1]), alone)


def test_another_size_begins_another_stream(tmp_path, video):
    config_path, checkpoint, model = saved('rnn_unet', tmp_path)
    segmenter = Segmenter(config_path, checkpoint, 'cpu')
    segmenter(video[0])
    small = np.ascontiguousarray(video[1][:, :96])
    assert agree(segmenter(small), predicted(model, small[None]))


def test_framewise_models_have_no_past(tmp_path, video):
    config_path, checkpoint, _ = saved('unet_finetune', tmp_path)
    segmenter = Segmenter(config_path, checkpoint, 'cpu')
    first = segmenter(video[0])
    segmenter(video[1])
    np.testing.assert_array_equal(segmenter(video[0]), first)
    assert first.shape == (64, 128)
    assert first.dtype == np.uint8
    assert segmenter.classes[0] == 'road'


def test_a_checkpoint_of_another_architecture(tmp_path):
    config_path, _, _ = saved('rnn_unet', tmp_path)
    _, checkpoint, _ = saved('unet_finetune', tmp_path)
    with pytest.raises(RuntimeError, match=r'not in the checkpoint: neck'):
        Segmenter(config_path, checkpoint, 'cpu')


def test_no_checkpoint(tmp_path):
    config_path, _, _ = saved('rnn_unet', tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no checkpoint 'none.pth'"):
        Segmenter(config_path, 'none.pth', 'cpu')
