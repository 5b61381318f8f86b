"""Gradient accumulation over clips: MMEngine's accumulative_counts.

That a training which accumulates resumes exactly: test_exact_resume.py.
"""

import pytest
import torch
from mmengine.optim import OptimWrapper

from tests.models import NORM, RECURRENT, build, samples, wake

GATED = dict(cell=dict(type='GatedEMACell'), connection='standard')
CHANGES = dict(
    backbone=dict(RECURRENT['backbone'], norm_cfg=NORM),
    decode_head=dict(RECURRENT['decode_head'], dropout_ratio=0),
    head_rnns=dict(conv_seg=GATED),
)


@pytest.mark.parametrize(
    'train_cfg', [{}, dict(checkpoint_frames=1), dict(ref_grad='states')]
)
def test_clips_one_by_one_are_one_batch(train_cfg):
    torch.manual_seed(0)
    inputs, labels = torch.randn(2, 3, 3, 32, 64), samples(2, (32, 64))
    weights = []
    for batches in ([slice(0, 2)], [slice(0, 1), slice(1, 2)]):
        model = wake(build(RECURRENT, train_cfg=train_cfg, **CHANGES)).train()
        wrapper = OptimWrapper(
            torch.optim.SGD(model.parameters(), lr=0.1),
            accumulative_counts=len(batches),
        )
        wrapper.initialize_count_status(model, 0, len(batches))
        for batch in batches:
            with wrapper.optim_context(model):
                losses = model.loss(inputs[batch], labels[batch])
            wrapper.update_params(losses['decode.loss_ce'])
        weights.append(model.state_dict())
    whole, parts = weights
    before = wake(build(RECURRENT, **CHANGES)).state_dict()
    for name, value in whole.items():
        torch.testing.assert_close(
            parts[name], value, rtol=1e-4, atol=1e-6, msg=name
        )
    assert not torch.equal(
        whole['backbone.conv1.weight'], before['backbone.conv1.weight']
    )
