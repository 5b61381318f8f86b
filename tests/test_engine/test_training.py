"""Training, validation and tests from the configs, on tiny street scenes."""

import json
import os

import pytest
import torch
from mmengine.runner import Runner

from mmseg_video.engine import AtomicLocalBackend
from tests.runs import config


def log(work_dir):
    return ''.join(p.read_text() for p in work_dir.glob('*/*.log'))


def test_warm_start_says_what_it_loaded(recurrent):
    assert 'not in the checkpoint: neck' in log(recurrent)


def test_recurrent_modules_learn(framewise, recurrent):
    after = torch.load(recurrent / 'iter_2.pth', weights_only=False)
    proj = after['state_dict']['neck.rnns.3.proj.weight']
    assert proj.abs().sum() > 0


def test_clip_is_logged_as_strip_and_gif(recurrent):
    images = list(recurrent.glob('*/vis_data/vis_image/*'))
    assert {p.suffix for p in images} == {'.png', '.gif'}


def test_checkpoints_are_written_atomically(root, tmp_path, monkeypatch):
    written = []
    put = AtomicLocalBackend.put

    def watch(self, obj, filepath):
        written.append(os.path.basename(filepath))
        put(self, obj, filepath)

    monkeypatch.setattr(AtomicLocalBackend, 'put', watch)
    cfg = config('unet', root, tmp_path)
    cfg.train_cfg.max_iters = 3
    Runner.from_cfg(cfg).train()
    # Those of validated iterations once more, to say so.
    assert written == [f'iter_{i}.pth' for i in (1, 2, 2, 3, 3)]
    kept = sorted(p.name for p in tmp_path.glob('*.pth'))
    assert kept == ['iter_2.pth', 'iter_3.pth']


def test_resume_goes_on(root, tmp_path):
    Runner.from_cfg(config('unet', root, tmp_path)).train()
    cfg = config('unet', root, tmp_path, resume=True)
    cfg.train_cfg.max_iters = 3
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.iter == 3
    assert 'resumed epoch: 0, iter: 2' in log(tmp_path)


@pytest.mark.parametrize('num_frames', [1, 5, 12])
def test_tests_on_clips(root, recurrent, num_frames, tmp_path):
    cfg = config('rnn_unet', root, tmp_path)
    cfg.load_from = str(recurrent / 'iter_2.pth')
    cfg.test_dataloader.dataset.num_frames = num_frames
    metrics = Runner.from_cfg(cfg).test()
    assert 0 <= metrics['mIoU'] <= 100


def test_tests_on_a_stream_equal_the_long_clip(root, awake, tmp_path):
    """The key frame is the stream's twelfth: T=12 from the same frames."""
    results = {}
    for mode, num_frames in (('clip', 12), ('clip', 1), ('stream', 1)):
        cfg = config('rnn_unet', root, tmp_path)
        cfg.load_from = str(awake)
        dataset = cfg.test_dataloader.dataset
        dataset.mode, dataset.num_frames = mode, num_frames
        cfg.model.test_cfg.streaming = mode == 'stream'
        results[mode, num_frames] = Runner.from_cfg(cfg).test()
    long, stream = results['clip', 12], results['stream', 1]
    assert long['aAcc'] != results['clip', 1]['aAcc']
    assert long['aAcc'] == stream['aAcc']
    assert long['mIoU'] == pytest.approx(stream['mIoU'], nan_ok=True)


def test_a_checkpoint_that_does_not_cover_the_model_is_not_tested(
    root, framewise, tmp_path
):
    cfg = config('rnn_unet', root, tmp_path)
    cfg.load_from = str(framewise / 'iter_2.pth')
    with pytest.raises(RuntimeError, match='random initialisation'):
        Runner.from_cfg(cfg).test()


def test_test_time_augmentation(root, recurrent, tmp_path):
    cfg = config('rnn_unet', root, tmp_path)
    cfg.load_from = str(recurrent / 'iter_2.pth')
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    cfg.tta_model.module = cfg.model
    cfg.model = cfg.tta_model
    assert 0 <= Runner.from_cfg(cfg).test()['mIoU'] <= 100


def test_scalars_are_there_for_the_curves(recurrent):
    (path,) = recurrent.glob('*/vis_data/scalars.json')
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert any('loss' in row for row in rows)
    assert any('mIoU' in row for row in rows)
