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
    A second signal, some seconds later, ends the training at once.

    Raises:
        Stopped: With the exit status.
    """

    # After CheckpointHook.
    priority = 'LOWEST'

    def __init__(self):
        self._signal, self._at = 0, 0.0
        self._before = {}

    def before_train(self, runner: Runner) -> None:
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
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        number = self._signal
        if runner.world_size > 1:
            device = next(runner.model.parameters()).device
            flag = torch.tensor(number, device=device)
            all_reduce(flag, 'max')
            number = int(flag)
        if number:
            self._stop(runner, number, runner.iter + 1)

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        # Each process for itself: nothing is left to write.
        checkpoint = self._checkpoint_hook(runner)
        if not self._signal or not checkpoint:
            return
        if checkpoint.saved_iter == runner.iter:
            self._stop(runner, self._signal, runner.iter)

    def _checkpoint_hook(self, runner: Runner) -> SafeCheckpointHook | None:
        hooks = [h for h in runner.hooks if isinstance(h, SafeCheckpointHook)]
        return hooks[0] if hooks else None

    def _stop(self, runner: Runner, number: int, done: int) -> None:
        hook = self._checkpoint_hook(runner)
        path = runner.message_hub.runtime_info.get('last_ckpt')
        if hook and hook.saved_iter != done:
            path = hook.save_extra(runner) or path
        if runner.world_size > 1 and self._before:
            # torchrun sends SIGTERM to those that are still there when the
            # first has left: all leave with one status.
            self._before[signal.SIGTERM] = signal.SIG_IGN
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if runner.message_hub.get_info('loop_stage') == 'train':
            barrier()  # the first process has written it
        self.release_signals()
        if is_main_process():
            written = f"'{path}' is written" if path else 'nothing is written'
            print(
                f'stopped by {signal.Signals(number).name} after iteration '
                f'{done}: {written}, and --resume goes on',
                file=sys.stderr,
                flush=True,
            )
        runner.visualizer.close()
        raise Stopped(128 + number)
