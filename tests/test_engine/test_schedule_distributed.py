"""Freezing, burn-in and growing clips in two processes, on gloo."""

import torch

from tests.processes import run_job

WORKER = """
import sys
import torch, torch.distributed as dist
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
import mmseg_video
from mmseg_video.engine import FiniteLossHook
from mmseg_video.engine.launch import set_up_processes
from tests.runs import config

init_default_scope('mmseg')
root, work_dir = sys.argv[1:]
cfg = config('rnn_unet_joint', root, work_dir)
set_up_processes(cfg, 'pytorch')
cfg.train_cfg.max_iters, cfg.train_cfg.val_interval = 3, 100
cfg.val_dataloader = cfg.val_evaluator = cfg.val_cfg = None
cfg.visualizer.vis_backends = []
cfg.train_dataloader.batch_size = 1
cfg.train_dataloader.dataset.num_frames = 4
cfg.model.train_cfg = dict(burn_in=2, checkpoint_frames=1)
cfg.default_hooks.update(
    freeze=dict(type='FreezeHook', num_iters=1),
    grow=dict(type='GrowClipHook', milestones={2: 5}),
)
runner = Runner.from_cfg(cfg)
weights = {}

class Watch(FiniteLossHook):
    def after_train_iter(self, runner, *args, data_batch=None, **kwargs):
        state = runner.model.module.state_dict()
        weights[runner.iter] = {k: v.clone() for k, v in state.items()}
        weights[runner.iter]['T'] = torch.tensor(len(data_batch['inputs'][0]))

    def before_train(self, runner):
        torch.save(runner.model.module.state_dict(), f'{work_dir}/start.pt')

if dist.get_rank():
    Watch.before_train = FiniteLossHook.before_train
runner.register_hook(Watch())
runner.train()
torch.save(weights, f'{work_dir}/rank{dist.get_rank()}.pt')
"""


def test_two_processes_freeze_release_and_grow(root, tmp_path):
    worker = tmp_path / 'worker.py'
    worker.write_text(WORKER)
    for code, output in run_job(worker, root, tmp_path, folder=tmp_path):
        assert code == 0, output[-2000:]
    zero, one = (torch.load(tmp_path / f'rank{r}.pt') for r in (0, 1))
    assert [int(zero[i]['T']) for i in range(3)] == [4, 4, 5]
    for i in range(3):
        for key, value in zero[i].items():
            # Statistics are each process's own.
            if 'running_' not in key:
                assert torch.equal(one[i][key], value), (i, key)
    start = torch.load(tmp_path / 'start.pt')
    for key, value in start.items():
        frozen = not key.startswith('neck')
        if frozen or '.proj.' in key:
            assert torch.equal(zero[0][key], value) == frozen, key
    for key in ('backbone.conv1.weight', 'decode_head.conv_seg.weight'):
        assert not torch.equal(zero[1][key], zero[0][key])
        assert not torch.equal(zero[2][key], zero[1][key])
