"""A whole checkpoint at every instant."""

import errno
import itertools
import json
import multiprocessing
import os
import shutil
from pathlib import Path

import pytest
import torch
from mmengine.runner import Runner

from mmseg_video.engine import AtomicLocalBackend
from mmseg_video.engine.checkpoints import find_last_checkpoint
from mmseg_video.engine.hooks.checkpoint_hook import SafeCheckpointHook
from mmseg_video.engine.work_dir import current_run, locked, set_run
from tests.runs import config


def tiny(root, work_dir, iterations=3, keep=1, **changes):
    cfg = config('unet', root, work_dir, **changes)
    cfg.train_cfg.max_iters = iterations
    cfg.default_hooks.checkpoint.update(interval=1, max_keep_ckpts=keep)
    cfg.visualizer.vis_backends = []
    return cfg


def without_validation(cfg):
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    return cfg


def names(folder):
    return sorted(path.name for path in folder.glob('*.pth'))


def test_the_old_goes_when_the_new_is_there(root, tmp_path, monkeypatch):
    """With one that is kept, and with the best one."""
    seen = []
    put = AtomicLocalBackend.put

    def watch(self, obj, filepath):
        put(self, obj, filepath)
        seen.append(names(tmp_path))

    monkeypatch.setattr(AtomicLocalBackend, 'put', watch)
    cfg = tiny(root, tmp_path, **{'train_cfg.val_interval': 1})
    cfg.default_hooks.checkpoint.update(save_best='aAcc', rule='less')
    Runner.from_cfg(cfg).train()
    for before, after in itertools.pairwise(seen):
        for kind in ('iter', 'best'):
            old = {n for n in before if n.startswith(kind)}
            # At the end of a write at least one of those of before is there.
            assert not old or old & set(after)
    assert 'iter_3.pth' in names(tmp_path)
    assert len(names(tmp_path)) == 2


def test_a_full_disk_leaves_the_last_one(root, tmp_path, monkeypatch):
    cfg = without_validation(tiny(root, tmp_path))
    fsync = os.fsync

    def full(file):
        if (tmp_path / 'iter_2.pth').exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(file)

    monkeypatch.setattr('mmseg_video.io.atomic.os.fsync', full)
    with pytest.raises(OSError, match=r'No space left.*iter_3\.pth'):
        Runner.from_cfg(cfg).train()
    assert names(tmp_path) == ['iter_2.pth']
    assert not list(tmp_path.glob('.*.pth'))
    assert find_last_checkpoint(tmp_path).endswith('iter_2.pth')


def test_a_config_that_names_no_backend_is_as_safe(root, tmp_path):
    """mmseg's own runtime has none, and a kill would leave half a file."""
    cfg = without_validation(tiny(root, tmp_path, 1))
    del cfg.default_hooks.checkpoint['backend_args']
    runner = Runner.from_cfg(cfg)
    runner.train()
    (hook,) = (h for h in runner.hooks if isinstance(h, SafeCheckpointHook))
    good = (tmp_path / 'iter_1.pth').read_bytes()
    write = Path.write_bytes

    def killed(self, data):
        write(self, data[: len(data) // 2])
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, 'write_bytes', killed)
        with pytest.raises(KeyboardInterrupt):
            hook._save_checkpoint_with_step(runner, 1, dict(epoch=0, iter=1))
    assert (tmp_path / 'iter_1.pth').read_bytes() == good
    assert SafeCheckpointHook(out_dir='s3://x').backend_args is None


def test_the_best_of_a_moved_work_dir(root, tmp_path):
    old, new = tmp_path / 'old', tmp_path / 'new'
    cfg = tiny(root, old, 1, **{'train_cfg.val_interval': 1})
    cfg.default_hooks.checkpoint.update(save_best='aAcc', rule='greater')
    Runner.from_cfg(cfg).train()
    shutil.copytree(old, new)
    cfg.work_dir, cfg.resume = str(new), True
    cfg.load_from = str(new / 'iter_1.pth')
    cfg.train_cfg.max_iters = 2
    # Whatever comes now is better.
    loaded = torch.load(cfg.load_from)
    loaded['message_hub']['runtime_info']['best_score'] = -1.0
    torch.save(loaded, cfg.load_from)
    Runner.from_cfg(cfg).train()
    assert names(old) == ['best_aAcc_iter_1.pth', 'iter_1.pth']
    assert names(new) == ['best_aAcc_iter_2.pth', 'iter_2.pth']


def test_a_validation_that_was_killed_is_made_up_for(root, tmp_path):
    cfg = tiny(root, tmp_path / 'a', 1, **{'train_cfg.val_interval': 1})
    cfg.default_hooks.checkpoint.update(save_best='aAcc', rule='greater')

    class Killed(Exception):
        pass

    runner = Runner.from_cfg(cfg)
    build = runner.build_val_loop

    def dies(loop):
        loop = build(loop)

        def run():
            raise Killed

        loop.run = run
        return loop

    runner.build_val_loop = dies
    with pytest.raises(Killed):
        runner.train()
    cfg.resume, cfg.load_from = True, str(tmp_path / 'a/iter_1.pth')
    Runner.from_cfg(cfg).train()
    assert names(tmp_path / 'a') == ['best_aAcc_iter_1.pth', 'iter_1.pth']


class TestRuns:
    def write(self, folder, number, run):
        content = dict(
            meta=dict(run=run), state_dict={}, message_hub={}, optimizer={}
        )
        torch.save(content, folder / f'iter_{number}.pth')

    def test_a_higher_number_of_an_older_run_is_not_taken(self, tmp_path):
        self.write(tmp_path, 2000, set_run(tmp_path))
        run = set_run(tmp_path, 'later')
        self.write(tmp_path, 100, run)
        found = find_last_checkpoint(tmp_path, current_run(tmp_path))
        assert found.endswith('iter_100.pth')
        assert find_last_checkpoint(tmp_path).endswith('iter_2000.pth')
        assert find_last_checkpoint(tmp_path, set_run(tmp_path)) is None

    def test_weights_alone_are_passed_over(self, tmp_path):
        self.write(tmp_path, 1, 'a')
        torch.save(dict(state_dict={}), tmp_path / 'iter_2.pth')
        assert find_last_checkpoint(tmp_path).endswith('iter_1.pth')

    def test_a_training_has_one_identity(self, root, tmp_path):
        cfg = without_validation(tiny(root, tmp_path, 1))
        Runner.from_cfg(cfg).train()
        run = current_run(tmp_path)
        cfg.resume, cfg.load_from = True, str(tmp_path / 'iter_1.pth')
        cfg.train_cfg.max_iters = 2
        Runner.from_cfg(cfg).train()
        assert current_run(tmp_path) == run
        assert torch.load(tmp_path / 'iter_2.pth')['meta']['run'] == run
        # One that begins anew is another training.
        cfg.resume, cfg.load_from, cfg.train_cfg.max_iters = False, None, 1
        Runner.from_cfg(cfg).train()
        assert current_run(tmp_path) != run

    def test_a_broken_file_names_no_run(self, tmp_path):
        (tmp_path / 'run.json').write_text('{')
        assert current_run(tmp_path) is None
        assert json.loads('{}') == {}


def _hold(folder, ready, end):
    with locked(folder):
        ready.set()
        end.wait(30)


def test_a_second_training_is_refused(tmp_path):
    (tmp_path / '.iter_5.123.pth').touch()
    (tmp_path / '.note.txt').touch()
    context = multiprocessing.get_context('fork')
    ready, end = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path, ready, end))
    other.start()
    assert ready.wait(30)
    assert not (tmp_path / '.iter_5.123.pth').exists()
    assert (tmp_path / '.note.txt').exists()
    match = f'in use by another training .process {other.pid} on'
    with pytest.raises(RuntimeError, match=match), locked(tmp_path):
        pass
    # However it ends, its lock ends with it.
    other.kill()
    other.join()
    with locked(tmp_path):
        pass
