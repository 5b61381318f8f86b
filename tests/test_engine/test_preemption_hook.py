"""Signals: a checkpoint at the end of the iteration, and a status."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmseg_video.engine import PreemptionHook
from mmseg_video.engine.checkpoints import find_last_checkpoint
from mmseg_video.engine.train_loop import VALIDATED
from tests.checkpoints import same
from tests.commands import ROOT, tiny
from tests.processes import run_job
from tests.runs import config, leaf


class Send(Hook):
    """Sends this process a signal in the middle of an iteration."""

    def __init__(self, number, at):
        self.number, self.at = number, at

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter + 1 == self.at:
            os.kill(os.getpid(), self.number)


def training(root, work_dir):
    cfg = config('unet', root, work_dir)
    cfg.train_cfg.update(max_iters=3, val_interval=99)
    cfg.default_hooks.checkpoint.update(interval=99, max_keep_ckpts=1)
    cfg.visualizer.vis_backends = []
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    # Message hubs are kept by name, and names are told apart by the second.
    cfg.experiment_name = uuid.uuid4().hex
    return cfg


@pytest.mark.parametrize('name', ['SIGTERM', 'SIGINT', 'SIGUSR1'])
def test_a_checkpoint_is_written_and_the_training_goes_on(
    name, root, framewise, tmp_path, capfd
):
    number = getattr(signal, name)
    cfg = training(root, tmp_path / 'part')
    runner = Runner.from_cfg(cfg)
    runner.register_hook(Send(number, 2))
    numbers = (number, signal.SIGCHLD)  # PyTorch sets the latter once
    before = [signal.getsignal(n) for n in numbers]
    with pytest.raises(SystemExit) as end:
        runner.train()
    assert end.value.code == 128 + number
    assert [signal.getsignal(n) for n in numbers] == before
    path = tmp_path / 'part/iter_2.pth'
    line = f"stopped by {name} after iteration 2: '{path}' is written"
    assert line in capfd.readouterr().err
    if name != 'SIGTERM':
        return
    cfg = training(root, tmp_path / 'part')
    cfg.resume, cfg.load_from = True, find_last_checkpoint(path.parent)
    Runner.from_cfg(cfg).train()
    # The extra one goes when the next is there.
    assert [p.name for p in path.parent.glob('*.pth')] == ['iter_3.pth']
    Runner.from_cfg(training(root, tmp_path / 'whole')).train()
    same(tmp_path / 'whole/iter_3.pth', tmp_path / 'part/iter_3.pth')


def test_without_checkpoints_nothing_goes_on(root, tmp_path, capfd):
    cfg = training(root, tmp_path)
    cfg.default_hooks.checkpoint = None
    runner = Runner.from_cfg(cfg)
    runner.register_hook(Send(signal.SIGTERM, 1))
    with pytest.raises(SystemExit):
        runner.train()
    output = capfd.readouterr()
    assert 'nothing is written, since it has no Chec' in output.err
    assert '--resume' not in output.err


def test_signals_that_follow(monkeypatch):
    """torchrun sends one again at once; a user presses twice."""
    hook, sent = PreemptionHook(), []
    monkeypatch.setattr(os, 'kill', lambda pid, number: sent.append(number))
    monkeypatch.setattr(signal, 'signal', lambda *_: None)
    clock = iter([10.0, 10.5, 15.0])
    monkeypatch.setattr(time, 'monotonic', lambda: next(clock))
    for _ in range(2):
        hook._note(signal.SIGINT, None)
    assert not sent
    hook._note(signal.SIGINT, None)
    assert sent == [signal.SIGINT]


def test_what_becomes_of_workers_is_told_again_afterwards():
    def told(*_):
        """As PyTorch's loader sets it, once in a process."""

    before = signal.signal(signal.SIGCHLD, told)
    try:
        hook = PreemptionHook()
        hook._note(signal.SIGTERM, None)
        assert signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL
        hook.release_signals()
        assert signal.getsignal(signal.SIGCHLD) is told
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_every_process_of_a_job(root, tmp_path):
    """Two, of which one gets the signal, on a port that is taken."""
    log = tmp_path / 'log.txt'
    options = [
        *tiny(root),
        *('train_cfg.max_iters=500', 'train_cfg.val_interval=500'),
        'default_hooks.checkpoint.interval=500',
        'visualizer.vis_backends=[]',
    ]
    path = f'{Path(sys.executable).parent}:{os.environ["PATH"]}'
    with socket.socket() as taken, open(log, 'w') as file:
        taken.bind(('127.0.0.1', 0))
        port = str(taken.getsockname()[1])
        process = subprocess.Popen(
            [
                ROOT / 'tools/dist_train.sh',
                leaf('unet_street'),
                '2',
                *('--work-dir', tmp_path / 'run'),
                *options,
            ],
            env={**os.environ, 'PATH': path, 'PORT': port},
            stdout=file,
            stderr=file,
        )
        try:
            pid = _wait_for(log, r'process (\d+)', tmp_path / 'run/.lock')
            _wait_for(log, r'Iter\(train\) +\[ *1/500\]')
            os.kill(pid, signal.SIGUSR1)
            process.wait(120)
        finally:
            process.kill()
    text = log.read_text()
    assert f'port {port} is taken' in text
    found = re.search(r'stopped by SIGUSR1 after iteration (\d+)', text)
    assert found, text[-3000:]
    assert text.count('stopped by') == 1
    assert process.returncode == 138
    assert text.splitlines()[-1].startswith(
        'processes 0, 1 ended with status 138'
    )
    saved = torch.load(tmp_path / f'run/iter_{found[1]}.pth')
    assert len(saved['processes']) == 2


WORKER = """
import os, signal, sys
from pathlib import Path
import torch
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
import mmseg_video.engine.registration
from mmseg_video.engine.hooks import preemption_hook
from mmseg_video.engine.launch import leave_processes, set_up_processes
from tests.runs import config

init_default_scope('mmseg')
root, folder = map(Path, sys.argv[1:])
rank = int(os.environ['RANK'])
preemption_hook.ASK = 1


class Send(Hook):
    def __init__(self, to):
        self.to = to

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        if rank == self.to:
            os.kill(os.getpid(), signal.SIGTERM)


def stop(name, to, interval, **val):
    cfg = config('unet', root, folder / name)
    cfg.train_cfg.update(max_iters=4, val_interval=2)
    cfg.default_hooks.checkpoint.update(interval=interval)
    cfg.visualizer.vis_backends = []
    cfg.merge_from_dict(val)
    cfg.experiment_name = name
    set_up_processes(cfg, 'pytorch')
    runner = Runner.from_cfg(cfg)
    runner.register_hook(Send(to))
    try:
        runner.train()
    except SystemExit as end:
        print(name, 'left with', end.code, flush=True)


stop('checkpoint', 1, 1)
stop('none', 1, 99)
stop('uneven', 0, 1, **{
    'val_dataloader.dataset.indices': [0],
    'val_dataloader.sampler.round_up': False,
})
leave_processes()
"""


def test_a_validation_is_left_by_all_processes(root, tmp_path):
    """Where one alone has the signal, with a checkpoint of that iteration,
    without one, and where the others have fewer batches or none."""
    worker = tmp_path / 'worker.py'
    worker.write_text(WORKER)
    # Without torchrun, which ends the others when one has left.
    codes, outputs = zip(
        *run_job(worker, root, tmp_path, folder=tmp_path), strict=True
    )
    assert codes == (0, 0), outputs
    names = ('checkpoint', 'none', 'uneven')
    for output in outputs:
        left = re.findall(r'^(\w+) left with (\d+)$', output, re.MULTILINE)
        assert left == [(name, '143') for name in names], output[-3000:]
    for name, validated in zip(names, (None, 2, 2), strict=True):
        assert f"'{tmp_path / name}/iter_2.pth' is written" in outputs[0]
        saved = torch.load(tmp_path / name / 'iter_2.pth')
        found = saved['message_hub']['runtime_info'].get(VALIDATED)
        assert found == validated, name


def _wait_for(log, pattern, file=None):
    """Until the file says it; the number that it names."""
    for _ in range(600):
        path = file or log
        found = re.search(pattern, path.read_text() if path.exists() else '')
        if found:
            return int(found[1]) if found.groups() else None
        time.sleep(0.2)
    raise AssertionError(f'{pattern} is not in {log.read_text()[-2000:]}')
