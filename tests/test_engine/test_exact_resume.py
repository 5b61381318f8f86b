"""A resumed training is the one that was never stopped, bit for bit."""

import itertools
import os
import shutil
import signal
import uuid

import pytest
import torch
from mmengine import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmseg_video.datasets.seeded import SeededBatches, mixed_seed
from mmseg_video.engine.checkpoints import find_last_checkpoint
from mmseg_video.engine.train_loop import name_loop
from tests.checkpoints import same
from tests.processes import run_job
from tests.runs import config

ITERATIONS = 3


def settings(cfg):
    """Every source of chance that a config may have."""
    cfg.train_cfg.update(max_iters=ITERATIONS, val_interval=2)
    cfg.default_hooks.checkpoint.update(interval=1, max_keep_ckpts=-1)
    cfg.visualizer.vis_backends = []
    # Message hubs are kept by name, and names are told apart by the second.
    cfg.experiment_name = uuid.uuid4().hex
    return cfg


def teacher(root, work_dir):
    """Unlabelled frames, a mean teacher, mixed samples, burn-in, noise and
    dropout."""
    cfg = config('rnn_unet_mean_teacher', root, work_dir)
    cfg.model.train_cfg = dict(burn_in=2)
    cfg.model.decode_head.dropout_ratio = 0.3
    dataset = cfg.train_dataloader.dataset
    dataset = dataset.get('dataset', dataset)
    dataset.augments = dict(
        noise=dict(type='NoiseFrames', prob=0.7),
        reverse=dict(type='ReverseRefFrames', prob=0.5),
        interval=dict(type='RandomFrameInterval', intervals=[1, 2]),
    )
    return settings(cfg)


def adversarial(root, work_dir):
    """Two optimisers, EMA, gradients of clips accumulated over two
    iterations, their decoder computed again."""
    cfg = config('unet', root, work_dir)
    cfg.model.type = 'RecurrentUNet'
    cfg.model.data_preprocessor.type = 'ClipDataPreProcessor'
    cfg.train_dataloader.dataset.num_frames = 2
    cell = dict(type='GatedEMACell')
    cfg.model.head_rnns = dict(conv_seg=dict(cell=cell, connection='standard'))
    cfg.model.train_cfg = dict(checkpoint_frames=1)
    cfg.optim_wrapper.accumulative_counts = 2
    cfg.default_hooks.ema = dict(type='EMAHook', momentum=0.1)
    cfg.model.clip_losses = dict(adversarial=dict(type='AdversarialLoss'))
    cfg.optim_wrapper.update(
        constructor='AdversarialOptimWrapperConstructor',
        discriminator=dict(optimizer=dict(type='Adam', lr=1e-4)),
    )
    return settings(cfg)


def resumed(make, root, whole, tmp_path, at, workers):
    """The training of ``make`` killed after ``at`` iterations, elsewhere."""
    for name in (f'iter_{at}.pth', 'run.json'):
        shutil.copy(whole / name, tmp_path / name)
    cfg = make(root, tmp_path)
    cfg.train_dataloader.num_workers = workers
    cfg.resume, cfg.load_from = True, str(tmp_path / f'iter_{at}.pth')
    Runner.from_cfg(cfg).train()
    return tmp_path / f'iter_{ITERATIONS}.pth'


@pytest.mark.parametrize('make', [teacher, adversarial])
def test_resumed_equals_uninterrupted(make, root, tmp_path):
    whole = tmp_path / 'whole'
    Runner.from_cfg(make(root, whole)).train()
    part = tmp_path / 'part'
    part.mkdir()
    path = resumed(make, root, whole, part, 1, 2 if make is teacher else 0)
    same(whole / path.name, path)


def epochs(root, work_dir):
    """Three epochs of two iterations; checkpoints and schedules count
    epochs."""
    cfg = settings(config('unet', root, work_dir))
    cfg.train_cfg = dict(
        type='EpochBasedTrainLoop', max_epochs=3, val_interval=2
    )
    cfg.train_dataloader.batch_size = 1
    cfg.train_dataloader.sampler = dict(type='DefaultSampler', shuffle=True)
    cfg.default_hooks.checkpoint.by_epoch = True
    cfg.param_scheduler = dict(type='StepLR', step_size=1, gamma=0.5)
    cfg.model.decode_head.dropout_ratio = 0.3
    return cfg


class Stop(Hook):
    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 2:
            os.kill(os.getpid(), signal.SIGTERM)


def test_epochs_go_on_in_their_middle(root, tmp_path):
    """Killed within the second epoch: with a checkpoint of it, after a
    signal, and with that of the first one alone."""
    whole, part = tmp_path / 'whole', tmp_path / 'part'
    Runner.from_cfg(epochs(root, whole)).train()
    runner = Runner.from_cfg(epochs(root, part))
    runner.register_hook(Stop())
    with pytest.raises(SystemExit):
        runner.train()
    begun = find_last_checkpoint(part)
    assert begun == str(part / 'epoch_1_iter_3.pth')
    for source in (begun, str(whole / 'epoch_1.pth')):
        cfg = epochs(root, part)
        cfg.train_dataloader.num_workers = int(source == begun)
        cfg.resume, cfg.load_from = True, source
        Runner.from_cfg(cfg).train()
        same(whole / 'epoch_3.pth', part / 'epoch_3.pth')
        (part / 'epoch_3.pth').unlink()


def test_a_loop_without_a_type_is_named():
    cfg = Config(dict(train_cfg=dict(by_epoch=True, max_epochs=1)))
    name_loop(cfg)
    assert cfg.train_cfg == dict(type='EpochBasedTrainLoop', max_epochs=1)


def test_skipping_reads_nothing_and_gives_the_same_samples():
    class Dealt(list):
        epoch = 0

        def set_epoch(self, epoch):
            self.epoch = epoch

        def __iter__(self):
            return iter([i + 10 * self.epoch for i in range(5)])

    whole = SeededBatches(Dealt([0] * 5), batch_size=2, seed=7)
    later = SeededBatches(Dealt([0] * 5), batch_size=2, seed=7)
    later.skip(4)
    stream = iter(whole)
    batches = [next(stream) for _ in range(7)]
    indices = [[index for index, _ in batch] for batch in batches]
    assert indices[:4] == [[0, 1], [2, 3], [4], [10, 11]]
    # A sample's seed is that of its place, which never comes again.
    seeds = [seed for batch in batches for _, seed in batch]
    assert len(set(seeds)) == len(seeds)
    stream = iter(later)
    assert [next(stream) for _ in range(3)] == batches[4:]


def test_two_processes_see_the_samples_of_one_with_the_doubled_batch(
    monkeypatch,
):
    module = 'mmseg_video.datasets.seeded.get_dist_info'
    seen = []
    for rank in (0, 1):
        monkeypatch.setattr(module, lambda rank=rank: (rank, 2))
        share = iter(SeededBatches(range(rank, 8, 2), batch_size=2, seed=3))
        seen.append([next(share) for _ in range(2)])
    monkeypatch.setattr(module, lambda: (0, 1))
    one = iter(SeededBatches(range(8), batch_size=4, seed=3))
    for left, right in zip(*seen, strict=True):
        assert sorted(left + right) == sorted(next(one))


def test_seeds_differ():
    places = itertools.product((0, 1), (0, 1), range(99))
    seeds = {mixed_seed(*place) for place in places}
    assert len(seeds) == 4 * 99
    assert max(seeds) < 2**63


WORKER = """
import os, shutil, sys
from pathlib import Path
import torch.distributed as dist
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
import mmseg_video.engine.registration
from mmseg_video.engine.launch import leave_processes, set_up_processes
from tests.test_engine.test_exact_resume import teacher, resumed

init_default_scope('mmseg')
root, work_dir = map(Path, sys.argv[1:])

def make(root, folder):
    cfg = teacher(root, folder)
    cfg.train_dataloader.batch_size = 1
    # The teacher's batch norm counts for itself in each process.
    set_up_processes(cfg, 'pytorch')
    return cfg

Runner.from_cfg(make(root, work_dir / 'whole')).train()
dist.barrier()
part = work_dir / 'part'
part.mkdir(exist_ok=True)
resumed(make, root, work_dir / 'whole', part, 1, 0)
leave_processes()
"""


def test_two_processes(root, tmp_path):
    worker = tmp_path / 'worker.py'
    worker.write_text(WORKER)
    for code, output in run_job(worker, root, tmp_path, folder=tmp_path):
        assert code == 0, output[-3000:]
    last = f'iter_{ITERATIONS}.pth'
    same(tmp_path / 'whole' / last, tmp_path / 'part' / last)
    saved = torch.load(tmp_path / 'whole/iter_1.pth')['processes']
    assert len(saved) == 2
    assert not saved[0]
    assert any('running_mean' in name for name in saved[1])


def test_a_training_without_a_seed_says_so(root, tmp_path, capfd):
    cfg = config('unet', root, tmp_path)
    cfg.train_cfg.max_iters = 1
    cfg.randomness.seed = None
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    Runner.from_cfg(cfg).train()
    assert 'no seed is set' in ''.join(capfd.readouterr())


class Killed(Hook):
    """In the middle of a validation."""

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        raise KeyboardInterrupt


def test_killed_in_its_last_validation(root, tmp_path):
    def make(work_dir):
        cfg = settings(config('unet', root, work_dir))
        cfg.train_cfg.update(max_iters=2, val_interval=2)
        return cfg

    Runner.from_cfg(make(tmp_path / 'whole')).train()
    runner = Runner.from_cfg(make(tmp_path / 'killed'))
    runner.register_hook(Killed())
    with pytest.raises(KeyboardInterrupt):
        runner.train()
    cfg = make(tmp_path / 'killed')
    cfg.resume, cfg.load_from = True, str(tmp_path / 'killed/iter_2.pth')
    Runner.from_cfg(cfg).train()
    same(*(tmp_path / f'{name}/iter_2.pth' for name in ('whole', 'killed')))
