"""wandb without a key or a network must not stop a training."""

import sys
import types

import numpy as np
import pytest
from mmengine import Config
from mmseg.registry import VISBACKENDS


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


def backend(tmp_path):
    return VISBACKENDS.build(
        dict(
            type='WandbVisBackend',
            save_dir=str(tmp_path),
            init_kwargs=dict(project='mmseg_video'),
        )
    )


@pytest.mark.parametrize('online', [True, False])
def test_offline_only_where_it_cannot_go_online(online, tmp_path, monkeypatch):
    wandb = fake_wandb(online)
    monkeypatch.setitem(sys.modules, 'wandb', wandb)
    backend(tmp_path).add_scalar('loss', 1.5)
    assert wandb.calls[-1].get('mode') == (None if online else 'offline')
    assert wandb.calls[-1]['project'] == 'mmseg_video'
    assert wandb.rows == [{'loss': 1.5}]


def test_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'wandb', None)
    with pytest.raises(RuntimeError, match='pip install wandb'):
        backend(tmp_path).add_scalar('loss', 1.5)


@pytest.mark.parametrize('mode', ['offline', None])
def test_the_real_package(mode, tmp_path, monkeypatch):
    """Without a key: asked to stay offline, and not asked."""
    pytest.importorskip('wandb', reason='the extra wandb is not installed')
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.delenv('WANDB_API_KEY', raising=False)
    monkeypatch.delenv('WANDB_MODE', raising=False)
    if mode:
        monkeypatch.setenv('WANDB_MODE', mode)
    own = backend(tmp_path)
    own.add_config(Config(dict(num_frames=5)))
    own.add_scalar('loss', 1.5, step=1)
    own.add_image('frame', np.zeros((8, 8, 3), np.uint8))
    own.close()
    (log,) = tmp_path.glob('wandb/offline-run-*/*.wandb')
    assert log.stat().st_size > 0
