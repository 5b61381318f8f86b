import os
import signal
import sys
import threading
import time

import torch
from mmengine.dist import all_reduce, barrier, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from .checkpoint_hook import SafeCheckpointHook

# What asks a training to end: a scheduler or `kill`, Ctrl-C, and SLURM's
# warning before the time is up (--signal=USR1@120).
SIGNALS = tuple(
    getattr(signal, name)
    for name in ('SIGTERM', 'SIGINT', 'SIGUSR1')
    if hasattr(signal, name)
)
# torchrun sends what it got to processes that got it already.
AGAIN = 3.0  # seconds
# Batches of a validation after which several processes ask one another.
ASK = 10


class Stopped(SystemExit):
    """A training ended by a signal, with a checkpoint.

    Its exit status is 128 + the signal's number, as shells report it: 143
    (SIGTERM), 130 (Ctrl-C), 138 (SIGUSR1).
    """


@HOOKS.register_module()
class PreemptionHook(Hook):
    """Writes a checkpoint at the end of the iteration in which a signal came,
    and ends the training: all processes of it, at the same iteration.

    A validation is finished before, unless its checkpoint is there already.
    Processes may have different numbers of its batches: they ask one another
    every ``ASK`` batches as long as all have some, and at its end.
    A second signal, some seconds later, ends the training at once.

    Raises:
        Stopped: With the exit status.
    """

    # After CheckpointHook.
    priority = 'LOWEST'

    def __init__(self):
        self._signal, self._at = 0, 0.0
        self._before = {}
        self._trains, self._common = False, 0

    def before_train(self, runner: Runner) -> None:
        self._trains = True
        if threading.current_thread() is threading.main_thread():
            self._before = {
                number: signal.signal(number, self._note) for number in SIGNALS
            }

    def release_signals(self) -> None:
        """Give signals back their old meaning; the loop calls it at its end,
        whatever ends it."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _note(self, number: int, frame) -> None:
        now = time.monotonic()
        if self._signal and now - self._at > AGAIN:
            self.release_signals()
            os.kill(os.getpid(), number)
        elif not self._signal:
            self._signal, self._at = number, now
            # A loader's workers may get it too, and end: PyTorch would raise
            # that here, in the middle of the iteration.
            number = signal.SIGCHLD
            self._before[number] = signal.signal(number, signal.SIG_DFL)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        number = self._agreed(runner)
        if number:
            self._stop(runner, number, runner.iter + 1)

    def before_val_epoch(self, runner: Runner) -> None:
        self._common = self._reduced(runner, len(runner.val_dataloader), 'min')

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        if not self._is_written(runner):
            return
        done = batch_idx + 1
        if runner.world_size > 1 and (done % ASK or done > self._common):
            return
        number = self._agreed(runner)
        if number:
            self._stop(runner, number, runner.iter)

    def after_val_epoch(self, runner: Runner, metrics=None) -> None:
        number = self._agreed(runner) if self._trains else 0
        if number:
            self._stop(runner, number, runner.iter)

    def _agreed(self, runner: Runner) -> int:
        """The signal that any process has got, 0 where none has."""
        return self._reduced(runner, self._signal, 'max')

    def _reduced(self, runner: Runner, number: int, how: str) -> int:
        if runner.world_size == 1:
            return number
        device = next(runner.model.parameters()).device
        shared = torch.tensor(number, device=device)
        all_reduce(shared, how)
        return int(shared)

    def _is_written(self, runner: Runner) -> bool:
        """Whether a checkpoint of the present iteration is there."""
        hook = self._checkpoint_hook(runner)
        return (
            self._trains
            and hook is not None
            and hook.saved_iter == runner.iter
        )

    def _checkpoint_hook(self, runner: Runner) -> SafeCheckpointHook | None:
        hooks = [h for h in runner.hooks if isinstance(h, SafeCheckpointHook)]
        return hooks[0] if hooks else None

    def _stop(self, runner: Runner, number: int, done: int) -> None:
        hook = self._checkpoint_hook(runner)
        path = runner.message_hub.runtime_info.get('last_ckpt')
        if hook and hook.saved_iter != done:
            path = hook.save_extra(runner, done)
        if runner.world_size > 1 and self._before:
            # torchrun sends SIGTERM to those that are still there when the
            # first has left: all leave with one status.
            self._before[signal.SIGTERM] = signal.SIG_IGN
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        barrier()  # the first process has written it
        self.release_signals()
        if is_main_process():
            what = f"'{path}' is written, and --resume goes on"
            if not path:
                what = 'nothing is written, since it has no CheckpointHook'
            print(
                f'stopped by {signal.Signals(number).name} after iteration '
                f'{done}: {what}',
                file=sys.stderr,
                flush=True,
            )
        runner.visualizer.close()
        raise Stopped(128 + number)
