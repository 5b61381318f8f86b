"""A segmentor whose weights are sharded over two processes (FSDP, gloo)."""

import os
import sys

import torch

from tests.commands import ROOT, call

WORKER = """
import sys

import torch
import torch.distributed as dist
from mmengine.model.wrappers import MMFullyShardedDataParallel
from mmengine.registry import init_default_scope
from mmseg.models.backbones.resnet import BasicBlock
from torch.distributed.fsdp.wrap import ModuleWrapPolicy

import mmseg_video.engine.registration
from tests.models import NORM, RECURRENT, build, samples, wake

init_default_scope('mmseg')
dist.init_process_group('gloo')
rank = dist.get_rank()
GATED = dict(cell=dict(type='GatedEMACell'), connection='standard')


def segmentor(train_cfg):
    return wake(
        build(
            RECURRENT,
            train_cfg=train_cfg,
            backbone=dict(RECURRENT['backbone'], norm_cfg=NORM),
            decode_head=dict(RECURRENT['decode_head'], dropout_ratio=0),
            head_rnns=dict(conv_seg=GATED),
        )
    ).train()


def train(model, clips, labels):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        losses = model(clips, labels, mode='loss')
        losses['decode.loss_ce'].backward()
        optimizer.step()
        optimizer.zero_grad()


results = []
for train_cfg in ({}, dict(checkpoint_frames=1), dict(ref_grad='states')):
    torch.manual_seed(0)
    clips, labels = torch.randn(2, 3, 3, 32, 64), samples(2, (32, 64))
    whole = segmentor(train_cfg)
    train(whole, clips, labels)
    sharded = MMFullyShardedDataParallel(
        segmentor(train_cfg),
        device_id=torch.device('cpu'),
        use_orig_params=True,
        auto_wrap_policy=ModuleWrapPolicy({BasicBlock}),
    )
    shard = sum(p.numel() for p in sharded.parameters())
    # Each process its clip: together the batch of two.
    train(sharded, clips[rank : rank + 1], labels[rank : rank + 1])
    weights = sharded.state_dict()  # whole ones
    results.append((str(train_cfg), shard, whole.state_dict(), weights))
if rank == 0:
    torch.save(results, sys.argv[1])
dist.barrier()
dist.destroy_process_group()
"""


def test_sharded_weights_train_as_whole_ones(tmp_path):
    worker, out = tmp_path / 'worker.py', tmp_path / 'weights.pt'
    worker.write_text(WORKER)
    code, output = call(
        *(sys.executable, '-m', 'torch.distributed.run', '--standalone'),
        *('--nproc_per_node', 2, worker, out),
        OMP_NUM_THREADS='1',
        PYTHONPATH=f'{ROOT}{os.pathsep}{os.environ.get("PYTHONPATH", "")}',
    )
    assert code == 0, output[-3000:]
    for name, shard, whole, sharded in torch.load(out, weights_only=True):
        assert whole.keys() == sharded.keys()
        total = sum(value.numel() for value in whole.values())
        assert shard < 0.7 * total, name
        for key, value in whole.items():
            torch.testing.assert_close(
                sharded[key],
                value,
                rtol=1e-3,
                atol=1e-5,
                msg=f'{name}, {key}',
            )
