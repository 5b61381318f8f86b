"""Mixed precision of a test reaches the backbone, and leaves the figures."""

import pytest
import torch
from mmengine.runner import Runner

from mmseg_video.evaluation.protocol import Protocol
from tests.runs import config

TYPES = [
    (False, torch.float32),
    (True, torch.bfloat16),  # of a CPU
    ('bfloat16', torch.bfloat16),
    ('float16', torch.float16),
]


@pytest.mark.parametrize(('amp', 'dtype'), TYPES)
def test_the_backbone_computes_in_the_type_asked_for(
    amp, dtype, root, tmp_path
):
    if torch.cuda.is_available() and amp is True:
        dtype = torch.float16
    cfg = config('unet', root, tmp_path)
    cfg.default_scope = 'mmseg'
    Protocol(amp=amp).apply(cfg)
    runner = Runner.from_cfg(cfg)
    seen = []
    runner.model.backbone.register_forward_hook(
        lambda module, inputs, maps: seen.append(maps[-1].dtype)
    )
    metrics = runner.test()
    assert set(seen) == {dtype}
    assert 0 <= metrics['aAcc'] <= 100
    assert 'test_step' not in vars(runner.model)
