"""The temporal configs trained through MMEngine's Runner, tiny."""

import pytest
import torch
from mmengine import Config
from mmengine.runner import Runner

from tests.runs import config
from tests.runs import leaf as path_of


def leaf(name, dataset, root, work_dir, **changes):
    """The leaf ``rnn_unet_<name>_cityscapes``'s diff on the street config."""
    cfg = config('rnn_unet_joint', root, work_dir, **changes)
    ours = Config.fromfile(path_of(f'rnn_unet_{name}_{dataset}'))
    cfg.model.clip_losses = ours.model.get('clip_losses')
    cfg.train_dataloader.dataset.augments = ours.train_dataloader.dataset.get(
        'augments'
    )
    for key in ('constructor', 'discriminator'):
        if key in ours.optim_wrapper:
            cfg.optim_wrapper[key] = ours.optim_wrapper[key]
    return cfg


def weights(path):
    return torch.load(path, weights_only=False)


def log(work_dir):
    return ''.join(p.read_text() for p in work_dir.glob('*/*.log'))


@pytest.fixture(scope='module')
def adversarial(root, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('adversarial')
    cfg = leaf('adversarial_pairs', 'cityscapes', root, work_dir)
    Runner.from_cfg(cfg).train()
    return work_dir


class TestAdversarial:
    def test_trains_with_two_optimisers(self, adversarial):
        state = weights(adversarial / 'iter_2.pth')
        assert set(state['optimizer']) == {'segmentor', 'discriminator'}
        assert set(state['param_schedulers']) == set(state['optimizer'])
        first = weights(adversarial / 'iter_1.pth')['state_dict']
        name = 'clip_losses.adversarial.discriminator.score.weight'
        assert not torch.equal(first[name], state['state_dict'][name])
        text = log(adversarial)
        for name in ('loss_discriminator', 'segmentor.lr'):
            assert name in text

    def test_resumes(self, adversarial, root, tmp_path):
        cfg = leaf('adversarial_pairs', 'cityscapes', root, tmp_path)
        cfg.resume, cfg.load_from = True, str(adversarial / 'iter_2.pth')
        cfg.train_cfg.max_iters = 3
        runner = Runner.from_cfg(cfg)
        runner.train()
        assert runner.iter == 3
        state = weights(tmp_path / 'iter_3.pth')['optimizer']
        adam = state['discriminator']['state'][0]
        assert int(adam['step']) == 3
        # The shared schedule went on for both.
        rates = [w['param_groups'][0]['lr'] for w in state.values()]
        assert len(set(rates)) == 2

    def test_is_tested_with_and_without_the_discriminator(
        self, adversarial, root, tmp_path
    ):
        state = weights(adversarial / 'iter_2.pth')
        stripped = {
            k: v
            for k, v in state['state_dict'].items()
            if not k.startswith('clip_losses.')
        }
        torch.save(dict(state_dict=stripped), tmp_path / 'stripped.pth')
        results = []
        for name, checkpoint in (
            ('adversarial_pairs', adversarial / 'iter_2.pth'),
            ('adversarial_pairs', tmp_path / 'stripped.pth'),
            ('noise', adversarial / 'iter_2.pth'),  # has no discriminator
        ):
            cfg = leaf(name, 'cityscapes', root, tmp_path)
            cfg.load_from = str(checkpoint)
            results.append(Runner.from_cfg(cfg).test()['aAcc'])
        assert results[0] == results[1] == results[2]


@pytest.mark.parametrize('name', ['augmented', 'consistency'])
def test_street_configs_train(name, root, tmp_path):
    cfg = leaf(name, 'street', root, tmp_path)
    # The tiny snippets begin eleven frames before the key frame.
    cfg.train_dataloader.dataset.missing = 'repeat'
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    runner = Runner.from_cfg(cfg)
    runner.train()
    text = log(tmp_path)
    assert ('consistency.loss_consistency' in text) == (name == 'consistency')


def test_the_framewise_net_trains_with_the_consistency_loss(
    root, framewise, tmp_path
):
    cfg = config('unet_finetune_consistency', root, tmp_path)
    cfg.load_from = str(framewise / 'iter_2.pth')
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    Runner.from_cfg(cfg).train()
    text = log(tmp_path)
    assert 'consistency.loss_consistency' in text
    assert 'not in the checkpoint' not in text
    # Its checkpoint is a framewise one.
    cfg = config('unet', root, tmp_path)
    cfg.load_from = str(tmp_path / 'iter_2.pth')
    assert 0 <= Runner.from_cfg(cfg).test()['aAcc'] <= 100


def test_a_weight_that_is_not_a_number_keeps_the_last_checkpoint(
    root, tmp_path
):
    cfg = config('unet', root, tmp_path)
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    Runner.from_cfg(cfg).train()
    good = weights(tmp_path / 'iter_2.pth')['state_dict']
    cfg = config('unet', root, tmp_path, resume=True)
    cfg.train_cfg.max_iters = 9
    cfg.model.decode_head.loss_decode.loss_weight = float('nan')
    cfg.default_hooks.checkpoint.max_keep_ckpts = 1
    with pytest.raises(RuntimeError) as error:
        Runner.from_cfg(cfg).train()
    text = str(error.value)
    assert 'iteration 3 is not finite: decode.loss_ce is nan' in text
    assert '_leftImg8bit.png' in text
    assert "iter_2.pth'" in text
    # Even where one checkpoint is kept alone, which goes before a new one.
    assert [p.name for p in tmp_path.glob('*.pth')] == ['iter_2.pth']
    assert all(v.isfinite().all() for v in good.values())
