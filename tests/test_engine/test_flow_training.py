"""A flow-compensated model from its training to its streamed test."""

import pytest
from mmengine.runner import Runner

from mmseg_video.evaluation.protocol import Protocol
from tests.runs import config


def test_it_trains_validates_and_streams(root, tmp_path):
    """Flow reaches the loss, the validation, the drawn clip and the stream,
    from the loader's workers."""
    name, workers = 'rnn_unet_gated_ema_flow', 'dataloader.num_workers'
    workers = {f'train_{workers}': 1, f'test_{workers}': 2}
    cfg = config(name, root, tmp_path, **workers)
    Runner.from_cfg(cfg).train()
    assert list(tmp_path.rglob('val_clip*.gif'))
    for flow in (True, False):
        cfg = config(name, root, tmp_path / 'test', **workers)
        cfg.load_from = str(tmp_path / 'iter_2.pth')
        Protocol(stream=True).apply(cfg)
        if not flow:
            cfg.test_dataloader.dataset.augments.flow = None
        runner = Runner.from_cfg(cfg)
        if flow:
            assert 'mIoU' in runner.test()
            continue
        with pytest.raises(ValueError, match='needs the optical flow of each'):
            runner.test()
