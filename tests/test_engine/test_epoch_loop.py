"""Trainings that count epochs, resumed where an epoch has another length."""

import contextlib
import uuid
from collections import Counter
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmseg_video.engine.train_loop import ExactEpochLoop
from tests.test_engine.test_exact_resume import epochs


class Counted(ExactEpochLoop):
    """Counts its iterations by epoch, and validations; trains nothing.

    Args:
        length (int): Iterations of an epoch.
        max_epochs (int): Of the training.
        checkpoint (dict | None): What another one of these has left.
        until (int | None): Iterations after which it stops.
    """

    def __init__(self, length, max_epochs, checkpoint=None, until=None):
        self.count, self.validated, self.until = Counter(), [], until
        hub = MessageHub.get_instance(uuid.uuid4().hex)
        runner = SimpleNamespace(
            message_hub=hub,
            val_loop=SimpleNamespace(run=self._note),
            hooks=[],
            model=torch.nn.Identity(),
            call_hook=lambda name: None,
            visualizer=None,
        )
        loader = DataLoader(range(length))
        super().__init__(runner, loader, max_epochs=max_epochs)
        if checkpoint:
            self._epoch, self._iter = checkpoint['epoch'], checkpoint['iter']
            hub.runtime_info.update(checkpoint['info'])

    def _note(self):
        self.validated.append(self.epoch)

    def run_iter(self, number, batch):
        self.count[self.epoch + 1] += 1
        self._iter += 1
        if self._iter == self.until:
            raise KeyboardInterrupt

    def left(self):
        """The checkpoint of the moment in which it stops."""
        with contextlib.suppress(KeyboardInterrupt):
            self.run()
        info = dict(self.runner.message_hub.runtime_info)
        return dict(epoch=self.epoch, iter=self.iter, info=info)


@pytest.mark.parametrize(
    ('length', 'until', 'now', 'expected'),
    [
        # At the end of the second of four epochs, before it is counted.
        (100, 200, 100, {3: 100, 4: 100}),
        (100, 200, 50, {3: 50, 4: 50}),
        (100, 200, 400, {3: 400, 4: 400}),
        # Within the third one: the same share of it is done.
        (100, 240, 50, {3: 30, 4: 50}),
        (100, 240, 200, {3: 120, 4: 200}),
        (100, 201, 50, {3: 50, 4: 50}),
        (100, 299, 50, {3: 1, 4: 50}),
    ],
)
def test_no_epoch_is_skipped_nor_too_long(
    length, until, now, expected, monkeypatch
):
    said = []
    monkeypatch.setattr(
        'mmseg_video.engine.train_loop.print_log',
        lambda line, *args, **kwargs: said.append(line),
    )
    checkpoint = Counted(length, 4, until=until).left()
    loop = Counted(now, 4, checkpoint)
    loop.run()
    assert loop.count == expected
    assert loop.epoch == 4
    # Checkpoints are ordered by it.
    assert loop.iter == until + sum(expected.values()) == loop.max_iters
    assert loop.validated[-2:] == [3, 4]
    warning = f'an epoch had {length} iterations and has {now} now'
    assert (warning in ''.join(said)) == (now != length)


def test_resumed_with_another_length_again_and_again():
    checkpoint = Counted(100, 4, until=150).left()
    checkpoint = Counted(50, 4, checkpoint, until=185).left()  # 10 of epoch 3
    same = Counted(50, 4, checkpoint)
    same.run()
    assert same.count == {3: 40, 4: 50}
    other = Counted(200, 4, checkpoint)
    other.run()
    assert other.count == {3: 160, 4: 200}


def test_a_checkpoint_that_counts_no_epochs_is_refused():
    checkpoint = dict(epoch=0, iter=500, info={})
    with pytest.raises(ValueError, match='after 500 iterations in epoch 1, a'):
        Counted(100, 4, checkpoint).run()


class Seen(Hook):
    """The frames of each epoch."""

    def __init__(self):
        self.epochs = {}

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        frames = [s.img_path for s in data_batch['data_samples']]
        self.epochs.setdefault(runner.epoch + 1, []).append(frames)


def test_each_epoch_has_all_frames_once(root, tmp_path):
    """Of two; as batches of one in the first epoch, of two in the next ones,
    and of one again in the last."""

    def train(batch_size, max_epochs, begin):
        cfg = epochs(root, tmp_path)
        cfg.train_dataloader.batch_size = batch_size
        cfg.train_cfg.max_epochs = max_epochs
        cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
        if begin:
            cfg.resume, cfg.load_from = True, str(tmp_path / begin)
        runner, seen = Runner.from_cfg(cfg), Seen()
        runner.register_hook(seen)
        runner.train()
        return seen.epochs

    first = train(1, 1, None)
    frames = sorted(path for batch in first[1] for path in batch)
    assert len(set(frames)) == 2
    for batch_size, begin, end in ((2, 1, 3), (1, 3, 4)):
        found = train(batch_size, end, f'epoch_{begin}.pth')
        assert sorted(found) == list(range(begin + 1, end + 1))
        for batches in found.values():
            assert len(batches) == 2 // batch_size
            assert sorted(p for batch in batches for p in batch) == frames
