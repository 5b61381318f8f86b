"""Two processes, on gloo."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from mmseg_video.cli import launch_processes
from tests.commands import ROOT, call, tiny
from tests.processes import run_job


def test_dist_train_runs_two_processes_on_gloo(root, tmp_path):
    """From another folder, in a clone whose path has a space, while another
    job has the port."""
    clone = tmp_path / 'a clone'
    clone.mkdir()
    for name in ('tools', 'configs'):
        shutil.copytree(ROOT / name, clone / name)
    with socket.create_server(('127.0.0.1', 0)) as other:
        port = other.getsockname()[1]
        code, output = call(
            clone / 'tools/dist_train.sh',
            clone / 'configs/unet_street.py',
            2,
            *('--work-dir', tmp_path / 'run'),
            *tiny(root),
            PATH=f'{Path(sys.executable).parent}:{os.environ["PATH"]}',
            PORT=str(port),
        )
    assert code == 0, output[-2000:]
    assert f'port {port} is taken: uses ' in output
    assert 'Distributed launcher: pytorch' in output
    assert 'GPU number: 2' in output
    assert 'mIoU' in output
    assert (tmp_path / 'run/iter_2.pth').exists()


# A process of two fails or is killed; and both wait.
SCRIPT = """
import os, signal, sys, time
first = os.environ['RANK'] == '0'
what = sys.argv[1]
if first and what == 'fail':
    sys.exit('error: because of this')
if first and what == 'kill':
    os.kill(os.getpid(), signal.SIGKILL)
os.write(1, b'waits\\n')  # whole, beside the other's
time.sleep(60)
"""
LAUNCH = (
    *(sys.executable, '-m', 'mmseg_video.cli.launch_processes'),
    *('--standalone', '--nproc_per_node', '2'),
)


@pytest.mark.parametrize(
    ('what', 'status', 'said'),
    [
        ('fail', 1, 'process 0 ended with status 1'),
        ('kill', 137, 'process 0 ended with signal 9'),
    ],
)
def test_the_error_of_a_process_is_not_buried(what, status, said, tmp_path):
    script = tmp_path / 'script.py'
    script.write_text(SCRIPT)
    code, output = call(*LAUNCH, script, what)
    assert code == status
    assert 'Traceback' not in output
    assert ('error: because of this' in output) == (what == 'fail')
    last = output.splitlines()[-1]
    assert last == f'error: {said}; what was said stands above'


@pytest.mark.parametrize(
    ('statuses', 'status', 'said'),
    [
        # Of those that fail at once none is known to be the first.
        ({0: 1, 1: 1, 2: -15}, 1, 'processes 0, 1 ended with status 1'),
        (
            {0: 1, 1: -9},
            137,
            'process 0 ended with status 1, process 1 ended with signal 9',
        ),
        ({0: -15, 1: -15}, 143, 'processes 0, 1 ended with signal 15'),
        ({0: 138, 1: 138}, 138, 'processes 0, 1 ended with status 138'),
    ],
)
def test_how_the_processes_of_a_job_ended(statuses, status, said):
    assert launch_processes._judged(statuses) == (status, said)


def test_a_job_that_is_interrupted_ends_without_a_traceback(tmp_path):
    script = tmp_path / 'script.py'
    script.write_text(SCRIPT)
    job = subprocess.Popen(
        [*LAUNCH, str(script), 'wait'],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(2):
        assert job.stdout.readline() == 'waits\n'
    job.send_signal(signal.SIGINT)
    _, errors = job.communicate(timeout=60)
    assert job.returncode == 130
    assert 'stopped by SIGINT' in errors.splitlines()
    # The script's own is one of its kind.
    assert 'SignalException' not in errors


# Says what it is called with.
PYTHON = """#!/bin/bash
case "$2" in
  mmseg_video.cli.find_config) echo found.py ;;
  mmseg_video.cli.launch_processes) echo "$@" ;;
esac
"""


def test_dist_test_calls_the_tool_in_as_many_processes(tmp_path):
    python = tmp_path / 'python'
    python.write_text(PYTHON)
    python.chmod(0o755)
    command = ROOT / 'tools/dist_test.sh', 'unet_street', python, 3, '--stream'
    code, output = call(*command, PATH=f'{tmp_path}:{os.environ["PATH"]}')
    assert code == 0, output
    assert '--nproc_per_node 3' in output
    assert output.endswith(
        f'tools/test.py found.py {python} --launcher pytorch --stream\n'
    )


WORKER = """
import os, sys, torch, torch.distributed as dist
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
if int(os.environ['WORLD_SIZE']) > 1:
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
    for name, processes in (('one', 1), ('two', 2)):
        job = run_job(
            *(worker, tmp_path / f'{name}.pt'),
            folder=tmp_path,
            processes=processes,
        )
        for code, output in job:
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
    three = run_job(
        *(ROOT / 'tools/test.py', config, awake, *options, tmp_path / '3'),
        *('--launcher', 'pytorch'),
        folder=tmp_path,
        processes=3,
    )
    figures = []
    for (code, output), name in ((alone, '1'), (three[0], '3')):
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
    start = time.monotonic()
    (code, output), _ = run_job(worker, folder=tmp_path)
    assert code == 1
    assert 'error: another process of this job does not answer' in output
    assert time.monotonic() - start < 90
