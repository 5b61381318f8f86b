"""No logger may keep a training from going on."""

import sys
import time
import types

import numpy as np
import pytest
from mmengine import Config
from mmseg.registry import VISBACKENDS

from mmseg_video.engine import loggers


class Error(Exception):
    pass


def fake_wandb(online):
    """A module that logs in only where it can."""
    module = types.ModuleType('wandb')
    module.errors = types.SimpleNamespace(Error=Error)
    module.calls, module.rows = [], []

    def init(**kwargs):
        module.calls.append(kwargs)
        if not online and kwargs.get('mode') != 'offline':
            raise Error('No API key configured')

    module.init = init
    module.log = lambda row, **_: module.rows.append(row)
    return module


def backend(tmp_path, name='WandbVisBackend', **kwargs):
    return VISBACKENDS.build(dict(type=name, save_dir=str(tmp_path), **kwargs))


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(
        loggers, 'print_log', lambda text, *_: lines.append(text)
    )
    return lines


@pytest.mark.parametrize('online', [True, False])
def test_offline_only_where_it_cannot_go_online(online, tmp_path, monkeypatch):
    wandb = fake_wandb(online)
    monkeypatch.setitem(sys.modules, 'wandb', wandb)
    kwargs = dict(project='mmseg_video')
    backend(tmp_path, init_kwargs=kwargs).add_scalar('loss', 1.5)
    call = wandb.calls[-1]
    assert call.get('mode') == (None if online else 'offline')
    assert call['project'] == 'mmseg_video'
    assert call['settings']['init_timeout'] == 15
    assert wandb.rows == [{'loss': 1.5}]


@pytest.mark.parametrize('mode', ['offline', None])
def test_the_real_package(mode, tmp_path, monkeypatch):
    """Without a key: asked to stay offline, and not asked."""
    pytest.importorskip('wandb', reason='the extra wandb is not installed')
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.delenv('WANDB_API_KEY', raising=False)
    monkeypatch.delenv('WANDB_MODE', raising=False)
    if mode:
        monkeypatch.setenv('WANDB_MODE', mode)
    # On a busy machine its own start alone may take longer.
    monkeypatch.setattr(loggers, 'LIMIT', 120)
    own = backend(tmp_path)
    own.add_config(Config(dict(num_frames=5)))
    own.add_scalar('loss', 1.5, step=1)
    own.add_image('frame', np.zeros((8, 8, 3), np.uint8))
    own.close()
    (log,) = tmp_path.glob('wandb/offline-run-*/*.wandb')
    assert log.stat().st_size > 0


def test_what_is_not_installed_is_said_once(tmp_path, monkeypatch, said):
    monkeypatch.setitem(sys.modules, 'wandb', None)
    logger = backend(tmp_path)
    for step in range(3):
        logger.add_scalar('loss', 1.5, step)
    logger.close()
    (line,) = said
    assert 'WandbVisBackend is left out' in line
    assert 'pip install wandb' in line


def test_whatever_a_logger_raises_later(tmp_path, monkeypatch, said):
    wandb = fake_wandb(True)
    monkeypatch.setitem(sys.modules, 'wandb', wandb)
    logger = backend(tmp_path)
    logger.add_scalar('loss', 1.0)

    def log(row, **_):
        raise ConnectionError('network is unreachable')

    wandb.log = log
    logger.add_scalar('loss', 2.0)
    logger.add_scalar('loss', 3.0)
    (line,) = said
    assert 'network is unreachable' in line


def test_a_server_that_never_answers(tmp_path, monkeypatch, said):
    monkeypatch.setattr(loggers, 'LIMIT', 0.1)
    mlflow = types.ModuleType('mlflow')
    mlflow.set_tracking_uri = lambda *_: time.sleep(5)
    monkeypatch.setitem(sys.modules, 'mlflow', mlflow)
    start = time.monotonic()
    logger = backend(
        tmp_path, 'MLflowVisBackend', tracking_uri='http://nowhere'
    )
    logger.add_scalars(dict(loss=1.0))
    assert time.monotonic() - start < 2
    assert 'no answer' in said[0]


def test_tensorboard_is_not_installed(tmp_path, monkeypatch, said):
    for name in ('tensorboard', 'tensorboardX', 'torch.utils.tensorboard'):
        monkeypatch.setitem(sys.modules, name, None)
    backend(tmp_path, 'TensorboardVisBackend').add_scalar('loss', 1.0)
    assert 'TensorboardVisBackend is left out' in said[0]
