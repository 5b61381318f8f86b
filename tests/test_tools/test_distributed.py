"""Two processes, on gloo."""

import json
import os
import shutil
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.commands import ROOT, call, tiny


def test_dist_train_runs_two_processes_on_gloo(root, tmp_path):
    """From another folder, in a clone whose path has a space."""
    clone = tmp_path / 'a clone'
    clone.mkdir()
    for name in ('tools', 'configs'):
        shutil.copytree(ROOT / name, clone / name)
    code, output = call(
        clone / 'tools/dist_train.sh',
        clone / 'configs/unet_street.py',
        2,
        *('--work-dir', tmp_path / 'run'),
        *tiny(root),
        PATH=f'{Path(sys.executable).parent}:{os.environ["PATH"]}',
        PORT='29613',
    )
    assert code == 0, output[-2000:]
    assert 'Distributed launcher: pytorch' in output
    assert 'GPU number: 2' in output
    assert 'mIoU' in output
    assert (tmp_path / 'run/iter_2.pth').exists()


WORKER = """
import sys, torch, torch.distributed as dist
from mmengine.registry import init_default_scope
from mmengine.model import MMDistributedDataParallel
from mmseg_video.engine.launch import leave_processes
from tests.models import RECURRENT, NORM, build, samples, wake

init_default_scope('mmseg')
torch.set_num_threads(1)
# Batch norm would see other batches; everything else must agree.
backbone = dict(RECURRENT['backbone'], norm_cfg=NORM)
head = dict(RECURRENT['decode_head'], dropout_ratio=0)
model = wake(build(RECURRENT, backbone=backbone, decode_head=head)).train()
torch.manual_seed(5)
clips = torch.randn(4, 3, 3, 64, 64)
labels = samples(4, (64, 64))
if len(sys.argv) > 2:
    dist.init_process_group('gloo')
    rank = dist.get_rank()
    part = slice(2 * rank, 2 * rank + 2)
    wrapped = MMDistributedDataParallel(
        model, device_ids=None, broadcast_buffers=False
    )
    losses = wrapped(clips[part], labels[part], mode='loss')
else:
    rank = 0
    losses = model(clips, labels, mode='loss')
losses['decode.loss_ce'].backward()
grads = {k: p.grad for k, p in model.named_parameters()}
if rank == 0:
    torch.save(grads, sys.argv[1])
leave_processes()
"""


def test_two_processes_give_the_gradients_of_the_doubled_batch(tmp_path):
    worker = tmp_path / 'worker.py'
    worker.write_text(WORKER)
    path = f'{ROOT}{os.pathsep}{os.environ.get("PYTHONPATH", "")}'
    code, output = call(
        sys.executable, worker, tmp_path / 'one.pt', PYTHONPATH=path
    )
    assert code == 0, output[-2000:]
    code, output = call(
        *(sys.executable, '-m', 'torch.distributed.run'),
        *('--nproc_per_node', 2, '--standalone'),  # on a free port
        *(worker, tmp_path / 'two.pt', 'distributed'),
        PYTHONPATH=path,
    )
    assert code == 0, output[-2000:]
    one, two = (torch.load(tmp_path / f'{n}.pt') for n in ('one', 'two'))
    assert one.keys() == two.keys()
    for name, grad in one.items():
        torch.testing.assert_close(
            two[name], grad, rtol=1e-4, atol=1e-6, msg=name
        )


def test_streams_give_the_same_figures_in_any_number_of_processes(
    run_tool, awake, tmp_path
):
    """Two sequences: of three processes, one has nothing to do."""
    config = awake.parent / 'rnn_unet_street.py'
    options = '--stream', '--temporal', '--work-dir'
    alone = run_tool(
        *(ROOT / 'tools/test.py', config, awake, *options, tmp_path / '1')
    )
    three = call(
        *(ROOT / 'tools/dist_test.sh', config, awake, 3),
        *(*options, tmp_path / '3'),
        PATH=f'{Path(sys.executable).parent}:{os.environ["PATH"]}',
        PORT='29622',
    )
    figures = []
    for (code, output), name in ((alone, '1'), (three, '3')):
        assert code == 0, output[-2000:]
        report = json.loads((tmp_path / name / 'test_stream.json').read_text())
        figures.append(report['metrics'])
    assert {'mIoU', 'TC_ETC', 'TC_VSPW', 'flicker'} <= set(figures[0])
    assert figures[0] == pytest.approx(figures[1], nan_ok=True)


FROZEN = """
import time, torch, torch.distributed as dist
from mmengine import Config
from mmseg_video.engine.launch import cli, set_up_processes

@cli
def main():
    dist_cfg = dict(backend='nccl', timeout=2)
    cfg = Config(dict(model={}, env_cfg=dict(dist_cfg=dist_cfg)))
    set_up_processes(cfg, 'pytorch')
    if dist.get_rank():
        time.sleep(100)
    dist.all_reduce(torch.ones(1))

main()
"""


def test_a_process_that_stands_still_ends_the_job(tmp_path):
    worker = tmp_path / 'worker.py'
    worker.write_text(FROZEN)
    path = f'{ROOT}{os.pathsep}{os.environ.get("PYTHONPATH", "")}'
    start = time.monotonic()
    code, output = call(
        *(sys.executable, '-m', 'torch.distributed.run'),
        *('--nproc_per_node', 2, '--standalone', worker),
        PYTHONPATH=path,
    )
    assert code != 0
    assert 'error: another process of this job does not answer' in output
    assert time.monotonic() - start < 90
