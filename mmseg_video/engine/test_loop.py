"""MMEngine's loop of tests, in a precision of one's choice."""

import torch
from mmengine.runner import TestLoop as _TestLoop
from mmseg.registry import LOOPS

from .launch import autocast_test


@LOOPS.register_module(name='TestLoop')
class AutocastTestLoop(_TestLoop):
    """A test in mixed precision; its figures are computed outside of it.

    It takes the place of ``TestLoop`` within the scope ``mmseg``. That opens
    an autocast of its own, which switches off any around it, and knows one
    type alone on a CPU.

    Args:
        amp (bool | str): 'float16', 'bfloat16', or True, the one of the
            device. Defaults to False, float32.
        kwargs: ``TestLoop``'s.
    """

    def __init__(self, *args, amp: bool | str = False, **kwargs):
        super().__init__(*args, **kwargs)
        self.amp = amp

    def run(self) -> dict:
        """Launch the test."""
        model = self.runner.model
        step = model.test_step
        # A model without parameters runs on a CPU.
        device = next(model.parameters(), torch.empty(0)).device

        def in_mixed_precision(batch):
            with autocast_test(self.amp, device):
                return step(batch)

        model.test_step = in_mixed_precision
        try:
            return super().run()
        finally:
            del model.test_step
