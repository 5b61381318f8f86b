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
from tests.checkpoints import same
from tests.commands import ROOT, tiny
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
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as end:
        runner.train()
    assert end.value.code == 128 + number
    assert signal.getsignal(number) == before
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
    assert text.count('exitcode  : 138') == 2, text[-3000:]
    saved = torch.load(tmp_path / f'run/iter_{found[1]}.pth')
    assert len(saved['processes']) == 2


def _wait_for(log, pattern, file=None):
    """Until the file says it; the number that it names."""
    for _ in range(600):
        path = file or log
        found = re.search(pattern, path.read_text() if path.exists() else '')
        if found:
            return int(found[1]) if found.groups() else None
        time.sleep(0.2)
    raise AssertionError(f'{pattern} is not in {log.read_text()[-2000:]}')
