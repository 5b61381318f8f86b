"""Mixed precision of a test reaches the backbone, and leaves the figures."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.runner import Runner
from mmengine.runner import TestLoop as MMEngineLoop

from mmseg_video.engine.test_loop import AutocastTestLoop
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


class Still(torch.nn.Module):
    """Tells the type that it computes in."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)

    def test_step(self, batch):
        return self.layer(torch.ones(1, 2)).dtype


def test_a_model_on_the_cpu_of_a_machine_with_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    model, seen = Still(), []
    monkeypatch.setattr(
        MMEngineLoop, 'run', lambda loop: seen.append(model.test_step(None))
    )
    loop = object.__new__(AutocastTestLoop)
    loop.amp, loop._runner = True, SimpleNamespace(model=model)
    loop.run()
    assert seen == [torch.bfloat16]
