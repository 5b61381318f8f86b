from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from ..speed import speed_up
from .sequence_state_hook import unwrap


@HOOKS.register_module()
class SpeedHook(Hook):
    """Lets a model compute sooner, see :func:`speed_up`.

    A training takes the memory layout only; it is compiled by MMEngine's own
    ``compile=True``.

    Args:
        channels_last (bool): Defaults to False.
        compile (bool): Defaults to False.
    """

    def __init__(self, channels_last: bool = False, compile: bool = False):
        self.channels_last = channels_last
        self.compile = compile

    def before_train(self, runner: Runner) -> None:
        speed_up(unwrap(runner.model), self.channels_last)

    def before_test(self, runner: Runner) -> None:
        speed_up(unwrap(runner.model), self.channels_last, self.compile)
