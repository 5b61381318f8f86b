"""A day on a GPU, in minutes: all that only a GPU can tell, most worth first.

Each stage is a function of :class:`Settings` that yields rows. They run in a
process of their own (``worker.py``), which is killed and started again where
one hangs; ``run.py`` fits them into the time that is given, and writes what
is known after each.
"""

from .run import run_gpu_day
from .settings import DRY, FULL, Settings
from .stages import STAGES, Stage

__all__ = ['DRY', 'FULL', 'STAGES', 'Settings', 'Stage', 'run_gpu_day']
