"""What a training goes on from."""

import uuid

import pytest
import torch

from mmseg_video.apis.training import train
from mmseg_video.engine.launch import load_config
from tests.runs import leaf, options


@pytest.fixture(scope='module')
def settings(root):
    changes = options(root)
    # Not of a validation, and there is none.
    changes = {k: v for k, v in changes.items() if not k.startswith('val_')}
    none = dict.fromkeys(('val_dataloader', 'val_cfg', 'val_evaluator'))
    return {**changes, **none, 'visualizer.vis_backends': []}


def run(settings, work_dir, iterations=2, resume=None, **kwargs):
    changes = {
        **settings,
        'train_cfg.max_iters': iterations,
        'experiment_name': uuid.uuid4().hex,
    }
    train(
        *(str(leaf('unet_street')), str(work_dir)),
        resume=resume,
        cfg_options=changes,
        **kwargs,
    )
    return torch.load(work_dir / f'iter_{iterations}.pth')


def test_what_a_training_goes_on_from(settings, tmp_path, capfd, monkeypatch):
    with pytest.raises(ValueError, match='must: there is nothing to resume'):
        run(settings, tmp_path, resume='must')
    first = run(settings, tmp_path, seed=7)
    # The seed is the checkpoint's; another one would be another training.
    second = run(settings, tmp_path, 3, resume='must')
    assert second['meta']['seed'] == 7
    assert second['meta']['run'] == first['meta']['run']
    with pytest.raises(ValueError, match='resumed has the seed 7; leave'):
        run(settings, tmp_path, resume='auto', seed=8)
    # torchrun --max-restarts calls again with the arguments of the start.
    monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', '1')
    assert run(settings, tmp_path, 4)['meta']['run'] == first['meta']['run']
    monkeypatch.delenv('TORCHELASTIC_RESTART_COUNT')
    # One that begins anew leaves those files, and does not go on from them.
    third = run(settings, tmp_path, 1)
    assert third['meta']['run'] != first['meta']['run']
    assert (tmp_path / 'iter_4.pth').exists()
    capfd.readouterr()
    run(settings, tmp_path, 2, resume='auto')
    output = ''.join(capfd.readouterr())
    assert "iter_4.pth' is not used: another training wrote it" in output
    assert 'goes on after iteration 1' in output
    run(settings, tmp_path, 2, resume='auto')
    output = ''.join(capfd.readouterr())
    assert 'nothing is left to train: 2 of 2 iterations are done' in output
    assert 'goes on' not in output


def test_a_config_that_says_nothing_of_randomness(
    settings, tmp_path, monkeypatch
):
    """As mmseg's own: with a seed, and resumed."""

    def load(*args):
        cfg = load_config(*args)
        cfg.pop('randomness')
        return cfg

    monkeypatch.setattr('mmseg_video.apis.training.load_config', load)
    first = run(settings, tmp_path, 1, seed=3)
    second = run(settings, tmp_path, 2, resume='must')
    assert first['meta']['seed'] == second['meta']['seed'] == 3


def test_whatever_the_config_says_of_hooks(settings, tmp_path, capfd):
    """Its hooks are those that it names, and those that keep the promises of
    a training."""
    changes = {
        **settings,
        'custom_hooks': [],
        'default_hooks.checkpoint': None,
        'default_hooks.speed': None,
        'optim_wrapper.optimizer.lr': 1e30,
    }
    with pytest.raises(RuntimeError, match='not finite'):
        run(changes, tmp_path, 3)
    assert 'this training keeps no checkpoint' in ''.join(capfd.readouterr())
